//! The catalogue of functions: names, signatures, and what each one computes.
//!
//! What a function computes is a pointer in its entry of the catalogue, so that neither the checker nor the evaluator compares
//! names at run time.

mod aggregates;
mod arguments;
mod arrays;
mod casts;
mod catalogue;
mod hash;
mod math;
pub mod metrics;
mod net;
mod patterns;
pub mod re2;
pub(crate) mod re2_syntax;
mod strings;
mod sums;
mod time;
mod url;

use std::cell::{Cell, RefCell};

pub use aggregates::{ARRAY_CAP, Accumulator, aggregate};
pub use catalogue::{FUNCTIONS, find, nearest};
pub use net::Network;
pub use patterns::highest_group;

use crate::{
    eval::Value,
    types::{Element, Type},
};
use arguments::Arguments;
use re2::{PatternCache, PatternError};

/// The longest text or list of bytes that a function gives.
pub const MAX_TEXT: usize = 1 << 20;
/// The longest list that a function gives.
pub const MAX_ITEMS: usize = 1 << 16;

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
    /// What computes it, where values alone do.
    compute: Option<Compute>,
}

type Compute = fn(&Arguments<'_>) -> Result<Value, FunctionError>;

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

    /// How many arguments it takes, in words: `1 or 2 arguments`.
    #[must_use]
    pub fn arity(&self) -> String {
        match (self.required(), self.most()) {
            (least, None) => format!("at least {least} {}", arguments_in_words(least)),
            (0, Some(0)) => "no arguments".to_owned(),
            (least, Some(most)) if least == most => format!("{least} {}", arguments_in_words(least)),
            (least, Some(most)) => format!("{least} or {most} arguments"),
        }
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

const fn arguments_in_words(count: usize) -> &'static str {
    if count == 1 { "argument" } else { "arguments" }
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

/// What a function may know besides its arguments. One for each thread that runs rules.
#[derive(Debug)]
pub struct Environment {
    /// What `timestamp.now` gives.
    pub now: jiff::Timestamp,
    /// Counts the numbers that `math.random` has given; where it starts decides which ones.
    pub random: Cell<u64>,
    /// Patterns that have been compiled.
    pub patterns: RefCell<PatternCache>,
}

impl Environment {
    /// With a time, and a start for random numbers.
    #[must_use]
    pub fn new(now: jiff::Timestamp, seed: u64) -> Self {
        Self { now, random: Cell::new(seed), patterns: RefCell::default() }
    }

    /// The next random number (SplitMix64).
    fn draw(&self) -> u64 {
        let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Why a function gives no value. The name of the function is the caller's to add.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// It needs the service.
    #[error("it can't be computed here: {0}")]
    NotHere(&'static str),
    /// It computes over rows, or none does where rows are given.
    #[error("an aggregate needs the rows of a detection, any other function one value")]
    NoAggregate,
    /// Too few or too many arguments.
    #[error("it takes {expected}, and {found} were given")]
    Arity {
        /// How many it takes.
        expected: String,
        /// How many there are.
        found: usize,
    },
    /// An argument that it does not take.
    #[error("argument {position} must be {expected}")]
    Argument {
        /// Which one, from 1.
        position: usize,
        /// What it must be.
        expected: &'static str,
    },
    /// A pattern that can't be used.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A replacement with a backslash before something else.
    #[error("in a replacement, a backslash stands before a digit or another backslash")]
    Replacement,
    /// A replacement names a group that the pattern does not have.
    #[error("the replacement names group {group}, which the pattern does not have")]
    ReplacementGroup {
        /// The group.
        group: usize,
    },
    /// Text that can't be read as what it should be.
    #[error("{text:?} is no {expected}")]
    Unreadable {
        /// The text, cut short.
        text: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A whole number beyond 64 bits.
    #[error("the result is beyond 64 bits; write `0.0 +` before the number to compute with floats")]
    Overflow,
    /// The result or the work for it is too large.
    #[error("the result is larger than 1 MiB or 65536 items, or takes too long to find")]
    TooLarge,
}

impl FunctionError {
    fn unreadable(text: &str, expected: &'static str) -> Self {
        Self::Unreadable { text: text.chars().take(64).collect(), expected }
    }

    fn network(text: &str) -> Self {
        Self::unreadable(text, "network such as 192.0.2.0/24")
    }

    fn address(text: &str) -> Self {
        Self::unreadable(text, "IP address")
    }

    fn zone(text: &str) -> Self {
        Self::unreadable(text, "time zone; write a name such as Europe/Berlin, or an offset such as +01:00")
    }

    fn time(text: &str) -> Self {
        Self::unreadable(text, "time such as 2026-01-31 10:00:00")
    }

    fn format(text: &str) -> Self {
        Self::unreadable(text, "element of a time format")
    }
}

/// What a function gives for these arguments.
///
/// # Errors
/// It is an aggregate, needs the service, or does not take these arguments.
pub fn call(function: &Function, arguments: &[Value], environment: &Environment) -> Result<Value, FunctionError> {
    function.offline().map_err(FunctionError::NotHere)?;
    let compute = function.compute.ok_or(FunctionError::NoAggregate)?;
    let found = arguments.len();
    if found < function.required() || function.most().is_some_and(|most| found > most) {
        return Err(FunctionError::Arity { expected: function.arity(), found });
    }
    let value = compute(&Arguments { values: arguments, environment: Some(environment) })?;
    let length = match &value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    };
    if length > MAX_TEXT { Err(FunctionError::TooLarge) } else { Ok(value) }
}
