//! The look-ups of a rule in lists and columns, made ready once for a run.

use super::{
    input::{Dataset, EvalError},
    program::Lookup,
    value::Value,
};
use crate::lists::Members;

/// A list ready for look-ups.
#[derive(Debug)]
pub(super) struct Prepared(Members);

impl Prepared {
    /// Prepares a look-up.
    pub(super) fn of(lookup: &Lookup, data: &Dataset) -> Result<Self, EvalError> {
        let missing = || EvalError::MissingList(lookup.list.clone());
        let members = if let Some(column) = &lookup.column {
            let table = data.tables.get(&lookup.list).ok_or_else(missing)?;
            let absent = || EvalError::MissingColumn { table: lookup.list.clone(), column: column.clone() };
            let at = table.column(column).ok_or_else(absent)?;
            Members::of_column(table, at, lookup.form, lookup.nocase)
        } else {
            let list = data.lists.get(&lookup.list).ok_or_else(missing)?;
            Members::of_list(list, lookup.form, lookup.nocase)
        };
        let bad = |problem: String| EvalError::BadList { list: lookup.list.clone(), problem };
        members.map(Self).map_err(|error| bad(error.to_string()))
    }

    /// Whether a value is in the list.
    ///
    /// # Errors
    /// A value that should be an address and is none.
    pub(super) fn has(&self, needle: &Value) -> Result<bool, String> {
        self.0.has(needle).map_err(|error| error.to_string())
    }
}
