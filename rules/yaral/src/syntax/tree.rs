//! The tree of a rule. Every node knows its span; every name is kept as it was written.
//!
//! One type of expression serves `events`, `outcome` and `condition`: what may stand where is the parser's and the checker's to
//! say, and they can say it better of a tree than of a token. The depth of a tree is bounded by the parser, so that whoever
//! walks it may recurse.

use crate::source::Span;

/// A file: usually one rule.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleFile {
    /// The rules in their order.
    pub rules: Vec<Rule>,
}

/// A word and its place. Of a variable the word stands without its sign, and the span with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// The word.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// One rule. A section that is missing, or unreadable as a whole, is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: Name,
    /// From `rule` to the closing brace.
    pub span: Span,
    /// `meta`.
    pub meta: Option<Section<Vec<MetaEntry>>>,
    /// `setup`: changes to the entity graph before the events are read.
    pub setup: Option<Section<Vec<Enrichment>>>,
    /// `events`: all statements hold at once.
    pub events: Option<Section<Vec<Expr>>>,
    /// `match`.
    pub matching: Option<Section<Match>>,
    /// `outcome`.
    pub outcome: Option<Section<Vec<OutcomeVariable>>>,
    /// `condition`.
    pub condition: Option<Section<Expr>>,
    /// `options`.
    pub options: Option<Section<Vec<RuleOption>>>,
    /// `export`.
    pub export: Option<Section<Vec<Export>>>,
}

/// A section's content.
#[derive(Debug, Clone, PartialEq)]
pub struct Section<T> {
    /// The word that opens it.
    pub keyword: Span,
    /// From that word to the last token.
    pub span: Span,
    /// What it holds.
    pub body: T,
}

/// `key = "value"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaEntry {
    /// The key.
    pub key: Name,
    /// The text, escapes resolved.
    pub value: String,
    /// Where the value stands.
    pub value_span: Span,
}

/// One entry of `setup`.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrichment {
    /// What is done to the graph.
    pub kind: EnrichmentKind,
    /// The whole entry.
    pub span: Span,
}

/// What an entry of `setup` does.
#[derive(Debug, Clone, PartialEq)]
pub enum EnrichmentKind {
    /// `graph_override (join)`: matching entities take the table's values. The equalities are [`ExprKind::Compare`].
    Override(Vec<Expr>),
    /// `graph_exclude (join)`: matching entities are left out.
    Exclude(Vec<Expr>),
    /// `graph_append [$graph, %table]`: rows become entities.
    Append {
        /// The entity variable.
        variable: Name,
        /// The table.
        table: Name,
    },
}

/// `$a, $b over 5m after $e`.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The variables, by which detections are grouped.
    pub variables: Vec<Name>,
    /// The window; `None` after an error, or in a query of search.
    pub window: Option<Window>,
}

/// A window of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// From `over` or `by` to the end.
    pub span: Span,
    /// Its length.
    pub length: Duration,
    /// How windows lie.
    pub kind: WindowKind,
}

/// How windows lie in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowKind {
    /// `over 5m`: overlapping.
    Hop,
    /// `over 5m after $e`: one for each event of the pivot, from it on.
    After(Name),
    /// `over 5m before $e`: one for each event of the pivot, up to it.
    Before(Name),
    /// `by 5m`: side by side.
    Tumbling,
}

/// `5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration {
    /// Its length in seconds, saturated.
    pub seconds: u64,
    /// Where it stands.
    pub span: Span,
}

/// `$name = value`.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeVariable {
    /// The variable.
    pub name: Name,
    /// What it holds.
    pub value: Expr,
}

/// `name = value`.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleOption {
    /// The name.
    pub name: Name,
    /// A bool, a duration, a number, a text.
    pub value: Expr,
}

/// `%table.write_row(column: $variable, ..)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// The table.
    pub table: Name,
    /// What follows the dot; only `write_row` has a meaning.
    pub action: Name,
    /// The columns with what is written into them.
    pub columns: Vec<(Name, Expr)>,
    /// The whole.
    pub span: Span,
}

