//! Rows of comma-separated values (RFC 4180), one at a time, with a way out of broken quotes: the
//! row they stand in is lost, the next line is a row again.

use std::io::{self, Read};

use crate::lines::{Line, Lines};

/// Most physical lines one row may go over.
const ROW_LINES_MAX: usize = 32;

/// The values of one row.
#[derive(Default)]
pub(crate) struct Record {
    /// Where the row begins, 1-based.
    pub(crate) line: u64,
    /// Whether a value goes over several lines.
    pub(crate) over_lines: bool,
    pub(crate) bytes: Vec<u8>,
    /// Where each value ends in `bytes`.
    pub(crate) ends: Vec<usize>,
}

impl Record {
    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Value `index`.
    pub(crate) fn get(&self, index: usize) -> Option<&[u8]> {
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.bytes.get(start..*self.ends.get(index)?)
    }
}

/// What came next in a file.
pub(crate) enum Next {
    /// A row; its values are in the record.
    Row,
    /// A row that was lost, beginning at this line.
    Lost(u64, Loss),
    /// The end.
    End,
}

/// Why a row was lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loss {
    Quotes,
    TooLong,
}

/// Reads rows.
pub(crate) struct Records<R> {
    lines: Lines<R>,
    bytes_max: usize,
    separator: u8,
}

impl<R: Read> Records<R> {
    pub(crate) fn new(input: R, bytes_max: usize) -> Self {
        Self {
            lines: Lines::new(input, bytes_max),
            bytes_max,
            separator: b',',
        }
    }

    /// Sees from the first line which character separates values: whichever is there most often
    /// outside quotes, commas before the others. Returns it.
    pub(crate) fn find_separator(&mut self) -> io::Result<u8> {
        let mut passed = Vec::new();
        while let Some(line) = self.lines.next()? {
            let blank = line.bytes.iter().all(u8::is_ascii_whitespace);
            if !blank {
                self.separator = separator_of(&line.bytes);
            }
            passed.push(line);
            if !blank || passed.len() >= ROW_LINES_MAX {
                break;
            }
        }
        self.lines.put_back(passed);
        Ok(self.separator)
    }

    /// The next row into `record`; `columns` is how many values a row over several lines must have
    /// to be believed. Empty lines are passed over.
    pub(crate) fn next(&mut self, record: &mut Record, columns: Option<usize>) -> io::Result<Next> {
        loop {
            let Some(line) = self.lines.next()? else {
                return Ok(Next::End);
            };
            if line.over {
                return Ok(Next::Lost(line.number, Loss::TooLong));
            }
            if line.bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            record.line = line.number;
            record.over_lines = false;
            return match parse(&line.bytes, self.separator, record) {
                Parsed::Whole => Ok(Next::Row),
                Parsed::Broken => Ok(Next::Lost(line.number, Loss::Quotes)),
                Parsed::Open => self.join_lines(line, record, columns),
            };
        }
    }

    /// A quote is still open at the end of `first`: the value goes on, or the quote is a mistake.
    fn join_lines(
        &mut self,
        first: Line,
        record: &mut Record,
        columns: Option<usize>,
    ) -> io::Result<Next> {
        let mut text = first.bytes;
        let mut taken = Vec::new();
        while taken.len() + 1 < ROW_LINES_MAX {
            let Some(line) = self.lines.next()? else {
                break;
            };
            let fits = !line.over && text.len() + line.bytes.len() < self.bytes_max;
            text.push(b'\n');
            text.extend_from_slice(&line.bytes);
            taken.push(line);
            if !fits {
                break;
            }
            match parse(&text, self.separator, record) {
                Parsed::Open => {}
                Parsed::Whole if columns.is_none_or(|columns| record.len() == columns) => {
                    record.over_lines = true;
                    return Ok(Next::Row);
                }
                Parsed::Whole | Parsed::Broken => break,
            }
        }
        self.lines.put_back(taken);
        Ok(Next::Lost(first.number, Loss::Quotes))
    }
}

enum Parsed {
    Whole,
    /// A quote is open at the end.
    Open,
    /// A quote stands where none can.
    Broken,
}

fn separator_of(line: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in line {
        quoted ^= *byte == b'"';
        for (separator, count) in &mut counts {
            *count += usize::from(!quoted && byte == separator);
        }
    }
    let best = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    best.map_or(b',', |(separator, _)| separator)
}

