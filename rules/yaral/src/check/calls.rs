//! Calls: whether there is such a function, whether it can stand here, and whether its arguments fit.

use super::{
    Checker, Place,
    expression::{Family, family},
    names, walk, warning,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    functions::{self, Function, FunctionKind, Kind, Parameter, Role, re2_syntax},
    source::Span,
    syntax::tree::{Argument, Call, Expr, ExprKind},
    types::Type,
};

impl<'t> Checker<'t> {
    /// Checks a call and gives the type of its result.
    pub(super) fn call(&mut self, call: &'t Call, whole: &'t Expr, place: Place) -> Type {
        let Some(function) = functions::find(&call.name.text) else {
            self.unknown_function(call);
            for argument in &call.arguments {
                self.argument(argument, place);
            }
            return Type::Any;
        };
        self.function_place(function, call, place);
        if function.kind == FunctionKind::Metric {
            self.metric(function, call, place);
            return Type::Any;
        }
        if !function.documented {
            let message = format!("`{}` is used by others and documented nowhere", function.name);
            self.report(Diagnostic::new(Code::UndocumentedFunction, call.name.span, message));
        }
        let kinds: Vec<Type> = call.arguments.iter().map(|argument| self.argument(argument, place)).collect();
        self.arity(function, call, whole.span);
        for (position, argument) in call.arguments.iter().enumerate() {
            if let (Some(parameter), Some(&kind)) = (function.parameter(position), kinds.get(position)) {
                self.argument_type(function, parameter, argument, kind);
            }
        }
        self.patterns(function, call);
        function.result(kinds.first().copied().unwrap_or(Type::Any))
    }

    fn argument(&mut self, argument: &'t Argument, place: Place) -> Type {
        if let Some(name) = &argument.name {
            let message = format!("`{}:` names an argument, and only metrics have such", names::shown(&name.text));
            self.report(Diagnostic::new(Code::MetricArguments, name.span, message));
        }
        match argument.value.kind {
            // Units and granularities are written bare here and there.
            ExprKind::Word(_) | ExprKind::Star => Type::Any,
            _ => self.value(&argument.value, place),
        }
    }

    fn unknown_function(&mut self, call: &'t Call) {
        if self.full() {
            return;
        }
        let name = names::shown(&call.name.text);
        let diagnostic =
            Diagnostic::new(Code::UnknownFunction, call.name.span, format!("no documented function is named `{name}`"));
        let near = (call.name.text.len() < 80).then(|| functions::nearest(&call.name.text)).flatten();
        self.report(match near {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        });
    }

    fn function_place(&mut self, function: &Function, call: &'t Call, place: Place) {
        let name = function.name;
        let wrong = |message: String| Diagnostic::new(Code::FunctionPlace, call.name.span, message);
        let diagnostic = match (function.kind, place) {
            (FunctionKind::SearchOnly, _) => wrong(format!("`{name}` stands in searches only, not in rules")),
            (FunctionKind::Metric, Place::Outcome) => return,
            (FunctionKind::Metric, _) => {
                let message = format!("`{name}` stands in outcome only");
                Diagnostic::new(Code::MetricPlace, call.name.span, message)
                    .help("give it to an outcome variable, and compare that in condition")
            }
            (FunctionKind::Aggregate, Place::Events | Place::Filter) => {
                wrong(format!("`{name}` looks over all rows of a detection, and events are read one row at a time"))
                    .help("aggregate in outcome, and compare the outcome variable in condition")
            }
            (FunctionKind::Aggregate, Place::Condition) => {
                warning(Code::FunctionPlace, call.name.span, format!("`{name}` is documented for outcome only"))
                    .help("give it to an outcome variable, and compare that in condition")
            }
            (FunctionKind::Scalar, place) if !fits(function.place, place) => {
                let message = format!("`{name}` is not documented for this section");
                warning(Code::FunctionPlace, call.name.span, message)
            }
            _ => return,
        };
        self.report(diagnostic);
    }

    fn arity(&mut self, function: &Function, call: &'t Call, span: Span) {
        let given = call.arguments.len();
        let (least, most) = (function.required(), function.most());
        if given >= least && most.is_none_or(|most| given <= most) {
            return;
        }
        let wanted = match most {
            None => format!("at least {least}"),
            Some(most) if most == least => least.to_string(),
            Some(most) => format!("{least} to {most}"),
        };
        let noun = if wanted == "1" { "argument" } else { "arguments" };
        let message = format!("`{}` takes {wanted} {noun}, {given} given", function.name);
        self.report(Diagnostic::new(Code::WrongArity, span, message).label(function.signature()));
    }

