//! Physical lines with their numbers, bounded, with a way back: a row that began with a quote too
//! many must not swallow the people behind it.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read},
};

/// One physical line, without its line break.
pub(crate) struct Line {
    /// 1-based.
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
    /// Longer than the cap: `bytes` holds only its beginning.
    pub(crate) over: bool,
}

/// Reads lines ended by LF or CRLF.
pub(crate) struct Lines<R> {
    input: BufReader<R>,
    put_back: VecDeque<Line>,
    read: u64,
    bytes_max: usize,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(input: R, bytes_max: usize) -> Self {
        Self {
            input: BufReader::with_capacity(64 << 10, input),
            put_back: VecDeque::new(),
            read: 0,
            bytes_max,
        }
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.put_back.pop_front() {
            return Ok(Some(line));
        }
        let mut bytes = Vec::new();
        // Two more than the cap: a line of exactly the cap and its CRLF.
        let room = self.bytes_max as u64 + 2;
        if self.read_to_break(room, &mut bytes)? == 0 {
            return Ok(None);
        }
        self.read += 1;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        } else if bytes.len() as u64 == room {
            self.skip_to_break()?;
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        let over = bytes.len() > self.bytes_max;
        Ok(Some(Line {
            number: self.read,
            bytes,
            over,
        }))
    }

    /// Makes `lines` the next ones again.
    pub(crate) fn put_back(&mut self, lines: Vec<Line>) {
        for line in lines.into_iter().rev() {
            self.put_back.push_front(line);
        }
    }

    fn read_to_break(&mut self, room: u64, into: &mut Vec<u8>) -> io::Result<usize> {
        (&mut self.input).take(room).read_until(b'\n', into)
    }

    fn skip_to_break(&mut self) -> io::Result<()> {
        let mut skipped = Vec::new();
        loop {
            skipped.clear();
            if self.read_to_break(64 << 10, &mut skipped)? == 0 || skipped.last() == Some(&b'\n') {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, bytes_max: usize) -> Vec<(u64, String, bool)> {
        let mut lines = Lines::new(text.as_bytes(), bytes_max);
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push((
                line.number,
                String::from_utf8(line.bytes).unwrap(),
                line.over,
            ));
        }
        all
    }

    #[test]
    fn lines_end_with_lf_or_crlf_or_the_file() {
        let expected = [
            (1, "a".to_owned(), false),
            (2, String::new(), false),
            (3, "b".into(), false),
        ];
        assert_eq!(lines("a\n\nb", 9), expected);
        assert_eq!(lines("a\r\n\r\nb\r\n", 9), expected);
    }

    #[test]
    fn a_line_over_the_cap_is_cut_and_the_next_one_is_whole() {
        for end in ["\n", "\r\n"] {
            let text = format!("1234{end}12345{end}{}{end}b", "x".repeat(200_000));
            let seen: Vec<_> = lines(&text, 4).into_iter().map(|l| (l.0, l.2)).collect();
            assert_eq!(seen, [(1, false), (2, true), (3, true), (4, false)]);
        }
    }
}
