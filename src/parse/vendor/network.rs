//! stub
use super::super::draft::Draft;
use super::Notes;
pub(super) fn derive(_n: &Notes, _d: &mut Draft) {}