/// Splits one row. Quotes inside a value that does not begin with one are kept if they come in
/// pairs, as in `William "Bill"`; a single one is a quote that was lost.
fn parse(text: &[u8], separator: u8, record: &mut Record) -> Parsed {
    record.bytes.clear();
    record.ends.clear();
    let mut rest = text;
    loop {
        rest = if let Some(quoted) = rest.strip_prefix(b"\"") {
            match parse_quoted(quoted, &mut record.bytes) {
                Ok(rest) => rest,
                Err(problem) => return problem,
            }
        } else {
            let end = rest.iter().position(|b| *b == separator);
            let end = end.unwrap_or(rest.len());
            let (value, rest) = rest.split_at(end);
            if value.iter().filter(|b| **b == b'"').count() % 2 == 1 {
                return Parsed::Broken;
            }
            record.bytes.extend_from_slice(value);
            rest
        };
        record.ends.push(record.bytes.len());
        match rest.split_first() {
            None => return Parsed::Whole,
            Some((byte, behind)) if *byte == separator => rest = behind,
            Some(_) => return Parsed::Broken,
        }
    }
}

/// A value up to its closing quote; returns what stands behind it.
fn parse_quoted<'a>(mut rest: &'a [u8], into: &mut Vec<u8>) -> Result<&'a [u8], Parsed> {
    loop {
        let Some(end) = rest.iter().position(|b| *b == b'"') else {
            return Err(Parsed::Open);
        };
        let (value, behind) = rest.split_at(end);
        into.extend_from_slice(value);
        let behind = behind.strip_prefix(b"\"").unwrap_or(behind);
        match behind.strip_prefix(b"\"") {
            Some(behind) => {
                into.push(b'"');
                rest = behind;
            }
            None => return Ok(behind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as `line:a|b|c`, lost rows as `line!`.
    fn rows(text: &str) -> Vec<String> {
        let mut records = Records::new(text.as_bytes(), 1_000);
        let mut record = Record::default();
        let mut rows = Vec::new();
        loop {
            match records.next(&mut record, Some(3)).unwrap() {
                Next::Row => {
                    let values: Vec<_> = (0..record.len())
                        .map(|i| String::from_utf8_lossy(record.get(i).unwrap()).into_owned())
                        .collect();
                    rows.push(format!("{}:{}", record.line, values.join("|")));
                }
                Next::Lost(line, _) => rows.push(format!("{line}!")),
                Next::End => return rows,
            }
        }
    }

    #[test]
    fn values_are_split_at_commas_outside_quotes() {
        assert_eq!(rows("a,b,c\r\n"), ["1:a|b|c"]);
        assert_eq!(
            rows("\"a,1\",\"b \"\"x\"\"\",\n,,\n"),
            ["1:a,1|b \"x\"|", "2:||"]
        );
        assert_eq!(rows("a,William \"Bill\",c"), ["1:a|William \"Bill\"|c"]);
        assert_eq!(rows("a\n\n  \na,b,c,d"), ["1:a", "4:a|b|c|d"]);
    }

    #[test]
    fn a_quoted_value_may_go_over_lines_if_the_row_then_fits_the_header() {
        assert_eq!(rows("a,\"b\n\nc\",d\ne,f,g\n"), ["1:a|b\n\nc|d", "4:e|f|g"]);
    }

    #[test]
    fn a_broken_quote_costs_its_own_row_and_no_other() {
        assert_eq!(
            rows("a,\"b,c\nd,e,f\ng,h,i\n"),
            ["1!", "2:d|e|f", "3:g|h|i"]
        );
        assert_eq!(rows("a,b\",c\nd,e,f\n"), ["1!", "2:d|e|f"]);
        assert_eq!(rows("a,\"b\"x,c\nd,e,f\n"), ["1!", "2:d|e|f"]);
        assert_eq!(
            rows("\"a\",\"b,\"c\"\n\"d\",\"e\",\"f\"\n"),
            ["1!", "2:d|e|f"]
        );
        assert_eq!(
            rows("\"a\",\"b\",\"c\n\"d\",\"e\",\"f\"\n"),
            ["1!", "2:d|e|f"]
        );
        let many = format!("a,\"b,c\n{}", "d,e,f\n".repeat(100));
        assert_eq!(rows(&many).len(), 101);
    }
}
