//! Walks over expressions. Recursion is safe: the parser bounds the depth of every tree.

use crate::syntax::tree::{Expr, ExprKind, Field};
pub(super) use crate::syntax::walk::{parts, visit};

/// The fields in an expression.
pub(super) fn fields(expr: &Expr) -> Vec<&Field> {
    let mut found = Vec::new();
    visit(expr, &mut |part| {
        if let ExprKind::Field(field) = &part.kind {
            found.push(field);
        }
    });
    found
}

/// The variables in an expression that have no path.
pub(super) fn variables(expr: &Expr) -> Vec<&str> {
    let mut found = Vec::new();
    visit(expr, &mut |part| {
        if let ExprKind::Variable(name) = &part.kind {
            found.push(name.as_str());
        }
    });
    found
}

/// Whether something in it could not be read.
pub(super) fn has_error(expr: &Expr) -> bool {
    let mut found = false;
    visit(expr, &mut |part| found |= part.kind == ExprKind::Error);
    found
}

/// The expression without the parentheses around it.
pub(super) fn bare(mut expr: &Expr) -> &Expr {
    while let ExprKind::Group(inner) = &expr.kind {
        expr = inner;
    }
    expr
}

/// Whether it is a text, pattern, number or truth value, or arithmetic of nothing but them.
pub(super) fn is_literal(expr: &Expr) -> bool {
    match &bare(expr).kind {
        ExprKind::String(_) | ExprKind::Regex(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_) => true,
        ExprKind::Arithmetic(_, left, right) => is_literal(left) && is_literal(right),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{source::Span, syntax::tree::ArithmeticOp};

    fn expr(kind: ExprKind) -> Expr {
        Expr { kind, span: Span::default() }
    }

    #[test]
    fn walks_reach_everything() {
        let sum = expr(ExprKind::Arithmetic(
            ArithmeticOp::Add,
            Box::new(expr(ExprKind::Variable("a".to_owned()))),
            Box::new(expr(ExprKind::Group(Box::new(expr(ExprKind::Variable("b".to_owned())))))),
        ));
        let all = expr(ExprKind::And(vec![expr(ExprKind::Not(Box::new(sum))), expr(ExprKind::Error)]));
        assert_eq!(variables(&all), ["a", "b"]);
        assert!(has_error(&all));
    }

    #[test]
    fn literals_are_seen_through_parentheses() {
        let one = || Box::new(expr(ExprKind::Group(Box::new(expr(ExprKind::Int(1))))));
        assert!(is_literal(&expr(ExprKind::Arithmetic(ArithmeticOp::Divide, one(), one()))));
        assert!(!is_literal(&expr(ExprKind::Variable("a".to_owned()))));
    }
}
