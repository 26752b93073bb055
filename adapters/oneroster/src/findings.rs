//! What the reader tells: every deviation from the format, where it stands and what was done about
//! it.
//!
//! A code never changes its meaning. *Note*: understood in spite of a deviation. *Warning*:
//! something was left out, the rest goes on. *Error*: the import cannot go on, the batch is empty.
//!
//! | code | severity | meaning |
//! | --- | --- | --- |
//! | `birthdate_impossible` | Warning | not a day in the calendar, or not a birthdate; the person is kept without one |
//! | `birthdate_missing` | Note | the person is kept, and claims with a code |
//! | `bulk_fields_filled` | Note | `status` or `dateLastModified` is filled in a bulk file; an active row is read all the same |
//! | `byte_order_mark` | Note | the file begins with a byte order mark, which was skipped |
//! | `column_duplicate` | Warning | a column stands in the header twice; the first one counts |
//! | `column_missing` | Error | a column the file cannot do without is not in its header |
//! | `column_unknown` | Note | a column the format does not know; it was ignored |
//! | `date_not_prescribed` | Note | a date is not written YYYY-MM-DD, as OneRoster prescribes |
//! | `date_order_chosen` | Note | how the dates of this file were read, and which row decided it |
//! | `delimiter_other` | Note | the values are separated by semicolons, tabs or bars; they were read so |
//! | `delta_fields_missing` | Note | a row of a delta without `status` or `dateLastModified`; it was read as active |
//! | `delta_mixed` | Note | the manifest announces bulk beside delta files; all were read as delta |
//! | `demographics_duplicate` | Warning | a second row for one person with another birthdate; the first one counts |
//! | `demographics_unknown_user` | Note | a row for a person who is not in users.csv; it was ignored |
//! | `email_invalid` | Note | not a mail address; the contact is kept without one |
//! | `enabled_unknown` | Warning | `enabledUser` is neither true nor false; the person is read as not enabled |
//! | `encoding_unsupported` | Error | the file is UTF-16; only UTF-8 is read |
//! | `field_too_long` | Warning | a value is over the cap; the row was left out |
//! | `file_duplicate` | Error | two files have one name |
//! | `file_empty` | Error | a file without even a header |
//! | `file_missing` | Error | a file the roster cannot do without, or that its manifest announces, is not there |
//! | `file_name_spelling` | Note | a file name differs in capitals; the file was read all the same |
//! | `file_unknown` | Note | a CSV file the format does not know; it was not read |
//! | `file_without_rows` | Note | a file with a header and nothing else |
//! | `findings_more` | Note | how many more findings of one code there were |
//! | `format_detected` | Note | what the files were read as, and why |
//! | `header_spelling` | Note | a column name is misspelled; it was understood |
//! | `manifest_disagrees` | Note | the manifest calls a file absent that is there; the file was read |
//! | `manifest_missing` | Note | without manifest.csv; the files tell which OneRoster it is |
//! | `manifest_value` | Note | a blank or unknown manifest value; it was ignored |
//! | `name_characters` | Warning | control, bidirectional or invisible characters were taken out of a name |
//! | `name_missing` | Warning | no given or family name; the person was left out |
//! | `name_too_long` | Warning | a name of more than 200 characters; the person, or the preferred name, was left out |
//! | `nested_folder` | Note | the files lie in a folder of the zip instead of its root |
//! | `number_chosen` | Note | the column people's numbers were taken from |
//! | `number_column_refused` | Error | the column asked for holds a secret and is never a log-in number |
//! | `number_duplicate` | Warning | two people with one number; both are given on, and held by the core |
//! | `number_invalid` | Warning | not fit to log in with; the person was left out |
//! | `number_missing` | Warning | no number in the chosen column; the person was left out |
//! | `number_padded` | Note | numbers shorter than the width asked for; zeros were put in front |
//! | `org_name_missing` | Warning | an organization without a name; it is called by its id |
//! | `org_parent_loop` | Warning | an organization is above itself; the link was left out |
//! | `org_parent_unknown` | Warning | the organization above is not in the roster; the link was left out |
//! | `org_type_unknown` | Note | a kind of organization the format does not know; read as another kind |
//! | `password_ignored` | Note | a column of passwords; it was neither kept nor shown |
//! | `path_unsafe` | Warning | a member of the zip with a path that leads out of it; it was not read |
//! | `person_merged` | Note | a second row for the same person; its membership was added |
//! | `person_without_role` | Warning | no current role in a known organization; the person was left out |
//! | `primary_org_not_member` | Note | the primary organization is none of the person's; another one was chosen |
//! | `quotes_unbalanced` | Warning | a quote that is not closed, or stands in the wrong place; the row was left out |
//! | `role_date_invalid` | Warning | a beginning or end that is not a date; the role was left out |
//! | `role_not_current` | Note | a role that has not begun or has ended; it was left out |
//! | `role_unknown` | Note | a role the format does not know; read as another role |
//! | `role_unknown_org` | Warning | a role in an organization that was not read; it was left out |
//! | `role_unknown_user` | Warning | roles of a person who was not read; they were left out |
//! | `roster_part` | Error | one file of a roster of several; it is not read alone |
//! | `row_long` | Warning | more values than columns; the row was left out, for its values may have shifted |
//! | `row_over_lines` | Note | a value that goes over several lines |
//! | `row_shifted` | Warning | fewer values than columns, the last one empty; the row was left out, for its values may have shifted |
//! | `row_short` | Note | fewer values than columns, as spreadsheets cut rows; the missing ones were read as empty |
//! | `row_too_long` | Warning | a row over the cap; it was left out |
//! | `rows_missing` | Error | a header and nothing else, where that would empty the roster |
//! | `source_id_duplicate` | Warning | a second row with one id; the first one counts |
//! | `source_id_invalid` | Warning | an id that is too long or has hidden characters; the row was left out |
//! | `source_id_missing` | Warning | a row without an id; it was left out |
//! | `status_deleted` | Warning | a row marked as deleted; it was left out, as if it were not listed |
//! | `status_not_active` | Warning | a status that is not active; the person is read as not enabled |
//! | `utf8_invalid` | Warning | a value that is not UTF-8; the row was left out |
//! | `value_case` | Note | a word in other capitals than prescribed; it was understood |
//! | `version_unsupported` | Error | a version of OneRoster that is neither 1.0, 1.1 nor 1.2 |

