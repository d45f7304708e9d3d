//! The catalogue of functions: names, signatures, and what each one computes.
//!
//! What a function computes is a pointer in its entry of the catalogue, so that neither the checker nor the evaluator compares
//! names at run time.

mod catalogue;
pub mod metrics;
pub mod re2;

pub use catalogue::{FUNCTIONS, find, nearest};

use crate::types::{Element, Type};

/// A function of the language.
#[derive(Debug)]
pub struct Function {
    /// Its name, in lower case: `strings.concat`.
    pub name: &'static str,
    /// What it is.
    pub kind: FunctionKind,
    /// What it takes.
    pub parameters: &'static [Parameter],
    /// Whether the last parameter may come again and again.
    pub variadic: bool,
    /// What it gives; `None`: the type of its first argument. See [`Function::result`].
    pub returns: Option<Type>,
    /// Whether Google documents it, on its pages or in the rules that it publishes.
    pub documented: bool,
    /// Where it may stand.
    pub place: Place,
    /// What it gives, in a few words.
    pub summary: &'static str,
    /// Why it can't be computed here.
    online: Option<&'static str>,
}

/// What a function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// Values in, a value out.
    Scalar,
    /// Over the rows of a detection: `count`, `max`, `window.avg`.
    Aggregate,
    /// `metrics.*`: over months of data that only the service has.
    Metric,
    /// Searches have it, rules do not.
    SearchOnly,
}

/// The sections of a rule in which a function may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `events` and `outcome`.
    EventsAndOutcome,
    /// `outcome` alone.
    Outcome,
    /// `condition` alone.
    Condition,
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name, for messages.
    pub name: &'static str,
    /// The types that it takes; empty: every type.
    pub types: &'static [Kind],
    /// Whether it may be left out.
    pub optional: bool,
    /// What its text means, beyond being text.
    pub role: Role,
}

/// What the text of an argument means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nothing but itself.
    Plain,
    /// A pattern.
    Pattern {
        /// How many groups it may capture; `None`: any number.
        groups: Option<usize>,
    },
    /// A replacement: `\1` names a group of the pattern before it.
    Replacement,
}

/// A type as a parameter names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; an enum counts as its name.
    String,
    /// A pattern: text or `/regex/`.
    Regex,
    /// A whole number.
    Int,
    /// Any number.
    Number,
    /// `true` or `false`.
    Bool,
    /// Bytes.
    Bytes,
    /// A point in time.
    Timestamp,
    /// A list, or a field that is one.
    List,
}

impl Function {
    /// Whether it can be computed here, without the service.
    ///
    /// # Errors
    /// Why not.
    pub const fn offline(&self) -> Result<(), &'static str> {
        match self.online {
            None => Ok(()),
            Some(reason) => Err(reason),
        }
    }

    /// How many arguments it needs at least.
    #[must_use]
    pub fn required(&self) -> usize {
        self.parameters.iter().take_while(|parameter| !parameter.optional).count()
    }

    /// How many arguments it takes at most; `None`: any number.
    #[must_use]
    pub const fn most(&self) -> Option<usize> {
        if self.variadic { None } else { Some(self.parameters.len()) }
    }

    /// The parameter for an argument, counted from 0.
    #[must_use]
    pub fn parameter(&self, position: usize) -> Option<&'static Parameter> {
        match self.parameters.get(position) {
            None if self.variadic => self.parameters.last(),
            found => found,
        }
    }

    /// The type of its result, where the first argument has this type.
    #[must_use]
    pub fn result(&self, first: Type) -> Type {
        match (self.returns, first) {
            (Some(Type::List(Element::Any)), Type::String | Type::Enum(_)) if self.kind == FunctionKind::Aggregate => {
                Type::List(Element::String)
            }
            (Some(Type::List(Element::Any)), Type::Int | Type::Uint) if self.kind == FunctionKind::Aggregate => {
                Type::List(Element::Int)
            }
            (Some(Type::List(Element::Any)), Type::Float) if self.kind == FunctionKind::Aggregate => {
                Type::List(Element::Float)
            }
            (Some(kind), _) => kind,
            (None, first) => first,
        }
    }

    /// How it is called: `strings.split(text, [delimiter]) -> list of string`.
    #[must_use]
    pub fn signature(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (position, parameter) in self.parameters.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            let (open, close) = if parameter.optional { ("[", "]") } else { ("", "") };
            text.push_str(&format!("{comma}{open}{}{close}", parameter.name));
        }
        text.push_str(if self.variadic { ", ..)" } else { ")" });
        match self.returns {
            Some(kind) => text.push_str(&format!(" -> {kind}")),
            None => text.push_str(" -> the type of its argument"),
        }
        text
    }
}

impl Parameter {
    /// Whether it takes a value of this type.
    #[must_use]
    pub fn accepts(&self, kind: Type) -> bool {
        self.types.is_empty() || self.types.iter().any(|allowed| allowed.accepts(kind))
    }
}

impl Kind {
    /// Whether a value of this type fits. A field that is a list fits [`Kind::List`] as well; its type alone does not say so.
    #[must_use]
    pub const fn accepts(self, kind: Type) -> bool {
        matches!(
            (self, kind),
            (_, Type::Any)
                | (Self::String | Self::Regex, Type::String | Type::Enum(_))
                | (Self::Int, Type::Int | Type::Uint)
                | (Self::Number, Type::Int | Type::Uint | Type::Float)
                | (Self::Bool, Type::Bool)
                | (Self::Bytes, Type::Bytes)
                | (Self::Timestamp, Type::Timestamp)
                | (Self::List, Type::List(_))
        )
    }

    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Regex => "regex",
            Self::Int => "int",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::Bytes => "bytes",
            Self::Timestamp => "timestamp",
            Self::List => "list",
        }
    }
}
