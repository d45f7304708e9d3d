//! What the user wants, from TOML.
