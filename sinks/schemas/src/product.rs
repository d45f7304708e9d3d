//! What Watchbell calls itself in every schema. Rules in SIEMs match on these, so they are a contract.

/// The vendor. The project has no company behind it, so it is the product's own name.
pub const VENDOR: &str = "Watchbell";
/// The product.
pub const PRODUCT: &str = "Watchbell";
/// The version of the program that this crate was built with.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
