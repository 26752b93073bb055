//! A CSV file with a header: its columns by name, its rows checked for what makes any row unfit.

use std::{cmp::Ordering, io::Read};

use narthex_core::model::roster::Place;

use crate::{
    error::ReadError,
    findings::{Code, Findings, Shown, whole_file},
    limits::{Limits, from_io},
    record::{Loss, Next, Record, Records},
    text,
};

/// What a file must and may hold.
pub(crate) struct Schema {
    /// Its prescribed name.
    pub(crate) file: &'static str,
    /// Columns it cannot do without.
    pub(crate) required: &'static [&'static str],
    /// All other columns of the format.
    pub(crate) optional: &'static [&'static str],
    /// Other names found in the wild, for columns above.
    pub(crate) aliases: &'static [(&'static str, &'static str)],
}

impl Schema {
    /// Whether the caller finds the columns.
    fn is_free(&self) -> bool {
        self.required.is_empty() && self.optional.is_empty()
    }

    /// The prescribed name of a header cell, and whether it was spelled so.
    fn canonical(&self, label: &str) -> Option<(&'static str, bool)> {
        let names = || self.required.iter().chain(self.optional).copied();
        if let Some(name) = names().find(|name| *name == label) {
            return Some((name, true));
        }
        let folded = text::folded(label)
            .replace("preffered", "preferred")
            .replace("prefered", "preferred");
        let alias = self
            .aliases
            .iter()
            .find(|(alias, _)| text::folded(alias) == folded)
            .map(|(_, name)| *name);
        names()
            .find(|name| text::folded(name) == folded)
            .or(alias)
            .map(|name| (name, false))
    }
}

/// A column that is read. Absent columns read as empty.
#[derive(Clone, Copy)]
pub(crate) struct Column(Option<usize>);

impl Column {
    /// One that is not there.
    pub(crate) fn absent() -> Self {
        Self(None)
    }

    pub(crate) fn is_present(self) -> bool {
        self.0.is_some()
    }
}

struct Cell {
    /// As written, fit to be shown.
    label: String,
    name: Option<&'static str>,
    /// Whether anything is read from it.
    used: bool,
}

/// A file being read.
pub(crate) struct Table<'i> {
    file: String,
    header: Vec<Cell>,
    records: Records<Box<dyn Read + 'i>>,
    record: Record,
    /// A column of passwords that has not been told of yet.
    password: Option<usize>,
    rows: u64,
    limits: Limits,
    /// Where rows were left out for what makes any row unfit.
    pub(crate) lost: Vec<u64>,
}

