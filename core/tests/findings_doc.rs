//! `docs/findings.md` is made of what the code says. `UPDATE_EXPECT=1 cargo test -p narthex-core --test
//! findings_doc` writes it anew.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::Path;

use expect_test::expect_file;
use narthex_core::model::roster::Severity;
use narthex_core::rules::roster_findings::CODES;

const OF_FILES: &str = "../adapters/oneroster/src/findings.rs";

/// The table at the head of the reader's own list.
fn of_files() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(OF_FILES);
    let source = std::fs::read_to_string(path).unwrap();
    let rows = source
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `"));
    let rows: Vec<String> = rows.map(|row| format!("| `{row}")).collect();
    assert!(
        rows.len() > 20,
        "the table of {OF_FILES} is not where it was"
    );
    rows.join("\n")
        .replace("| Note |", "| note |")
        .replace("| Warning |", "| warning |")
        .replace("| Error |", "| error |")
}

#[test]
fn every_finding_is_in_the_document() {
    let mut text = String::from(
        "# Findings of rosters\n\n\
         What an import may tell; each code keeps its meaning. A *note* needs nothing, at a *warning* somebody was left out or\n\
         something was not believed, at an *error* nothing was imported.\n\n\
         ## Of people and organizations\n\n\
         | code | severity | what it says |\n| --- | --- | --- |\n",
    );
    for (code, severity, meaning) in CODES {
        let severity = match severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        writeln!(text, "| `{code}` | {severity} | {meaning} |").unwrap();
    }
    text.push_str(
        "\n## Of files and rows\n\n| code | severity | what it says |\n| --- | --- | --- |\n",
    );
    text.push_str(&of_files());
    text.push('\n');
    expect_file!["../../docs/findings.md"].assert_eq(&text);
}
