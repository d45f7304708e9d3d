//! The front for AI assistants: tools, resources and prompts over the Model Context Protocol.
//!
//! What a log wrote is data that an attacker chose: it leaves only within an envelope that says so.

mod server;
mod tools;

pub use server::{McpError, McpRequest, serve};
