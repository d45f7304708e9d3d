//! Text -> tokens -> the typed tree.

pub mod lexer;
mod literal;
mod parser;
pub mod token;
pub mod tree;
pub(crate) mod walk;

use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
};
use tree::RuleFile;

/// The longest text that is read, in bytes. Google's limit for one rule is far below; the bound keeps a wrong file from being
/// taken for a rule.
pub const MAX_TEXT: usize = 4 << 20;

/// How deep expressions may nest.
pub const MAX_DEPTH: u16 = 128;

/// What was read of a text.
#[derive(Debug)]
pub struct Parsed {
    /// The rules, as far as they could be read.
    pub file: RuleFile,
    /// What is wrong with the grammar, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file of rules. Never fails: what can't be read is told, and reading goes on with the next statement.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    if text.len() > MAX_TEXT {
        let message = format!("a text of {} bytes, expected at most {MAX_TEXT}", text.len());
        let diagnostic =
            Diagnostic::new(Code::TextTooLong, Span::new(0, 0), message).help("split the rules into several files");
        return Parsed { file: RuleFile::default(), diagnostics: vec![diagnostic] };
    }
    parser::Parser::new(text).file()
}
