//! Spans of time as people write them: `4h`, `3h 59m 59s 999ms`, `-1d`.

use serde::Deserialize;
use std::time::Duration;

/// A span in milliseconds, either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub i64);

impl Span {
    /// The span without its sign.
    pub fn length(self) -> Duration {
        Duration::from_millis(self.0.unsigned_abs())
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse(&text)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no span of time like 3h 59m"))
    }
}

fn parse(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut total: i64 = 0;
    for part in text.split_whitespace() {
        let digits = part.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = part.split_at(digits);
        let ms = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(ms)?)?;
    }
    (!text.trim().is_empty()).then_some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_written_and_nothing_else_is() {
        assert_eq!(parse("3h 59m 59s 999ms"), Some(4 * 3_600_000 - 1));
        assert_eq!(parse("-1d"), Some(-86_400_000));
        assert_eq!(parse("0s"), Some(0));
        for wrong in [
            "",
            "-",
            "4",
            "h",
            "4 h",
            "4x",
            "--4h",
            "99999999999999999999h",
        ] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }
}
