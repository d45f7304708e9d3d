//! The kinds of mistakes. A code never changes its meaning; the groups are: Y01 text and grammar, Y02 names, Y03 types, Y04
//! functions and patterns, Y05 joins and placeholders, Y06 match, Y07 outcome, Y08 condition, Y09 options, lists, tables, metrics,
//! Y10 advice.

use super::Level;

macro_rules! codes {
    ($($variant:ident $id:literal $level:ident $name:literal $summary:literal;)*) => {
        /// A kind of mistake.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $summary] $variant,)*
        }

        impl Code {
            /// All of them, in the order of their ids.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The short id, for example `Y0201`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The name, for example `unknown-field`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How bad it usually is.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)* }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }
        }
    };
}

// A table in one place keeps id, name, level and meaning from drifting apart.
codes! {
    UnexpectedToken "Y0101" Error "unexpected-token" "something else was expected here";
    UnterminatedString "Y0102" Error "unterminated-string" "a text, pattern or comment does not end";
    InvalidCharacter "Y0103" Error "invalid-character" "a character that begins nothing in the language";
    InvalidNumber "Y0104" Error "invalid-number" "a number that is too large or negative";
    UnclosedDelimiter "Y0105" Error "unclosed-delimiter" "a brace, bracket or parenthesis is not closed";
    MissingSection "Y0106" Error "missing-section" "a section that every rule needs is missing";
    DuplicateSection "Y0107" Error "duplicate-section" "a section stands twice";
    SectionOrder "Y0108" Error "section-order" "sections stand in the wrong order";
    UnknownSection "Y0109" Error "unknown-section" "no section has this name";
    ReservedWord "Y0110" Error "reserved-word" "a variable has the name of a keyword";
    LeadingParenthesis "Y0111" Error "leading-parenthesis" "a predicate begins with arithmetic in parentheses";
    SearchOnly "Y0112" Error "search-only" "searches have this, rules do not";
    TooDeep "Y0113" Error "too-deep" "expressions are nested too deeply";
    MetaValue "Y0114" Error "meta-value" "a value of meta is not a quoted text";
    DuplicateMeta "Y0115" Warning "duplicate-meta" "a key of meta stands twice";
    MissingWindow "Y0116" Error "missing-window" "match has no window";
    InvalidIndex "Y0117" Error "invalid-index" "an index is no number from 0 and no text";
    TextTooLong "Y0118" Error "text-too-long" "the text is longer than 4 MiB";

    UnknownField "Y0201" Error "unknown-field" "the data model has no such field";
    UnknownEnumValue "Y0202" Error "unknown-enum-value" "the enum has no such value";
    UndefinedVariable "Y0203" Error "undefined-variable" "a variable is used and never defined";
    DuplicateVariable "Y0204" Error "duplicate-variable" "a variable is defined twice";
    MixedSources "Y0205" Error "mixed-sources" "one variable reads events, entities or detections at once";
    DeprecatedField "Y0206" Warning "deprecated-field" "the field is deprecated";
    DuplicateRule "Y0207" Error "duplicate-rule" "two rules have one name";
    BareWord "Y0208" Error "bare-word" "a word without quotes or sign stands as a value";

    TypeMismatch "Y0301" Error "type-mismatch" "the two sides can't be compared";
    LiteralsCompared "Y0302" Error "literals-compared" "both sides are literals";
    NocaseNotText "Y0303" Error "nocase-not-text" "nocase on something that is no text";
    RegexNotText "Y0304" Error "regex-not-text" "a pattern for something that is no text";
    QuantifierScalar "Y0305" Error "quantifier-scalar" "any or all of a field with one value";
    QuantifierPlace "Y0306" Error "quantifier-place" "any or all where it can't stand";
    IndexMisuse "Y0307" Error "index-misuse" "an index or key where the field has none";
    ArithmeticType "Y0308" Error "arithmetic-type" "arithmetic with something that is no number";
    UnsignedArithmetic "Y0309" Error "unsigned-arithmetic" "arithmetic of an unsigned field with a signed number";
    TextOrder "Y0310" Warning "text-order" "texts are compared by order, which is not documented";
    MessageAsValue "Y0311" Error "message-as-value" "a message stands where a value is needed";
    NotBoolean "Y0312" Error "not-boolean" "something that is neither true nor false stands as a condition";

    UnknownFunction "Y0401" Warning "unknown-function" "no documented function has this name";
    WrongArity "Y0402" Error "wrong-arity" "too few or too many arguments";
    ArgumentType "Y0403" Error "argument-type" "an argument has the wrong type";
    InvalidRegex "Y0404" Error "invalid-regex" "the pattern is not valid in RE2";
    CaptureGroups "Y0405" Error "capture-groups" "the pattern has more groups than the function allows";
    FunctionDepth "Y0406" Error "function-depth" "calls are nested deeper than 20";
    SeveralEvents "Y0407" Error "several-events" "a function reads several events";
    NoEvent "Y0408" Error "no-event" "a function assigned to a placeholder reads no event";
    FunctionPlace "Y0409" Error "function-place" "a function in a section where it can't stand";
    UndocumentedFunction "Y0410" Warning "undocumented-function" "the function is used by others and not documented";
    ReplacementGroup "Y0411" Error "replacement-group" "the replacement names a group that the pattern does not have";

    UnboundPlaceholder "Y0501" Error "unbound-placeholder" "a placeholder is never equated with a field";
    UnjoinedEvents "Y0502" Error "unjoined-events" "event variables are not connected by equalities";
    ArithmeticJoin "Y0503" Error "arithmetic-join" "a join with arithmetic";
    JoinQuantifier "Y0504" Error "join-quantifier" "any or all in a join or an assignment";

    MatchVariable "Y0601" Error "match-variable" "a variable of match is no placeholder of events";
    WindowLength "Y0602" Error "window-length" "a window shorter than a minute or longer than rules can have";
    LongWindow "Y0603" Warning "long-window" "a window longer than 48 hours";
    WindowPivot "Y0604" Error "window-pivot" "the pivot of a sliding window is no event that must exist";

    OutcomeAggregate "Y0701" Error "outcome-aggregate" "a field needs an aggregate here";
    OutcomeReaggregated "Y0702" Error "outcome-reaggregated" "an outcome variable inside of an aggregate";
    OutcomeOrder "Y0703" Error "outcome-order" "an outcome variable is used before it is defined";
    TooManyOutcomes "Y0704" Error "too-many-outcomes" "more than 20 outcome variables";
    BranchTypes "Y0705" Error "branch-types" "the branches of if have different types";
    MissingElse "Y0706" Error "missing-else" "if needs its second branch here";
    RiskScoreType "Y0707" Error "risk-score-type" "$risk_score is no number";
    OutcomeIndex "Y0708" Error "outcome-index" "an index in outcome";
    NestedAggregate "Y0709" Error "nested-aggregate" "an aggregate inside of an aggregate";
    RiskScoreRange "Y0710" Warning "risk-score-range" "$risk_score lies outside of 0 to 100";

    EventNotInCondition "Y0801" Error "event-not-in-condition" "an event variable does not occur in the condition";
    NoBoundedEvent "Y0802" Error "no-bounded-event" "no event has to exist";
    UnboundedPartner "Y0803" Error "unbounded-partner" "an entity or placeholder that may be absent is tied to no event that must exist";
    MatchInCondition "Y0804" Error "match-in-condition" "a match variable in the condition";
    ConditionNot "Y0805" Error "condition-not" "not before an event or a placeholder";
    ConditionOr "Y0806" Error "condition-or" "or between conditions that it can't join";
    UnboundedMatch "Y0807" Error "unbounded-match" "all events behind a match variable may be absent";
    ConditionCount "Y0808" Error "condition-count" "a count that is compared in a way without meaning";
    ConditionForm "Y0809" Error "condition-form" "something that a condition can't hold";

    UnknownOption "Y0901" Error "unknown-option" "no option has this name";
    OptionValue "Y0902" Error "option-value" "an option has a value that it can't have";
    SuppressionWindow "Y0903" Error "suppression-window" "the suppression window is not longer than the match window";
    TooManyLists "Y0904" Error "too-many-lists" "more look-ups in lists than a rule may have";
    LookupMixed "Y0905" Warning "lookup-mixed" "look-ups in lists mixed with other comparisons in one group";
    TableJoin "Y0906" Error "table-join" "a join with a data table that it can't have";
    MetricArguments "Y0907" Error "metric-arguments" "arguments that the metric does not have";
    MetricPlace "Y0908" Error "metric-place" "a metric outside of outcome, or without its aggregate";
    EntityOnly "Y0909" Error "entity-only" "a rule that reads entities only";
    CompositeMatch "Y0910" Error "composite-match" "a composite rule without match";
    SetupForm "Y0911" Error "setup-form" "an entry of setup that it can't have";
    ExportForm "Y0912" Error "export-form" "an export that it can't have";

    ImplicitAnd "Y1001" Warning "implicit-and" "two comparisons in parentheses without an operator between them";
    CountInList "Y1002" Warning "count-in-list" "an event is compared where its count is meant";
    UnusedPlaceholder "Y1003" Warning "unused-placeholder" "a placeholder is bound and never used";
    MissingMeta "Y1004" Warning "missing-meta" "meta lacks author, description or severity";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_and_names_are_unique() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].id() < pair[1].id()));
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