    fn argument_type(&mut self, function: &Function, parameter: &Parameter, argument: &'t Argument, kind: Type) {
        if parameter.accepts(kind) || parameter.types.contains(&Kind::List) && self.is_repeated(&argument.value) {
            return;
        }
        let wanted: Vec<&str> = parameter.types.iter().map(|kind| kind.name()).collect();
        let message = format!(
            "`{}` takes {} as {}, and this is of type {kind}",
            function.name,
            wanted.join(" or "),
            parameter.name
        );
        let span = argument.value.span;
        let mut diagnostic = if is_certain(parameter, kind) {
            Diagnostic::new(Code::ArgumentType, span, message)
        } else {
            warning(Code::ArgumentType, span, message)
        };
        match kind {
            Type::Timestamp => diagnostic = diagnostic.help("use its `.seconds`"),
            Type::List(_) => diagnostic = diagnostic.help("make it one text: `arrays.join_string(list, \",\")`"),
            _ => {}
        }
        self.report(diagnostic);
    }

    /// The patterns among the arguments, and the groups that a replacement names.
    fn patterns(&mut self, function: &Function, call: &'t Call) {
        let mut groups = None;
        for (position, argument) in call.arguments.iter().enumerate() {
            let Some(parameter) = function.parameter(position) else { continue };
            let text = match &walk::bare(&argument.value).kind {
                // A pattern in slashes was read with the argument's value; only its groups are asked for here.
                ExprKind::Regex(text) | ExprKind::String(text) => text,
                _ => continue,
            };
            let span = argument.value.span;
            match parameter.role {
                Role::Pattern { groups: allowed } => {
                    let in_slashes = matches!(walk::bare(&argument.value).kind, ExprKind::Regex(_));
                    groups = if in_slashes {
                        re2_syntax::read(text).ok().map(|pattern| pattern.groups)
                    } else {
                        self.pattern(text, span)
                    };
                    if let (Some(groups), Some(allowed)) = (groups, allowed)
                        && groups > allowed
                    {
                        let message = format!(
                            "`{}` takes a pattern with at most {allowed} group, and this one has {groups}",
                            function.name
                        );
                        self.report(
                            Diagnostic::new(Code::CaptureGroups, span, message)
                                .help("`(?:..)` groups without capturing"),
                        );
                    }
                }
                Role::Replacement => {
                    if let Some(groups) = groups {
                        self.replacement(text, groups, span);
                    }
                }
                Role::Plain => {}
            }
        }
    }

    fn replacement(&mut self, text: &str, groups: usize, span: Span) {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once('\\') {
            let digit = after.chars().next().and_then(|digit| digit.to_digit(10));
            if let Some(group) = digit.filter(|&group| group as usize > groups) {
                let message = format!("the replacement names group {group}, and the pattern has {groups}");
                self.report(Diagnostic::new(Code::ReplacementGroup, span, message));
                return;
            }
            // What follows a backslash is not one itself.
            let mut characters = after.chars();
            characters.next();
            rest = characters.as_str();
        }
    }

    /// Checks a literal pattern and counts its groups.
    pub(super) fn pattern(&mut self, text: &str, span: Span) -> Option<usize> {
        match re2_syntax::read(text) {
            Ok(pattern) => Some(pattern.groups),
            Err(error) => {
                let message = format!("the pattern is not valid: {}", names::shown(&error.to_string()));
                let diagnostic = Diagnostic::new(Code::InvalidRegex, span, message);
                self.report(match error.help() {
                    Some(help) => diagnostic.help(help),
                    None => diagnostic,
                });
                None
            }
        }
    }
}

fn fits(documented: functions::Place, place: Place) -> bool {
    match place {
        Place::Condition | Place::Filter => true,
        Place::Outcome => true,
        Place::Events => documented == functions::Place::EventsAndOutcome,
    }
}

/// Whether a type that does not fit is certainly wrong: a number for a text, a text for a number. What the pages leave open is
/// not called an error.
fn is_certain(parameter: &Parameter, kind: Type) -> bool {
    let wants = |kind: Kind| parameter.types.contains(&kind);
    match (kind, family(kind)) {
        (Type::Enum(_), _) => false,
        (_, Family::Number) => wants(Kind::String) && !wants(Kind::Number),
        (_, Family::Text) => !wants(Kind::List) && !wants(Kind::Bytes) && !wants(Kind::Bool),
        _ => false,
    }
}