use std::collections::{HashMap, HashSet};

use narthex_core::model::roster::{Finding, Place, Severity};

use crate::text;

macro_rules! codes {
    ($($severity:ident { $($code:ident)* })*) => {
        /// Every code with its severity: what programs may meet in `Finding::code`.
        pub const CODES: &[(&str, Severity)] = &[
            $($((stringify!($code), Severity::$severity),)*)*
        ];

        /// A code, as the modules of this crate name it.
        #[expect(non_camel_case_types, reason = "variants are the stable words themselves")]
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Code {
            $($($code,)*)*
        }

        impl Code {
            /// The stable word.
            pub(crate) fn word(self) -> &'static str {
                match self { $($(Self::$code => stringify!($code),)*)* }
            }

            /// How much it matters.
            pub(crate) fn severity(self) -> Severity {
                match self { $($(Self::$code => Severity::$severity,)*)* }
            }
        }
    };
}

codes! {
    Error {
        column_missing encoding_unsupported file_duplicate file_empty file_missing
        number_column_refused roster_part rows_missing version_unsupported
    }
    Warning {
        birthdate_impossible column_duplicate demographics_duplicate enabled_unknown field_too_long
        name_characters name_missing name_too_long number_duplicate number_invalid number_missing
        org_name_missing org_parent_loop org_parent_unknown path_unsafe person_without_role
        quotes_unbalanced role_date_invalid role_unknown_org role_unknown_user row_long row_shifted
        row_too_long source_id_duplicate source_id_invalid source_id_missing status_deleted
        status_not_active utf8_invalid
    }
    Note {
        birthdate_missing bulk_fields_filled byte_order_mark column_unknown date_not_prescribed
        date_order_chosen delimiter_other delta_fields_missing delta_mixed demographics_unknown_user
        email_invalid file_name_spelling file_unknown file_without_rows findings_more
        format_detected header_spelling manifest_disagrees manifest_missing manifest_value
        nested_folder number_chosen number_padded org_type_unknown password_ignored person_merged
        primary_org_not_member role_not_current role_unknown row_over_lines row_short value_case
    }
}