impl<'i> Table<'i> {
    /// Reads the header. `None` after an Error finding.
    pub(crate) fn open(
        mut bytes: Box<dyn Read + 'i>,
        file: String,
        schema: &'static Schema,
        limits: &Limits,
        findings: &mut Findings,
    ) -> Result<Option<Self>, ReadError> {
        let mut head = Vec::new();
        let read = (&mut bytes).take(3).read_to_end(&mut head);
        read.map_err(|error| from_io(error, &file))?;
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            let message = "the file is UTF-16; save it as \"CSV UTF-8\"".to_owned();
            findings.tell(
                Code::encoding_unsupported,
                whole_file(&file),
                Shown::Nothing,
                message,
            );
            return Ok(None);
        }
        if head == b"\xef\xbb\xbf" {
            head.clear();
            let message = "the file begins with a byte order mark; it was skipped".to_owned();
            findings.tell(
                Code::byte_order_mark,
                whole_file(&file),
                Shown::Nothing,
                message,
            );
        }
        let bytes: Box<dyn Read + 'i> = Box::new(io_chain(head, bytes));
        let mut table = Self {
            records: Records::new(bytes, limits.row_bytes_max),
            header: Vec::new(),
            record: Record::default(),
            password: None,
            rows: 0,
            limits: limits.clone(),
            lost: Vec::new(),
            file,
        };
        Ok(table.read_header(schema, findings)?.then_some(table))
    }

    fn read_header(
        &mut self,
        schema: &'static Schema,
        findings: &mut Findings,
    ) -> Result<bool, ReadError> {
        let separator = self.records.find_separator();
        let separator = separator.map_err(|error| from_io(error, &self.file))?;
        if separator != b',' {
            let message = "the values are not separated by commas; they were read as they are";
            let place = whole_file(&self.file);
            let value = char::from(separator).escape_default().to_string();
            let value = Shown::Text(&value);
            findings.tell(Code::delimiter_other, place, value, message.to_owned());
        }
        let next = self.records.next(&mut self.record, None);
        match next.map_err(|error| from_io(error, &self.file))? {
            Next::Row => {}
            Next::Lost(..) | Next::End => {
                let message = "no header can be read; export the file again".to_owned();
                findings.tell(
                    Code::file_empty,
                    whole_file(&self.file),
                    Shown::Nothing,
                    message,
                );
                return Ok(false);
            }
        }
        if self.record.len() > self.limits.columns_max {
            return Err(ReadError::TooLarge {
                file: self.file.clone(),
                what: "columns",
                limit: self.limits.columns_max as u64,
                name: "columns_max",
            });
        }
        self.name_columns(schema);
        if self.misses_columns(schema, findings) {
            // Its cells may be the first person of a file without a header: they are not shown.
            return Ok(false);
        }
        if !schema.is_free() {
            self.tell_of_columns(findings);
        }
        Ok(true)
    }

    fn name_columns(&mut self, schema: &'static Schema) {
        for index in 0..self.record.len() {
            let cell = String::from_utf8_lossy(self.record.get(index).unwrap_or_default());
            let name = schema.canonical(cell.trim()).map(|(name, _)| name);
            self.header.push(Cell {
                label: text::shown(cell.trim()),
                name,
                used: false,
            });
        }
        self.password = self
            .header
            .iter()
            .position(|cell| text::folded(&cell.label) == "password");
    }

    fn misses_columns(&self, schema: &'static Schema, findings: &mut Findings) -> bool {
        let mut misses = false;
        for name in schema.required {
            if !self.header.iter().any(|cell| cell.name == Some(name)) {
                misses = true;
                let message = format!("the column {name} is missing; export the file with it");
                let place = self.header_place(Some((*name).to_owned()));
                findings.tell(Code::column_missing, place, Shown::Nothing, message);
            }
        }
        misses
    }

    fn tell_of_columns(&self, findings: &mut Findings) {
        let mut seen: Vec<&str> = Vec::new();
        for cell in &self.header {
            let place = self.header_place(Some(cell.label.clone()));
            let value = Shown::Text(&cell.label);
            let Some(name) = cell.name else {
                let extension = cell.label.to_ascii_lowercase().starts_with("metadata.");
                if !extension && !cell.label.is_empty() {
                    let message = "no column of this format; it was ignored".to_owned();
                    findings.tell(Code::column_unknown, place, value, message);
                }
                continue;
            };
            if seen.contains(&name) {
                let message = format!("{name} is there twice; the first one counts");
                findings.tell(Code::column_duplicate, place, value, message);
            } else if name != cell.label {
                let message = format!("read as the prescribed {name}");
                findings.tell(Code::header_spelling, place, value, message);
            }
            seen.push(name);
        }
    }

    fn header_place(&self, column: Option<String>) -> Place {
        Place {
            file: self.file.clone(),
            line: self.record.line.max(1),
            column,
        }
    }

    /// The column of this prescribed name, to be read.
    pub(crate) fn column(&mut self, name: &str) -> Column {
        let found = self.header.iter().position(|cell| cell.name == Some(name));
        self.mark_used(found)
    }

    /// The column somebody asked for by name, be it one of the format or not.
    pub(crate) fn column_asked(&mut self, asked: &str) -> Column {
        let folded = text::folded(asked);
        let is = |cell: &Cell| {
            cell.name.is_some_and(|name| text::folded(name) == folded)
                || text::folded(&cell.label) == folded
        };
        let found = self.header.iter().position(is);
        self.mark_used(found)
    }

    /// What all columns are called here, in their order.
    pub(crate) fn labels(&self) -> Vec<String> {
        self.header.iter().map(|cell| cell.label.clone()).collect()
    }

    /// The column at this place of the header.
    pub(crate) fn column_at(&mut self, index: usize) -> Column {
        self.mark_used(Some(index).filter(|index| *index < self.header.len()))
    }

    /// Tells of the columns nothing is read from.
    pub(crate) fn tell_unused(&self, findings: &mut Findings) {
        for (index, cell) in self.header.iter().enumerate() {
            if !cell.used && !cell.label.is_empty() && self.password != Some(index) {
                let place = self.header_place(Some(cell.label.clone()));
                let message = "nothing is read from this column; it was ignored".to_owned();
                findings.tell(
                    Code::column_unknown,
                    place,
                    Shown::Text(&cell.label),
                    message,
                );
            }
        }
    }

    fn mark_used(&mut self, found: Option<usize>) -> Column {
        if let Some(cell) = found.and_then(|index| self.header.get_mut(index)) {
            cell.used = true;
        }
        Column(found)
    }

    /// How a column is called here.
    pub(crate) fn label(&self, column: Column) -> Option<String> {
        Some(self.header.get(column.0?)?.label.clone())
    }

    /// The file's name as spelled in the input.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// How many rows were met, lost ones included.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The next row that is fit to be read.
    ///
    /// # Errors
    /// The file cannot be read on, or is over a cap.
    pub(crate) fn next(&mut self, findings: &mut Findings) -> Result<Option<Row<'_>>, ReadError> {
        loop {
            let next = self.records.next(&mut self.record, Some(self.header.len()));
            let next = next.map_err(|error| from_io(error, &self.file))?;
            if matches!(next, Next::End) {
                return Ok(None);
            }
            self.rows += 1;
            if self.rows > self.limits.rows_max {
                return Err(ReadError::TooLarge {
                    file: self.file.clone(),
                    what: "rows",
                    limit: self.limits.rows_max,
                    name: "rows_max",
                });
            }
            match next {
                Next::Lost(line, loss) => self.tell_lost(line, loss, findings),
                _ if self.is_fit(findings) => break,
                _ => self.lost.push(self.record.line),
            }
        }
        Ok(Some(Row {
            text: std::str::from_utf8(&self.record.bytes).unwrap_or_default(),
            ends: &self.record.ends,
            header: &self.header,
            file: &self.file,
            line: self.record.line,
        }))
    }

    fn tell_lost(&mut self, line: u64, loss: Loss, findings: &mut Findings) {
        let (code, message) = match loss {
            Loss::Quotes => (
                Code::quotes_unbalanced,
                "a quote is not closed or stands in the wrong place; the row was left out"
                    .to_owned(),
            ),
            Loss::TooLong => (
                Code::row_too_long,
                format!(
                    "more than {} bytes; the row was left out",
                    self.limits.row_bytes_max
                ),
            ),
        };
        findings.tell(code, self.place(line, None), Shown::Nothing, message);
        self.lost.push(line);
    }

    /// Judges the row in `record`. No finding about it shows a value: they may have shifted, and
    /// one of them may be a password.
    fn is_fit(&mut self, findings: &mut Findings) -> bool {
        let line = self.record.line;
        if self.record.over_lines {
            let message = "a value goes over several lines; it was read".to_owned();
            findings.tell(
                Code::row_over_lines,
                self.place(line, None),
                Shown::Nothing,
                message,
            );
        }
        let columns = self.header.len();
        let values = self.record.len();
        let left_out = "the row was left out, for its values may have shifted";
        let (code, done) = match values.cmp(&columns) {
            Ordering::Equal => (None, ""),
            Ordering::Greater => (Some(Code::row_long), left_out),
            // Spreadsheets cut a row behind its last value; what ends with an empty one was not
            // cut.
            Ordering::Less if self.ends_empty() => (Some(Code::row_shifted), left_out),
            Ordering::Less => (Some(Code::row_short), "the missing ones were read as empty"),
        };
        if let Some(code) = code {
            let message = format!("{values} values for {columns} columns; {done}");
            findings.tell(code, self.place(line, None), Shown::Nothing, message);
            if code != Code::row_short {
                return false;
            }
        }
        self.note_password(findings);
        self.values_fit(findings)
    }

    fn ends_empty(&self) -> bool {
        let last = self
            .record
            .len()
            .checked_sub(1)
            .and_then(|last| self.record.get(last));
        last.is_none_or(|value| value.trim_ascii().is_empty())
    }

    fn note_password(&mut self, findings: &mut Findings) {
        let value = self.password.and_then(|index| self.record.get(index));
        if value.is_some_and(|value| !value.trim_ascii().is_empty()) {
            let label = self.label(Column(self.password));
            let message = "passwords of a roster are never kept; the column was ignored".to_owned();
            let place = self.place(self.record.line, label);
            findings.tell(Code::password_ignored, place, Shown::Secret, message);
            self.password = None;
        }
    }

    fn values_fit(&mut self, findings: &mut Findings) -> bool {
        let long = self.record.bytes.len() > self.limits.field_bytes_max;
        if !long && std::str::from_utf8(&self.record.bytes).is_ok() {
            return true;
        }
        for index in 0..self.record.len() {
            let value = self.record.get(index).unwrap_or_default();
            let used = self.header.get(index).is_some_and(|cell| cell.used);
            let (code, message) = if value.len() > self.limits.field_bytes_max {
                let max = self.limits.field_bytes_max;
                let message = format!("a value of more than {max} bytes; the row was left out");
                (Code::field_too_long, message)
            } else if used && std::str::from_utf8(value).is_err() {
                let message = "not UTF-8; the row was left out; save the file as \"CSV UTF-8\"";
                (Code::utf8_invalid, message.to_owned())
            } else {
                continue;
            };
            let place = self.place(self.record.line, self.label(Column(Some(index))));
            findings.tell(code, place, Shown::Nothing, message);
            return false;
        }
        self.blank_what_is_not_read();
        true
    }

    /// A byte that is not UTF-8 does no harm where nobody looks.
    fn blank_what_is_not_read(&mut self) {
        let mut clean = Record {
            line: self.record.line,
            over_lines: self.record.over_lines,
            ..Record::default()
        };
        for index in 0..self.record.len() {
            if self.header.get(index).is_some_and(|cell| cell.used) {
                let value = self.record.get(index).unwrap_or_default();
                clean.bytes.extend_from_slice(value);
            }
            clean.ends.push(clean.bytes.len());
        }
        self.record = clean;
    }

    fn place(&self, line: u64, column: Option<String>) -> Place {
        Place {
            file: self.file.clone(),
            line,
            column,
        }
    }
}

