//! C: windows, joins, conditions.
