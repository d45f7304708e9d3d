//! Data tables: typed columns, rows of cells, read from CSV and written to by rules.

use super::{ListError, ListKind, Problem};
use crate::{eval::Value, source::Position};

/// A data table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataTable {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows; a cell that is missing is empty.
    pub rows: Vec<Vec<String>>,
}

/// A column of a data table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its cells are.
    pub kind: ListKind,
    /// Whether it is part of the key; when no column is, all of them are.
    pub key: bool,
    /// Whether a cell holds several values with `|` between them.
    pub repeated: bool,
    /// The field of an entity to which it is mapped: `entity.hostname`.
    pub field: Option<String>,
}

impl Column {
    /// A column of texts.
    #[must_use]
    pub fn text(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A column as a first line has it: `ip`, `ip:cidr`, `ip:cidr:repeated`, `user:string:key`.
    fn read(header: &str) -> Result<Self, Problem> {
        let mut words = header.split(':').map(str::trim);
        let mut column = Self::text(words.next().unwrap_or_default());
        if column.name.is_empty() {
            return Err(Problem::NoName);
        }
        for word in words {
            match word {
                "repeated" => column.repeated = true,
                "key" => column.key = true,
                kind => {
                    let unknown =
                        || Problem::ColumnWord(kind.chars().take(64).collect::<String>().escape_debug().to_string());
                    column.kind = ListKind::named(kind).ok_or_else(unknown)?;
                }
            }
        }
        Ok(column)
    }
}

impl DataTable {
    /// Reads CSV: the first line names the columns, each perhaps with its kind behind a colon.
    ///
    /// # Errors
    /// The first thing that can't be read, with its line and column.
    pub fn from_csv(text: &str) -> Result<Self, ListError> {
        let mut table = Self::default();
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        for (position, (line, written)) in lines.enumerate() {
            let at = |column| Position { line: line + 1, column };
            let cells = cells(written).map_err(|column| ListError { at: at(column), problem: Problem::OpenQuote })?;
            if position == 0 {
                for (column, header) in &cells {
                    let read = table.with_header(header);
                    read.map_err(|problem| ListError { at: at(*column), problem })?;
                }
            } else {
                for (place, (column, cell)) in cells.iter().enumerate() {
                    table.checked(place, cell).map_err(|problem| ListError { at: at(*column), problem })?;
                }
                table.rows.push(cells.into_iter().map(|(_, cell)| cell).collect());
            }
        }
        Ok(table)
    }

    fn with_header(&mut self, header: &str) -> Result<(), Problem> {
        let column = Column::read(header)?;
        if self.column(&column.name).is_some() {
            return Err(Problem::SameName(column.name.escape_debug().to_string()));
        }
        self.columns.push(column);
        Ok(())
    }

    fn checked(&self, place: usize, cell: &str) -> Result<(), Problem> {
        let column = self.columns.get(place).ok_or(Problem::TooManyCells(self.columns.len()))?;
        let mut filled = split(cell, column.repeated).filter(|entry| !entry.is_empty());
        filled.try_for_each(|entry| column.kind.check(entry)).map_err(Problem::Entry)
    }

    /// The place of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The text of a cell.
    #[must_use]
    pub fn cell(&self, row: usize, column: usize) -> &str {
        self.rows.get(row).and_then(|row| row.get(column)).map_or("", String::as_str)
    }

    /// The values of a cell: several where the column is repeated.
    pub fn entries(&self, row: usize, column: usize) -> impl Iterator<Item = &str> {
        let repeated = self.columns.get(column).is_some_and(|column| column.repeated);
        split(self.cell(row, column), repeated)
    }

    /// The value of a cell, a number where the column holds numbers.
    #[must_use]
    pub fn value(&self, row: usize, column: usize) -> Value {
        let text = self.cell(row, column);
        match self.columns.get(column).map(|column| column.kind) {
            Some(ListKind::Number) => number(text).unwrap_or_else(|| Value::from(text)),
            _ => Value::from(text),
        }
    }

    /// Writes a row: it takes the place of the row with the same key. Columns that are new are texts.
    pub fn write(&mut self, cells: &[(String, String)]) {
        for (name, _) in cells {
            if self.column(name).is_none() {
                self.columns.push(Column::text(name.clone()));
            }
        }
        let mut row = vec![String::new(); self.columns.len()];
        for (name, cell) in cells {
            if let Some(at) = self.column(name) {
                row[at].clone_from(cell);
            }
        }
        let keyed = self.columns.iter().any(|column| column.key);
        let same = |other: &[String]| {
            let keys = self.columns.iter().enumerate().filter(|(_, column)| column.key || !keyed);
            let mut cells = keys.map(|(at, _)| other.get(at).map_or("", String::as_str) == row[at]);
            cells.all(|equal| equal)
        };
        match self.rows.iter().position(|other| same(other)) {
            Some(at) => self.rows[at] = row,
            None => self.rows.push(row),
        }
    }
}

/// The values of a cell.
fn split(cell: &str, repeated: bool) -> impl Iterator<Item = &str> {
    cell.split(move |letter| repeated && letter == '|').map(move |part| if repeated { part.trim() } else { part })
}

/// The number that a cell spells.
pub(super) fn number(text: &str) -> Option<Value> {
    let float = || text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float);
    text.parse().ok().map(Value::Int).or_else(float)
}

/// The cells of a line with their columns, counted from 1 in characters. A cell in quotes may hold commas, and quotes twice.
///
/// # Errors
/// The column of a quote that does not end.
fn cells(line: &str) -> Result<Vec<(usize, String)>, usize> {
    let mut cells = Vec::new();
    let mut letters = line.chars().enumerate().peekable();
    let mut start = 1;
    let mut cell = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            ',' => {
                cells.push((start, std::mem::take(&mut cell).trim().to_owned()));
                start = at + 2;
            }
            '"' if cell.trim().is_empty() => {
                cell.clear();
                loop {
                    match letters.next() {
                        None => return Err(at + 1),
                        Some((_, '"')) if letters.next_if(|(_, next)| *next == '"').is_none() => break,
                        Some((_, inside)) => cell.push(inside),
                    }
                }
            }
            other => cell.push(other),
        }
    }
    cells.push((start, cell.trim().to_owned()));
    Ok(cells)
}
