//! The front for AI assistants: tools, resources and prompts over the Model Context Protocol.
//!
//! What a log wrote is data that an attacker chose: it leaves only within fields named `untrusted`, see `untrusted.rs`.

mod arguments;
mod call;
mod catalog;
mod failure;
mod handler;
mod http;
mod prompts;
mod resources;
mod server;
mod sessions;
mod tools;
mod untrusted;
mod views;

pub use catalog::Toolset;
pub use server::{McpError, McpRequest, serve};
