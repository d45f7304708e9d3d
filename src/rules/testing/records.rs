//! The records of a case: JSON, names and files with changes, made into the JSON that a rule is run over.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::file::{Changed, Lines, Records, Several};

/// A name that stands for names that stand for names ends here, a circle above all.
const DEEPEST: usize = 16;
/// Most records of one case: more is no test, and `times` is quickly written.
const MOST: usize = 100_000;
/// Longest file that is read.
const LONGEST_FILE: u64 = 64 << 20;

/// Where records are looked for.
pub(super) struct Shelf<'a> {
    /// `[records]`.
    pub(super) named: &'a BTreeMap<String, Records>,
    /// The folder of the test file.
    pub(super) folder: &'a Path,
    /// From when `at` counts.
    pub(super) start: Timestamp,
}

/// What kind of record it is: that says where its time stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Event,
    Entity,
    Detection,
}

impl Kind {
    fn time_path(self) -> &'static str {
        match self {
            Self::Event => "metadata.event_timestamp",
            Self::Entity => "metadata.interval.start_time",
            Self::Detection => "detection_time",
        }
    }

    fn wrappers(self) -> &'static [&'static str] {
        match self {
            Self::Event => &["udm"],
            Self::Entity => &["graph"],
            Self::Detection => &["collection"],
        }
    }
}

impl Shelf<'_> {
    /// The records that the entries name, in their order.
    pub(super) fn take(&self, several: &Several, kind: Kind) -> Result<Vec<Value>, String> {
        let mut taken = Vec::new();
        for entry in several.entries() {
            taken.extend(self.entry(entry, kind, 0)?);
            if taken.len() > MOST {
                return Err(format!("more than {MOST} records in one case"));
            }
        }
        Ok(taken)
    }

    fn entry(&self, entry: &Records, kind: Kind, depth: usize) -> Result<Vec<Value>, String> {
        match entry {
            Records::Text(text) => self.text(text, kind, depth),
            Records::Changed(changed) => self.changed(changed, kind, depth),
        }
    }

    fn text(&self, text: &str, kind: Kind, depth: usize) -> Result<Vec<Value>, String> {
        if depth > DEEPEST {
            return Err(format!("`{}` leads to itself, or over more than {DEEPEST} names", shown(text)));
        }
        if text.trim_start().starts_with(['{', '[']) {
            return values(text);
        }
        if let Some(entry) = self.named.get(text) {
            return self.entry(entry, kind, depth + 1);
        }
        let (file, line) = match text.rsplit_once(':') {
            Some((file, line)) if line.bytes().all(|byte| byte.is_ascii_digit()) && !line.is_empty() => {
                (file, Some(line.parse::<usize>().map_err(|error| format!("`{}`: {error}", shown(text)))?))
            }
            _ => (text, None),
        };
        let path = self.folder.join(file);
        if !path.is_file() {
            let known: Vec<&str> = self.named.keys().map(String::as_str).collect();
            let known =
                if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
            return Err(format!(
                "`{}` is no JSON, no name in [records] ({known}), and no file beside the test",
                shown(text)
            ));
        }
        let text = read(&path)?;
        let told = |error: String| format!("{}: {error}", path.display());
        match line {
            None => values(&text).map_err(told),
            Some(line) => {
                let wanted =
                    text.lines().nth(line.wrapping_sub(1)).ok_or_else(|| told(format!("has no line {line}")))?;
                values(wanted).map_err(told)
            }
        }
    }

    fn changed(&self, changed: &Changed, kind: Kind, depth: usize) -> Result<Vec<Value>, String> {
        let mut values = self.text(&changed.base, kind, depth)?;
        let at = changed.at.as_deref().map(|at| self.moment(at)).transpose()?;
        for value in &mut values {
            let record = unwrapped(value, kind);
            for (path, new) in &changed.set {
                let new = serde_json::to_value(new).map_err(|error| format!("set `{}`: {error}", shown(path)))?;
                set(record, path, new)?;
            }
            for path in &changed.remove {
                remove(record, path);
            }
            if let Some(at) = at {
                set(record, kind.time_path(), Value::from(at.to_string()))?;
            }
        }
        let every = changed.every.as_deref().map_or(Ok(SignedDuration::ZERO), duration)?;
        let times = changed.times.unwrap_or(1);
        if values.len().saturating_mul(times) > MOST {
            return Err(format!("more than {MOST} records in one case"));
        }
        let mut repeated = Vec::with_capacity(values.len() * times);
        for turn in 0..times {
            let later = every.checked_mul(i32::try_from(turn).unwrap_or(i32::MAX)).unwrap_or(SignedDuration::MAX);
            for value in &values {
                let mut value = value.clone();
                if turn > 0 {
                    shift(unwrapped(&mut value, kind), kind, later)?;
                }
                repeated.push(value);
            }
        }
        Ok(repeated)
    }

    fn moment(&self, text: &str) -> Result<Timestamp, String> {
        if let Ok(time) = text.parse() {
            return Ok(time);
        }
        let after = duration(text).map_err(|_| {
            format!(
                "at `{}`: expected a time such as 2026-01-15T03:00:00Z, or how long after the start: 10m",
                shown(text)
            )
        })?;
        self.start.checked_add(after).map_err(|error| format!("at `{}`: {error}", shown(text)))
    }
}

