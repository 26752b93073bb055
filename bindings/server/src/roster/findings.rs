//! What the reader of a roster should know, in words and in JSON.

use narthex::core::model::roster::{Finding, Severity};
use serde::{Deserialize, Serialize};

use crate::paint::Paint;

/// Findings of one code that are written out; the others are counted.
const FINDINGS_SHOWN: usize = 5;

/// A finding as it is told.
#[derive(Deserialize, Serialize)]
pub(crate) struct Told {
    severity: String,
    code: String,
    file: String,
    line: u64,
    column: Option<String>,
    value: Option<String>,
    message: String,
}

impl From<&Finding> for Told {
    fn from(finding: &Finding) -> Self {
        Self {
            severity: severity(finding.severity).to_owned(),
            code: finding.code.to_owned(),
            file: finding.place.file.clone(),
            line: finding.place.line,
            column: finding.place.column.clone(),
            value: finding.value.clone(),
            message: finding.message.clone(),
        }
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

impl Told {
    fn tell(&self, paint: Paint) {
        let word = match self.severity.as_str() {
            "note" => paint.faint(&self.severity),
            "warning" => paint.strong(&self.severity),
            _ => paint.bad(&self.severity),
        };
        say!("{word} {}{}: {}", self.code, self.place(), self.message);
    }

    /// Where, and which value: as much as there is of it.
    fn place(&self) -> String {
        let line = match self.line {
            0 => String::new(),
            line => format!(":{line}"),
        };
        let words = [
            Some(format!("{}{line}", self.file)),
            self.column.as_ref().map(|column| format!("[{column}]")),
            self.value.as_ref().map(|value| format!("({value})")),
        ];
        let words = words.into_iter().flatten().filter(|word| !word.is_empty());
        words.map(|word| format!(" {word}")).collect()
    }
}

/// Writes the findings, the first few of each code.
pub(crate) fn tell_findings(findings: &[Told]) {
    let paint = Paint::for_stdout();
    let mut codes: Vec<&str> = findings.iter().map(|told| told.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    for code in codes {
        let of_code = findings.iter().filter(|told| told.code == code);
        let count = of_code.clone().count();
        for told in of_code.take(FINDINGS_SHOWN) {
            told.tell(paint);
        }
        if count > FINDINGS_SHOWN {
            let more = count - FINDINGS_SHOWN;
            say!("  ... and {more} more of {code}: --json lists them");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(file: &str, line: u64, column: Option<&str>, value: Option<&str>) -> Told {
        Told {
            severity: "warning".to_owned(),
            code: "deactivation_held".to_owned(),
            file: file.to_owned(),
            line,
            column: column.map(str::to_owned),
            value: value.map(str::to_owned),
            message: String::new(),
        }
    }

    #[test]
    fn a_finding_says_where_it_is_and_which_value_it_is_about() {
        for (told, place) in [
            (
                told("a.csv", 3, Some("birthDate"), Some("****")),
                " a.csv:3 [birthDate] (****)",
            ),
            (told("a.csv", 0, None, None), " a.csv"),
            (told("", 0, None, Some("10001")), " (10001)"),
            (told("", 0, None, None), ""),
        ] {
            assert_eq!(told.place(), place);
        }
    }
}
