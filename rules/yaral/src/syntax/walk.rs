//! Ways through an expression. The depth of a tree is bounded by the parser, so this may recurse.

use super::tree::{Call, Compare, Expr, ExprKind, If, In, NOf};

/// Shows each direct part of an expression.
pub(crate) fn parts<'t>(expr: &'t Expr, each: &mut dyn FnMut(&'t Expr)) {
    match &expr.kind {
        ExprKind::String(_)
        | ExprKind::Regex(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Bool(_)
        | ExprKind::Duration(_)
        | ExprKind::Word(_)
        | ExprKind::Star
        | ExprKind::Field(_)
        | ExprKind::Variable(_)
        | ExprKind::Count(_)
        | ExprKind::Column(_)
        | ExprKind::Absent(_)
        | ExprKind::Error => {}
        ExprKind::Call(Call { arguments, .. }) => arguments.iter().for_each(|argument| each(&argument.value)),
        ExprKind::If(choice) => {
            let If { condition, then, otherwise } = &**choice;
            each(condition);
            each(then);
            otherwise.iter().for_each(each);
        }
        ExprKind::Quantified(_, inner) | ExprKind::Not(inner) | ExprKind::Group(inner) => each(inner),
        ExprKind::IsNull { operand, .. } => each(operand),
        ExprKind::Arithmetic(_, left, right) => {
            each(left);
            each(right);
        }
        ExprKind::Compare(compare) => {
            let Compare { left, right, .. } = &**compare;
            each(left);
            each(right);
        }
        ExprKind::In(membership) => {
            let In { needle, .. } = &**membership;
            each(needle);
        }
        ExprKind::And(operands) | ExprKind::Or(operands) | ExprKind::NOf(NOf { entries: operands, .. }) => {
            operands.iter().for_each(each);
        }
    }
}

/// Shows an expression and everything in it, from the outside in.
pub(crate) fn visit<'t>(expr: &'t Expr, visitor: &mut dyn FnMut(&'t Expr)) {
    visitor(expr);
    parts(expr, &mut |part| visit(part, visitor));
}
