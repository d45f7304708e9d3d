//! A sink written into the configuration file: comments stay, secrets go into files of their own, and nothing is written
//! that would not be read.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use toml_edit::{DocumentMut, Item, Table, Value};

use super::{AppError, variable};
use crate::{
    config::{self, SinkOption, sink_options},
    registry,
};

/// A sink as the user wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSink {
    /// Its name.
    pub name: String,
    /// Its type; `None` when it is there already.
    pub kind: Option<String>,
    /// Options by their (dotted) keys. Text options as plain text, the others as TOML.
    pub options: Vec<(String, String)>,
}

/// What became of the file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WrittenSink {
    /// The configuration file.
    pub file: PathBuf,
    /// `created`, `changed` or `present` (it was so already).
    pub outcome: &'static str,
    /// Files with secrets that were written.
    pub secrets: Vec<PathBuf>,
}

/// The types of sinks in this build.
#[must_use]
pub fn sink_types() -> Vec<&'static str> {
    registry::kinds().iter().map(|kind| kind.name).collect()
}

/// What a type of sink wants to know.
///
/// # Errors
/// There is no such type.
pub fn options_of(kind: &str) -> Result<Vec<SinkOption>, AppError> {
    registry::kind(kind).map(sink_options).map_err(|error| AppError::Setup(error.to_string()))
}

/// The type of a sink that the file already has.
#[must_use]
pub fn type_in_file(file: &Path, name: &str) -> Option<String> {
    let document: DocumentMut = fs::read_to_string(file).ok()?.parse().ok()?;
    document.get("sinks")?.get(name)?.get("type")?.as_str().map(str::to_owned)
}

/// Writes a sink into the file, over what is there under its keys.
///
/// # Errors
/// When the result would not be a right configuration (then nothing is written), or can't be written.
pub fn write_sink(file: &Path, new: &NewSink) -> Result<WrittenSink, AppError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| AppError::Write { path, source }
    };
    let before = match fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(file)(error)),
    };
    let mut document: DocumentMut =
        before.as_deref().unwrap_or_default().parse().map_err(|error: toml_edit::TomlError| {
            AppError::Setup(format!("{}: {}", file.display(), error.message()))
        })?;
    let kind = new.kind.clone().or_else(|| type_in_file(file, &new.name));
    let kind = kind.ok_or_else(|| AppError::Setup(format!("the sink `{}` is new and needs a type", new.name)))?;
    let known = options_of(&kind)?;
    let mut secrets = Vec::new();
    let table = table_of(&mut document, &new.name)?;
    set(table, "type", Value::from(kind.as_str()));
    for (key, text) in &new.options {
        let option = known.iter().find(|option| option.key == *key);
        let (key, value) = match option {
            Some(option) if option.is_secret && option.is_from_file && !text.contains("${") => {
                let path = secret_file(file, &new.name, key);
                let shown = path.to_string_lossy().into_owned();
                secrets.push((path, text.clone()));
                table.remove(key);
                (format!("{key}_file"), Value::from(shown))
            }
            Some(option) if option.is_text => (key.clone(), Value::from(text.as_str())),
            _ => (key.clone(), text.parse().unwrap_or_else(|_| Value::from(text.as_str()))),
        };
        set_dotted(table, &key, value);
    }
    let text = document.to_string();
    let kept = keep_secrets(&secrets)?;
    if let Err(error) = config::check(file, text.clone(), &variable) {
        for path in &kept {
            // What was just made for a sink that does not come to be.
            let _ = fs::remove_file(path);
        }
        return Err(error.into());
    }
    let outcome = match &before {
        Some(before) if *before == text => "present",
        Some(_) => "changed",
        None => "created",
    };
    if outcome != "present" {
        write_private(file, text.as_bytes())?;
    }
    Ok(WrittenSink { file: file.to_owned(), outcome, secrets: kept })
}

fn table_of<'a>(document: &'a mut DocumentMut, name: &str) -> Result<&'a mut Table, AppError> {
    let wrong = || AppError::Setup("`sinks` in the file is no table".to_owned());
    let sinks = document.entry("sinks").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let sinks = sinks.as_table_mut().ok_or_else(wrong)?;
    sinks.entry(name).or_insert_with(|| Item::Table(Table::new())).as_table_mut().ok_or_else(wrong)
}

/// Sets a value and keeps the comment behind the one that was there.
fn set(table: &mut Table, key: &str, mut value: Value) {
    if let Some(Item::Value(before)) = table.get(key) {
        *value.decor_mut() = before.decor().clone();
    }
    table.insert(key, Item::Value(value));
}

fn set_dotted(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => set(table, key, value),
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| toml_edit::value(toml_edit::InlineTable::new()));
            if let Some(inner) = inner.as_table_like_mut() {
                inner.insert(rest, Item::Value(value));
            }
        }
    }
}

fn secret_file(config: &Path, sink: &str, key: &str) -> PathBuf {
    config.parent().unwrap_or(Path::new("")).join("secrets").join(format!("{sink}.{key}"))
}

/// Writes secrets; what is there already is left. Gives the paths of those that are new.
fn keep_secrets(secrets: &[(PathBuf, String)]) -> Result<Vec<PathBuf>, AppError> {
    let mut kept = Vec::new();
    for (path, secret) in secrets {
        if fs::read_to_string(path).is_ok_and(|there| there.trim_end() == secret) {
            continue;
        }
        write_private(path, format!("{secret}\n").as_bytes())?;
        kept.push(path.clone());
    }
    Ok(kept)
}

/// Makes a folder, if there is none, that only its owner can look into.
fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Writes a file that only its owner can read, at once or not at all.
fn write_private(path: &Path, content: &[u8]) -> Result<(), AppError> {
    let failed = |source| AppError::Write { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_private_folder(folder).map_err(failed)?;
    // A temporary file is its owner's alone from the beginning.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(content).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