/// A value on its way into a finding.
#[derive(Clone, Copy)]
pub(crate) enum Shown<'a> {
    /// Shown escaped, cut, and masked if it looks like a date.
    Text(&'a str),
    /// Shown as `****`.
    Secret,
    /// There is no value, or it is empty.
    Nothing,
}

/// Collects findings; the number kept is bounded, all are counted.
pub(crate) struct Findings {
    list: Vec<Finding>,
    counts: HashMap<(Code, String), u64>,
    told: HashSet<(Code, String, Option<String>)>,
    per_code_max: u64,
    stopped: bool,
}

impl Findings {
    pub(crate) fn new(per_code_max: u64) -> Self {
        Self {
            list: Vec::new(),
            counts: HashMap::new(),
            told: HashSet::new(),
            per_code_max,
            stopped: false,
        }
    }

    /// Tells of one value, row or file.
    pub(crate) fn tell(&mut self, code: Code, place: Place, value: Shown<'_>, message: String) {
        let severity = code.severity();
        self.stopped |= severity == Severity::Error;
        let count = self.counts.entry((code, place.file.clone())).or_default();
        *count += 1;
        if *count > self.per_code_max && severity != Severity::Error {
            return;
        }
        self.list.push(Finding {
            severity,
            code: code.word(),
            place,
            value: match value {
                Shown::Text("") | Shown::Nothing => None,
                Shown::Text(value) => Some(text::shown(value)),
                Shown::Secret => Some(text::MASK.to_owned()),
            },
            message,
        });
    }

    /// Tells the first time only, per file and column.
    pub(crate) fn tell_once(
        &mut self,
        code: Code,
        place: Place,
        value: Shown<'_>,
        message: &'static str,
    ) {
        if self
            .told
            .insert((code, place.file.clone(), place.column.clone()))
        {
            self.tell(code, place, value, message.to_owned());
        }
    }

    /// Whether an Error was told: nothing of the input may be used.
    pub(crate) fn stopped(&self) -> bool {
        self.stopped
    }

    /// All of them, and how many more there were.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        let mut more: Vec<_> = self
            .counts
            .into_iter()
            .filter(|((code, _), count)| {
                *count > self.per_code_max && code.severity() != Severity::Error
            })
            .map(|((code, file), count)| (code.word(), file, count - self.per_code_max))
            .collect();
        more.sort();
        self.list
            .extend(more.into_iter().map(|(word, file, count)| Finding {
                severity: Code::findings_more.severity(),
                code: Code::findings_more.word(),
                place: whole_file(&file),
                value: None,
                message: format!("{count} more findings `{word}` in this file are not listed"),
            }));
        self.list
    }
}

/// A place that is a whole file.
pub(crate) fn whole_file(file: &str) -> Place {
    Place {
        file: file.to_owned(),
        line: 0,
        column: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_above_lists_every_code_with_its_severity_and_no_other() {
        let listed: Vec<(String, String)> = include_str!("findings.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `"))
            .filter_map(|line| {
                let (code, rest) = line.split_once("` | ")?;
                let (severity, meaning) = rest.split_once(" | ")?;
                assert!(meaning.len() > 10, "{code} has no meaning");
                Some((code.to_owned(), severity.to_owned()))
            })
            .collect();
        let mut codes: Vec<(String, String)> = CODES
            .iter()
            .map(|(code, severity)| ((*code).to_owned(), format!("{severity:?}")))
            .collect();
        codes.sort();
        assert_eq!(listed, codes);
    }

    #[test]
    fn findings_over_the_cap_are_counted_not_kept() {
        let mut findings = Findings::new(2);
        for line in 1..=5 {
            let place = Place {
                line,
                ..whole_file("users.csv")
            };
            findings.tell(Code::number_missing, place, Shown::Nothing, String::new());
        }
        let list = findings.finish();
        assert_eq!(list.len(), 3);
        assert_eq!(list[2].code, "findings_more");
        assert!(
            list[2]
                .message
                .starts_with("3 more findings `number_missing`")
        );
    }
}