/// An expression with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `"text"` or `` `text` ``, escapes resolved.
    String(String),
    /// `/pattern/`, the slashes' escapes resolved.
    Regex(String),
    /// A whole number.
    Int(i64),
    /// A number with a point.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `1d`: arguments of metrics, options.
    Duration(Duration),
    /// A bare word: an argument of metrics (`today`, `event_count_sum`), `window_start`, `window_end`.
    Word(String),
    /// `*`: an argument of metrics.
    Star,
    /// `$event.path`.
    Field(Field),
    /// `$name`: a placeholder, an outcome variable, in `condition` also an event.
    Variable(String),
    /// `#name`: how many.
    Count(String),
    /// `%table.column` as a value.
    Column(ListRef),
    /// `strings.concat(..)`.
    Call(Call),
    /// `if(condition, then, otherwise)`.
    If(Box<If>),
    /// `any $e.path` or `all $e.path`.
    Quantified(Quantifier, Box<Expr>),
    /// `left + right`.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// `left = right`; in `events` also the declaration of a placeholder.
    Compare(Box<Compare>),
    /// `needle in %list`.
    In(Box<In>),
    /// `operand is [not] null`.
    IsNull {
        /// What is asked about.
        operand: Box<Expr>,
        /// Whether `not` stands there.
        negated: bool,
    },
    /// `not operand`.
    Not(Box<Expr>),
    /// Two or more, all of which hold.
    And(Vec<Expr>),
    /// Two or more, one of which holds.
    Or(Vec<Expr>),
    /// `!$event`.
    Absent(Name),
    /// `2 of [..]`.
    NOf(NOf),
    /// `( .. )`.
    Group(Box<Expr>),
    /// What could not be read. Everything about it was said; nobody says more.
    Error,
}

/// `$variable.segment.segment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The event's variable.
    pub variable: Name,
    /// At least one.
    pub segments: Vec<Segment>,
}

/// One part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The field's name.
    pub name: Name,
    /// What stands in brackets.
    pub index: Option<Index>,
}

/// What stands in brackets, with its place, brackets included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// A number or a key.
    pub kind: IndexKind,
    /// Where.
    pub span: Span,
}

/// A number or a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexKind {
    /// `[0]`.
    Number(u64),
    /// `["key"]`.
    Key(String),
    /// Neither; it was said.
    Error,
}

/// `%list` or `%table.column`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRef {
    /// The list or the table.
    pub name: Name,
    /// The column of a table.
    pub column: Option<Name>,
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The whole name, for example `strings.concat`, as written.
    pub name: Name,
    /// The arguments.
    pub arguments: Vec<Argument>,
    /// Where `nocase` follows the call.
    pub nocase: Option<Span>,
}

/// An argument, with its name where one is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// `period:`; of metrics also a path, `principal.asset.ip:`.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// `if(condition, then[, otherwise])`.
#[derive(Debug, Clone, PartialEq)]
pub struct If {
    /// What is asked.
    pub condition: Expr,
    /// The value if it holds.
    pub then: Expr,
    /// The value if not.
    pub otherwise: Option<Expr>,
}

/// `any` or `all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// Some element.
    Any,
    /// Every element.
    All,
}

/// `+ - * / %`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArithmeticOp {
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `%`.
    Modulo,
}

/// A comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Compare {
    /// The left side.
    pub left: Expr,
    /// How.
    pub op: CompareOp,
    /// The right side.
    pub right: Expr,
    /// Where `nocase` follows.
    pub nocase: Option<Span>,
}

/// `= != < <= > >=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `=`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

/// `needle [not] in [regex|cidr] list [nocase]`.
#[derive(Debug, Clone, PartialEq)]
pub struct In {
    /// What is looked for.
    pub needle: Expr,
    /// Whether `not` stands before `in`.
    pub negated: bool,
    /// How the list is read.
    pub form: ListForm,
    /// The list.
    pub list: ListRef,
    /// Where `nocase` follows.
    pub nocase: Option<Span>,
}

/// How a list's entries are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListForm {
    /// As they stand.
    Plain,
    /// As patterns.
    Regex,
    /// As networks.
    Cidr,
}

/// `any of [..]`, `all of [..]`, `2 of [..]`.
#[derive(Debug, Clone, PartialEq)]
pub struct NOf {
    /// How many must hold.
    pub needed: Needed,
    /// The entries.
    pub entries: Vec<Expr>,
}

/// How many must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// One.
    Any,
    /// Every one.
    All,
    /// So many.
    AtLeast(u64),
}
