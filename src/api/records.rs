//! `{"logs": [...]}` into records. Elements are handed on as they are read, so a document that is larger than memory may come.

use std::{
    fmt,
    fs::File,
    io::{self, BufReader},
};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    body::Taken,
    extract::json_problem,
    problem::{Place, Problem},
};
use crate::app::{AppError, Records};

/// The records of a document, where the document is: in memory, or in a file.
pub(super) fn records(document: Taken) -> Result<Records, Problem> {
    match document {
        Taken::Memory(bytes) => read(serde_json::Deserializer::from_slice(&bytes)),
        Taken::Spooled(path) => {
            let document = File::open(&path).map_err(|error: io::Error| Problem::unexpected(&error))?;
            read(serde_json::Deserializer::from_reader(BufReader::new(document)))
        }
    }
}

fn read<'de, R: serde_json::de::Read<'de>>(mut deserializer: serde_json::Deserializer<R>) -> Result<Records, Problem> {
    let mut reading = Reading { records: Records::default(), place: String::new(), failed: None };
    let read = Document(&mut reading).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (reading.failed, read) {
        (Some(error), _) => Err(Problem::of(&error)),
        (None, Err(error)) => Err(json_problem(&reading.place, &error)),
        (None, Ok(())) => Ok(reading.records),
    }
}

struct Reading {
    records: Records,
    /// Where the document is read, as a JSON pointer.
    place: String,
    failed: Option<AppError>,
}

impl Reading {
    fn record<E: Error>(&mut self, record: &RawValue) -> Result<(), E> {
        let json = record.get();
        let pushed = match json.as_bytes().first() {
            Some(b'{') => self.records.push_object(json),
            Some(b'"') => {
                let text: String = serde_json::from_str(json).map_err(|_| E::custom("expected a text of Unicode"))?;
                self.records.push_text(&text)
            }
            _ => return Err(E::custom("expected a record: an object or a string")),
        };
        pushed.map_err(|error| {
            self.failed = Some(error);
            E::custom("the records can't be kept")
        })
    }
}

struct Document<'a>(&'a mut Reading);

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `logs`, a list of records")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut is_there = false;
        while let Some(key) = map.next_key::<String>()? {
            self.0.place = Place::pointer_to(&key);
            if key != "logs" {
                return Err(A::Error::custom("unknown member, expected `logs`"));
            }
            if std::mem::replace(&mut is_there, true) {
                return Err(A::Error::duplicate_field("logs"));
            }
            map.next_value_seed(Elements(self.0))?;
            self.0.place.clear();
        }
        if is_there { Ok(()) } else { Err(A::Error::missing_field("logs")) }
    }
}

struct Elements<'a>(&'a mut Reading);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
        let mut number = 0_usize;
        // Boxed: from a file nothing can be borrowed.
        while let Some(record) = records.next_element::<Box<RawValue>>()? {
            self.0.place = format!("/logs/{number}");
            self.0.record(&record)?;
            number += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// The problem of a document, in memory and in a file.
    fn problem(document: &str) -> Problem {
        let in_memory = records(Taken::Memory(document.as_bytes().to_vec())).unwrap_err();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(document.as_bytes()).unwrap();
        assert_eq!(records(Taken::Spooled(file.into_temp_path())).unwrap_err(), in_memory);
        in_memory
    }

    #[test]
    fn what_is_no_record_is_told_with_its_place() {
        let wrong = |document: &str| {
            let problem = problem(document);
            (problem.status, problem.errors.first().and_then(|place| place.pointer.clone()))
        };
        let at = |pointer: &str| (422, Some(pointer.to_owned()));
        assert_eq!(wrong(r#"{"logs": ["a", 7]}"#), at("/logs/1"));
        assert_eq!(wrong(r#"{"logs": ["\ud800"]}"#), at("/logs/0"));
        assert_eq!(wrong(r#"{"logs": "a"}"#), at("/logs"));
        assert_eq!(wrong(r#"{"logs": [], "more/so": 1}"#), at("/more~1so"));
        assert_eq!(wrong(r#"{"logs": [], "logs": []}"#), at("/logs"));
        assert_eq!(wrong("{}"), at(""));
        assert_eq!(wrong("[]"), at(""));
        assert_eq!(wrong(r#"{"logs": ["a""#), (400, None));
        assert_eq!(wrong(r#"{"logs": []} x"#), (400, None));
    }
}
