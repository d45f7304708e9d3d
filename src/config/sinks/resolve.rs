//! A sink's table made ready for serde: variables put in, files read, unknown keys refused. Spans stay where they are.

use std::{borrow::Cow, collections::BTreeSet, fs, ops::Range};

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    super::{
        interpolate::interpolate,
        problem::{Problem, nearest, unknown},
        read::Environment,
    },
    schema::Place,
};

/// A file with a secret or certificates is never larger.
const LARGEST_FILE: u64 = 1 << 20;

type Entry<'a, 'i> = (&'a Spanned<DeString<'i>>, &'a Spanned<DeValue<'i>>);

/// A table on its way to serde, and what was wrong with it.
pub(super) struct Resolving<'a> {
    pub(super) environment: Environment<'a>,
    pub(super) problems: Vec<Problem>,
    /// Keys whose values could not be filled in: that they are missing then is no news.
    pub(super) left_out: BTreeSet<String>,
}

impl<'a> Resolving<'a> {
    pub(super) const fn new(environment: Environment<'a>) -> Self {
        Self { environment, problems: Vec::new(), left_out: BTreeSet::new() }
    }

    /// The table with its texts and files filled in; whatever was wrong is left out.
    pub(super) fn table<'i>(&mut self, table: &DeTable<'i>, place: Option<Place<'_>>) -> DeTable<'i> {
        let mut resolved = DeTable::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if let Some(filled) = self.read_into(table, (key, value), place) {
                if filled.is_none() {
                    self.left_out.insert(name.trim_end_matches("_file").to_owned());
                }
                resolved.extend(filled);
                continue;
            }
            if place.and_then(Place::keys).is_some_and(|known| !known.contains(&name)) {
                continue;
            }
            let below = place.and_then(|here| here.key(name));
            let is_secret = below.is_some_and(Place::is_secret);
            match self.value(value, below, is_secret) {
                Some(value) => drop(resolved.insert(key.clone(), value)),
                None => drop(self.left_out.insert(name.to_owned())),
            }
        }
        resolved
    }

    /// Notes every key that nobody knows, at any depth.
    pub(super) fn unknown_keys(&mut self, table: &DeTable<'_>, place: Place<'_>) {
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if let Some(known) = place.keys()
                && !known.contains(&name)
            {
                // A mistyped secret is one still; so is what resembles nothing.
                let meant = nearest(name, &known).and_then(|near| place.key(near));
                let may_be_secret = meant.is_none_or(Place::is_secret);
                self.problems.push(unknown(key.span(), "key", name, &known).hiding(may_be_secret));
            } else if let (DeValue::Table(inner), Some(below)) = (value.get_ref(), place.key(name)) {
                self.unknown_keys(inner, below);
            }
        }
    }

    fn value<'i>(
        &mut self,
        value: &Spanned<DeValue<'i>>,
        place: Option<Place<'_>>,
        is_secret: bool,
    ) -> Option<Spanned<DeValue<'i>>> {
        let filled = match value.get_ref() {
            DeValue::String(text) => DeValue::String(Cow::Owned(self.text(text, value.span(), is_secret)?)),
            DeValue::Table(table) => DeValue::Table(self.table(table, place)),
            DeValue::Array(items) => {
                let item = place.and_then(Place::item);
                let is_secret = is_secret || item.is_some_and(Place::is_secret);
                let filled = items.iter().filter_map(|value| self.value(value, item, is_secret)).collect();
                DeValue::Array(filled)
            }
            other => other.clone(),
        };
        Some(Spanned::new(value.span(), filled))
    }

    fn text(&mut self, text: &str, span: Range<usize>, is_secret: bool) -> Option<String> {
        let filled = interpolate(text, self.environment);
        filled.map_err(|message| self.problems.push(Problem::at(span, message).hiding(is_secret))).ok()
    }

    /// `NAME_file` read into `NAME`; `None` when the key is no such thing.
    fn read_into<'i>(
        &mut self,
        table: &DeTable<'i>,
        (key, value): Entry<'_, 'i>,
        place: Option<Place<'_>>,
    ) -> Option<Option<(Spanned<DeString<'i>>, Spanned<DeValue<'i>>)>> {
        let stem = key.get_ref().strip_suffix("_file")?;
        let place = place?;
        if place.keys()?.contains(&key.get_ref().as_ref()) || !place.key(stem)?.is_from_file() {
            return None;
        }
        if table.contains_key(stem) {
            let message = format!("`{stem}` and `{key}` are both given, expected one of them", key = key.get_ref());
            self.problems.push(Problem::at(key.span(), message));
            return Some(None);
        }
        let DeValue::String(path) = value.get_ref() else {
            let message = format!("{}: expected a path, found {}", key.get_ref(), value.get_ref().type_str());
            self.problems.push(Problem::at(value.span(), message));
            return Some(None);
        };
        let path = self.text(path, value.span(), false);
        Some(path.and_then(|path| match read(&path) {
            Ok(text) => {
                let name = Spanned::new(key.span(), Cow::Owned(stem.to_owned()));
                Some((name, Spanned::new(value.span(), DeValue::String(Cow::Owned(text)))))
            }
            Err(reason) => {
                let message = format!("{}: cannot read `{}`: {reason}", key.get_ref(), path.escape_debug());
                self.problems.push(Problem::at(value.span(), message));
                None
            }
        }))
    }
}

/// The text of a file, without the line feed that editors put at the end.
fn read(path: &str) -> Result<String, String> {
    let told = |error: std::io::Error| error.to_string();
    let size = fs::metadata(path).map_err(told)?.len();
    if size > LARGEST_FILE {
        return Err(format!("it has {size} bytes, expected at most {LARGEST_FILE}"));
    }
    let text = fs::read_to_string(path).map_err(told)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