/// The lines of a list or a table.
pub(super) fn lines(lines: &Lines, folder: &Path) -> Result<Vec<String>, String> {
    match lines {
        Lines::Here(lines) => Ok(lines.clone()),
        Lines::File(file) => Ok(read(&folder.join(file))?.lines().map(str::to_owned).collect()),
    }
}

fn read(path: &PathBuf) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?.len();
    if length > LONGEST_FILE {
        return Err(format!("{}: {length} bytes, expected at most {LONGEST_FILE}", path.display()));
    }
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn values(text: &str) -> Result<Vec<Value>, String> {
    watchbell_udm::lint::events(text)
        .map(|event| event.map(|(_, value)| value).map_err(|broken| format!("no JSON: {broken}")))
        .collect()
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    text.parse().map_err(|_| format!("`{}`: expected a length of time such as 90s, 10m, 1h 30m", shown(text)))
}

fn unwrapped(value: &mut Value, kind: Kind) -> &mut Value {
    let wrapper = kind.wrappers().iter().find(|&&name| value.get(name).is_some_and(Value::is_object));
    match wrapper {
        Some(&name) => &mut value[name],
        None => value,
    }
}

fn shift(record: &mut Value, kind: Kind, later: SignedDuration) -> Result<(), String> {
    let pointer = format!("/{}", kind.time_path().replace('.', "/"));
    let Some(time) = record.pointer(&pointer).and_then(Value::as_str).and_then(|time| time.parse::<Timestamp>().ok())
    else {
        return Err(format!("`every` needs a time at {}; give it with `at`", kind.time_path()));
    };
    let time = time.checked_add(later).map_err(|error| format!("every: {error}"))?;
    set(record, kind.time_path(), Value::from(time.to_string()))
}

/// Puts a value at a path: names of fields, positions in lists, and keys of lists of labels.
fn set(record: &mut Value, path: &str, new: Value) -> Result<(), String> {
    let mut place = record;
    for segment in path.split('.') {
        place =
            step(place, segment).ok_or_else(|| format!("set `{}`: nothing has `{}`", shown(path), shown(segment)))?;
    }
    *place = new;
    Ok(())
}

fn step<'a>(place: &'a mut Value, segment: &str) -> Option<&'a mut Value> {
    if place.is_null() {
        *place = if segment == "0" { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    match place {
        Value::Object(fields) => Some(fields.entry(segment.to_owned()).or_insert(Value::Null)),
        Value::Array(items) => match segment.parse::<usize>() {
            Ok(position) => {
                // One further than the last makes a new item.
                if position == items.len() {
                    items.push(Value::Null);
                }
                items.get_mut(position)
            }
            Err(_) => label(items, segment),
        },
        _ => None,
    }
}

/// The value of a label in a list of them, made where there is none.
fn label<'a>(items: &'a mut Vec<Value>, key: &str) -> Option<&'a mut Value> {
    let is_labels = items.iter().all(|item| item.get("key").is_some_and(Value::is_string));
    if !is_labels {
        return None;
    }
    let position = items.iter().position(|item| item["key"] == key).unwrap_or_else(|| {
        items.push(serde_json::json!({ "key": key, "value": null }));
        items.len() - 1
    });
    items.get_mut(position)?.as_object_mut().map(|label| label.entry("value").or_insert(Value::Null))
}