fn io_chain<'i>(head: Vec<u8>, rest: Box<dyn Read + 'i>) -> impl Read + 'i {
    std::io::Cursor::new(head).chain(rest)
}

/// A row that is fit to be read.
#[derive(Clone, Copy)]
pub(crate) struct Row<'t> {
    text: &'t str,
    ends: &'t [usize],
    header: &'t [Cell],
    file: &'t str,
    /// Where it begins, 1-based.
    pub(crate) line: u64,
}

impl<'t> Row<'t> {
    /// The value of a column, trimmed; empty where there is none.
    pub(crate) fn get(&self, column: Column) -> &'t str {
        self.value(column).unwrap_or_default().trim()
    }

    fn value(&self, column: Column) -> Option<&'t str> {
        let index = column.0?;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start..*self.ends.get(index)?)
    }

    /// The row.
    pub(crate) fn place(&self) -> Place {
        Place {
            file: self.file.to_owned(),
            line: self.line,
            column: None,
        }
    }

    /// One value of the row.
    pub(crate) fn place_of(&self, column: Column) -> Place {
        let label = column.0.and_then(|index| self.header.get(index));
        Place {
            column: label.map(|cell| cell.label.clone()),
            ..self.place()
        }
    }

    /// A value for a finding; secret in a row that is short, where values may have shifted.
    pub(crate) fn shown(&self, column: Column) -> Shown<'t> {
        if self.ends.len() < self.header.len() {
            return Shown::Secret;
        }
        Shown::Text(self.get(column))
    }

    /// Tells of one value.
    pub(crate) fn tell(&self, findings: &mut Findings, code: Code, column: Column, message: &str) {
        findings.tell(
            code,
            self.place_of(column),
            self.shown(column),
            message.to_owned(),
        );
    }

    /// Tells of one value, the first time in this file and column only.
    pub(crate) fn tell_once(
        &self,
        findings: &mut Findings,
        code: Code,
        column: Column,
        message: &'static str,
    ) {
        findings.tell_once(code, self.place_of(column), self.shown(column), message);
    }
}
