//! Which variables the condition forces to exist, which it lets be absent, and which it joins by `or`.

use super::{Compiler, bare};
use crate::{
    eval::program::{CompileError, Presence, Source},
    source::Span,
    syntax::tree::{CompareOp, Expr, ExprKind, NOf, Needed},
};

/// What is said of one event or placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Absent,
    Alternative,
    Required,
}

impl Compiler {
    pub(super) fn presence(&mut self, condition: &Expr, rule: Span) -> Result<(), CompileError> {
        let mut said = Vec::new();
        atoms(condition, false, &mut said);
        for (at, variable) in self.variables.iter_mut().enumerate() {
            if matches!(variable.source, Source::Table(_)) {
                continue;
            }
            let about = |name: &str| {
                let placeholder = self.placeholder_names.get(name).map(|&one| &self.placeholders[one]);
                // A placeholder that is bound by two variables, with `#placeholder = 0`, is zero as soon as either is
                // absent; that is why the strongest word about a variable counts and not the last.
                name == variable.name || placeholder.is_some_and(|one| one.bound_by.contains(&at))
            };
            let strongest = said.iter().filter(|(name, _)| about(name)).map(|(_, said)| *said).max();
            variable.presence = match strongest {
                Some(Said::Absent) => Presence::Absent,
                Some(Said::Alternative) => Presence::Alternative,
                Some(Said::Required) | None => Presence::Required,
            };
        }
        let exists = self
            .variables
            .iter()
            .any(|variable| variable.presence != Presence::Absent && matches!(variable.source, Source::Records(_)));
        if exists { Ok(()) } else { Err(CompileError::unsound("no event has to exist", rule)) }
    }
}

fn atoms<'a>(expr: &'a Expr, under_or: bool, said: &mut Vec<(&'a str, Said)>) {
    let exists = if under_or { Said::Alternative } else { Said::Required };
    match &bare(expr).kind {
        ExprKind::And(parts) => parts.iter().for_each(|part| atoms(part, under_or, said)),
        ExprKind::Or(parts) => parts.iter().for_each(|part| atoms(part, true, said)),
        ExprKind::NOf(NOf { needed, entries }) => {
            let all = match needed {
                Needed::All => true,
                Needed::Any => entries.len() == 1,
                Needed::AtLeast(number) => *number >= entries.len() as u64,
            };
            entries.iter().for_each(|entry| atoms(entry, under_or || !all, said));
        }
        ExprKind::Variable(name) => said.push((name, exists)),
        ExprKind::Absent(name) => said.push((&name.text, Said::Absent)),
        ExprKind::Compare(compare) => {
            let (name, op, number) = match (&bare(&compare.left).kind, &bare(&compare.right).kind) {
                (ExprKind::Count(name) | ExprKind::Variable(name), ExprKind::Int(number)) => {
                    (name, compare.op, *number)
                }
                (ExprKind::Int(number), ExprKind::Count(name) | ExprKind::Variable(name)) => {
                    (name, mirrored(compare.op), *number)
                }
                _ => return,
            };
            let forces = match op {
                CompareOp::Equal => number > 0,
                CompareOp::Greater => number >= 0,
                CompareOp::GreaterOrEqual => number > 0,
                CompareOp::NotEqual | CompareOp::Less | CompareOp::LessOrEqual => false,
            };
            said.push((name, if forces { exists } else { Said::Absent }));
        }
        _ => {}
    }
}

/// The comparison as it reads from the other side.
fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Less => CompareOp::Greater,
        CompareOp::LessOrEqual => CompareOp::GreaterOrEqual,
        CompareOp::Greater => CompareOp::Less,
        CompareOp::GreaterOrEqual => CompareOp::LessOrEqual,
        same => same,
    }
}