fn remove(record: &mut Value, path: &str) {
    let (parent, last) = path.rsplit_once('.').map_or((None, path), |(parent, last)| (Some(parent), last));
    let pointer = parent.map_or_else(String::new, |parent| format!("/{}", parent.replace('.', "/")));
    match record.pointer_mut(&pointer) {
        Some(Value::Object(fields)) => drop(fields.shift_remove(last)),
        Some(Value::Array(items)) => match last.parse::<usize>() {
            Ok(position) if position < items.len() => drop(items.remove(position)),
            Ok(_) => {}
            Err(_) => items.retain(|item| item.get("key").and_then(Value::as_str) != Some(last)),
        },
        _ => {}
    }
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    short.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(named: &BTreeMap<String, Records>) -> Shelf<'_> {
        Shelf { named, folder: Path::new("."), start: "2026-01-01T00:00:00Z".parse().unwrap() }
    }

    fn changed(base: &str, change: impl FnOnce(&mut Changed)) -> Several {
        let mut changed = Changed {
            base: base.to_owned(),
            set: toml::Table::new(),
            remove: Vec::new(),
            at: None,
            times: None,
            every: None,
        };
        change(&mut changed);
        Several::One(Records::Changed(Box::new(changed)))
    }

    const EVENT: &str = r#"{"udm":{"metadata":{"event_timestamp":"2026-01-15T00:00:00Z"},"principal":{"ip":["192.0.2.1"]},
        "security_result":[{"detection_fields":[{"key":"entity","value":"alice"}]}]}}"#;

    #[test]
    fn changes_reach_fields_items_and_labels() {
        let named = BTreeMap::new();
        let several = changed(EVENT, |it| {
            it.set = toml::from_str(
                "\"principal.ip.1\" = \"192.0.2.9\"\n\"target.user.userid\" = \"bob\"\n\
                 \"security_result.0.detection_fields.entity\" = \"bob\"\n\
                 \"security_result.0.detection_fields.new\" = \"x\"\n",
            )
            .unwrap();
            it.remove = vec!["principal.ip.0".to_owned()];
            it.at = Some("10m".to_owned());
        });
        let taken = shelf(&named).take(&several, Kind::Event).unwrap();
        let event = taken[0].get("udm").unwrap_or(&taken[0]);
        assert_eq!(event["principal"]["ip"], serde_json::json!(["192.0.2.9"]));
        assert_eq!(event["target"]["user"]["userid"], "bob");
        assert_eq!(event["metadata"]["event_timestamp"], "2026-01-01T00:10:00Z");
        let fields = &event["security_result"][0]["detection_fields"];
        assert_eq!(*fields, serde_json::json!([{ "key": "entity", "value": "bob" }, { "key": "new", "value": "x" }]));
    }

    #[test]
    fn records_are_repeated_with_distances() {
        let named = BTreeMap::new();
        let several = changed(EVENT, |it| (it.times, it.every) = (Some(3), Some("1m 30s".to_owned())));
        let taken = shelf(&named).take(&several, Kind::Event).unwrap();
        let times: Vec<&str> = taken
            .iter()
            .filter_map(|event| event.get("udm").unwrap_or(event)["metadata"]["event_timestamp"].as_str())
            .collect();
        assert_eq!(times, ["2026-01-15T00:00:00Z", "2026-01-15T00:01:30Z", "2026-01-15T00:03:00Z"]);
    }

    #[test]
    fn circles_and_unknown_names_are_told() {
        let named = BTreeMap::from([("a".to_owned(), Records::Text("a".to_owned()))]);
        let told = |text: &str| {
            let several = Several::One(Records::Text(text.to_owned()));
            shelf(&named).take(&several, Kind::Event).unwrap_err()
        };
        assert!(told("a").contains("leads to itself"), "{}", told("a"));
        assert!(told("b").contains("no name in [records] (it has a)"), "{}", told("b"));
        let many = changed(EVENT, |it| it.times = Some(usize::MAX));
        assert!(shelf(&named).take(&many, Kind::Event).unwrap_err().contains("more than"));
    }
}
