//! `{"logs": [...]}` into a log: each element becomes one line, so that whatever is said about line 7 is about record 7.
//!
//! Elements are written out as they are read, so a document that is larger than memory may come. A line feed within a
//! record becomes a space: in JSON it means the same, and in a text it keeps the record whole. A text among objects becomes
//! the message of an object, because a log has one format.

use std::{
    fmt,
    fs::File,
    io::{self, BufReader, BufWriter, Write},
};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use tempfile::NamedTempFile;

use super::{
    body::Taken,
    extract::json_problem,
    problem::{Place, Problem},
};

/// The log that a document of records stands for, where the document is: in memory, or in a file.
pub(super) fn lines(document: Taken) -> Result<Taken, Problem> {
    let failed = |error: io::Error| Problem::unexpected(&error);
    match document {
        Taken::Memory(bytes) => {
            let mut log = Vec::with_capacity(bytes.len());
            write(serde_json::Deserializer::from_slice(&bytes), &mut log)?;
            Ok(Taken::Memory(log))
        }
        Taken::Spooled(path) => {
            let (file, log) = NamedTempFile::new().map_err(failed)?.into_parts();
            let mut file = BufWriter::new(file);
            let document = BufReader::new(File::open(&path).map_err(failed)?);
            write(serde_json::Deserializer::from_reader(document), &mut file)?;
            file.flush().map_err(failed)?;
            Ok(Taken::Spooled(log))
        }
    }
}

fn write<'de, R: serde_json::de::Read<'de>>(
    mut deserializer: serde_json::Deserializer<R>,
    log: &mut dyn Write,
) -> Result<(), Problem> {
    let mut writing = Writing { log, place: String::new(), has_objects: false, failed: None };
    let read = Document(&mut writing).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (writing.failed, read) {
        (Some(error), _) => Err(Problem::unexpected(&error)),
        (None, Err(error)) => Err(json_problem(&writing.place, &error)),
        (None, Ok(())) => Ok(()),
    }
}

struct Writing<'a> {
    log: &'a mut dyn Write,
    /// Where the document is read, as a JSON pointer.
    place: String,
    /// Whether one of the records was an object.
    has_objects: bool,
    failed: Option<io::Error>,
}

impl Writing<'_> {
    fn record<E: Error>(&mut self, record: &RawValue) -> Result<(), E> {
        let text = record.get();
        let line = match text.as_bytes().first() {
            Some(b'{') => {
                self.has_objects = true;
                on_one_line(text)
            }
            Some(b'"') => {
                let text: String = serde_json::from_str(text).map_err(|_| E::custom("expected a text of Unicode"))?;
                let is_event = !self.has_objects || text.trim_start().starts_with('{');
                if is_event { on_one_line(&text) } else { serde_json::json!({ "message": text }).to_string() }
            }
            _ => return Err(E::custom("expected a record: an object or a string")),
        };
        self.log.write_all(line.as_bytes()).and_then(|()| self.log.write_all(b"\n")).map_err(|error| {
            self.failed = Some(error);
            E::custom("the log can't be written")
        })
    }
}

fn on_one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

struct Document<'a, 'b>(&'a mut Writing<'b>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
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
            map.next_value_seed(Records(self.0))?;
            self.0.place.clear();
        }
        if is_there { Ok(()) } else { Err(A::Error::missing_field("logs")) }
    }
}

struct Records<'a, 'b>(&'a mut Writing<'b>);

impl<'de> DeserializeSeed<'de> for Records<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Records<'_, '_> {
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
    use super::*;

    fn log(document: &str) -> Result<String, Problem> {
        let in_memory = lines(Taken::Memory(document.as_bytes().to_vec()));
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(document.as_bytes()).unwrap();
        let spooled = lines(Taken::Spooled(file.into_temp_path()));
        match (in_memory, spooled) {
            (Ok(Taken::Memory(log)), Ok(Taken::Spooled(path))) => {
                assert_eq!(std::fs::read(path).unwrap(), log);
                Ok(String::from_utf8(log).unwrap())
            }
            (Err(one), Err(other)) => {
                assert_eq!(one, other);
                Err(one)
            }
            (one, other) => panic!("{one:?} and {other:?}"),
        }
    }

    #[test]
    fn every_record_is_one_line() {
        let document = "{\"logs\": [ {\n\"user\": \"ada\\n\"\r\n}, \"a raw\\nline\", \"\" ]}";
        assert_eq!(
            log(document).unwrap(),
            "{ \"user\": \"ada\\n\"  }\n{\"message\":\"a raw\\nline\"}\n{\"message\":\"\"}\n"
        );
        let texts = r#"{"logs": ["a raw\nline", "", "{\"user\":\n\"ada\"}"]}"#;
        assert_eq!(log(texts).unwrap(), "a raw line\n\n{\"user\": \"ada\"}\n");
        assert_eq!(log(r#"{"logs": []}"#).unwrap(), "");
    }

    #[test]
    fn what_is_no_record_is_told_with_its_place() {
        let wrong = |document: &str| {
            let problem = log(document).unwrap_err();
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
