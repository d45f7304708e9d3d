//! The words of the language. Keywords are told apart here, once; where a keyword may also be a name (a field called `all`), the
//! parser asks for a word of either kind.

use crate::source::Span;

/// A token and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands; of a variable the sign is included.
    pub span: Span,
    /// Whether it is the first on its line. Statements usually are, which is what recovery holds on to.
    pub first_on_line: bool,
    /// Whether something was said about it already.
    pub broken: bool,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A name that is no keyword.
    Word,
    /// A word with a meaning of its own inside of expressions.
    Keyword(Keyword),
    /// `$name`.
    Variable,
    /// `#name`.
    Count,
    /// `%name`.
    List,
    /// `"text"`.
    Text,
    /// `` `text` ``.
    RawText,
    /// `/pattern/`.
    Regex,
    /// Digits.
    Int,
    /// Digits, a point, digits.
    Float,
    /// Digits and letters: `5m`.
    Duration,
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
    /// `+`.
    Plus,
    /// `-`.
    Minus,
    /// `*`.
    Star,
    /// `/`.
    Slash,
    /// `%`.
    Percent,
    /// `!`.
    Bang,
    /// `(`.
    LeftParenthesis,
    /// `)`.
    RightParenthesis,
    /// `[`.
    LeftBracket,
    /// `]`.
    RightBracket,
    /// `{`.
    LeftBrace,
    /// `}`.
    RightBrace,
    /// `,`.
    Comma,
    /// `.`.
    Dot,
    /// `:`.
    Colon,
    /// What begins nothing.
    Invalid,
    /// The end of the text.
    End,
}

/// A word with a meaning of its own inside of expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    /// `and`.
    And,
    /// `or`.
    Or,
    /// `not`.
    Not,
    /// `in`.
    In,
    /// `is`.
    Is,
    /// `null`.
    Null,
    /// `nocase`.
    Nocase,
    /// `any`.
    Any,
    /// `all`.
    All,
    /// `of`.
    Of,
    /// `if`.
    If,
    /// `true`.
    True,
    /// `false`.
    False,
}

impl Keyword {
    const ALL: [(&'static str, Self); 13] = [
        ("and", Self::And),
        ("or", Self::Or),
        ("not", Self::Not),
        ("in", Self::In),
        ("is", Self::Is),
        ("null", Self::Null),
        ("nocase", Self::Nocase),
        ("any", Self::Any),
        ("all", Self::All),
        ("of", Self::Of),
        ("if", Self::If),
        ("true", Self::True),
        ("false", Self::False),
    ];

    /// The keyword that a word is, in any case of letters.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        if word.len() < 2 || word.len() > 6 {
            return None;
        }
        Self::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|&(_, keyword)| keyword)
    }
}

impl TokenKind {
    /// Whether it is a name or a keyword.
    #[must_use]
    pub const fn is_word(self) -> bool {
        matches!(self, Self::Word | Self::Keyword(_))
    }

    /// Whether an operand ends with it, so that `/` after it divides and `%` takes the remainder.
    #[must_use]
    pub const fn ends_operand(self) -> bool {
        use TokenKind as Kind;
        matches!(
            self,
            Kind::Word
                | Kind::Variable
                | Kind::Count
                | Kind::List
                | Kind::Text
                | Kind::RawText
                | Kind::Regex
                | Kind::Int
                | Kind::Float
                | Kind::Duration
                | Kind::RightParenthesis
                | Kind::RightBracket
                | Kind::Keyword(Keyword::True | Keyword::False | Keyword::Null)
        )
    }

    /// Whether it compares two operands.
    #[must_use]
    pub const fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal | Self::NotEqual | Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual
        )
    }
}
