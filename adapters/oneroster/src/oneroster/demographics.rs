//! demographics.csv: of all it holds, only the birthdate is read.

use std::collections::{HashMap, hash_map::Entry};

use narthex_core::model::{Birthdate, roster::Place};

use super::{BulkColumns, Edition, Listed};
use crate::{
    ReadOptions,
    catalog::Input,
    date::{OrderVotes, RawDate},
    error::ReadError,
    findings::{Code, Findings, Shown},
    people,
    table::Schema,
};

static SCHEMA: Schema = Schema {
    file: "demographics.csv",
    required: &["sourcedId", "birthDate"],
    optional: &[
        "status",
        "dateLastModified",
        "sex",
        "americanIndianOrAlaskaNative",
        "asian",
        "blackOrAfricanAmerican",
        "nativeHawaiianOrOtherPacificIslander",
        "white",
        "demographicRaceTwoOrMoreRaces",
        "hispanicOrLatinoEthnicity",
        "countryOfBirthCode",
        "stateOfBirthAbbreviation",
        "cityOfBirth",
        "publicSchoolResidenceStatus",
    ],
    // The name of OneRoster 1.0.
    aliases: &[("userSourcedId", "sourcedId")],
};

/// What is known of one person's birthdate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Born {
    On(Birthdate),
    /// Something stands there, and it was told that it is no birthdate.
    Unreadable,
    /// A delta says that there is none.
    Nowhere,
}

/// Birthdates by the person's id, with the line they stand on.
#[derive(Default)]
pub(super) struct Birthdates {
    by_person: HashMap<String, (Born, u64)>,
    file: String,
    id_label: Option<String>,
}

impl Birthdates {
    pub(super) fn take(&mut self, source_id: &str) -> Option<Born> {
        self.by_person.remove(source_id).map(|(born, _)| born)
    }

    /// Who is left.
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.by_person.keys()
    }

    /// Where a person's birthdate stands.
    pub(super) fn place(&self, source_id: &str) -> Place {
        Place {
            file: self.file.clone(),
            line: self.by_person.get(source_id).map_or(0, |(_, line)| *line),
            column: None,
        }
    }

    /// Tells of the rows nobody took.
    pub(super) fn tell_left(self, findings: &mut Findings) {
        let mut left: Vec<_> = self
            .by_person
            .into_iter()
            .map(|(id, (_, line))| (line, id))
            .collect();
        left.sort();
        for (line, id) in left {
            let place = Place {
                file: self.file.clone(),
                line,
                column: self.id_label.clone(),
            };
            let message = "no such person was read from users.csv; the row was ignored".to_owned();
            let value = Shown::Text(&id);
            findings.tell(Code::demographics_unknown_user, place, value, message);
        }
    }
}

pub(super) fn read(
    input: &mut Input<'_>,
    options: &ReadOptions,
    edition: Edition,
    findings: &mut Findings,
) -> Result<Birthdates, ReadError> {
    let Some(mut table) = input.table(&SCHEMA, findings)? else {
        return Ok(Birthdates::default());
    };
    let bulk = BulkColumns::of(&mut table, edition);
    let (id_column, born_column) = (table.column("sourcedId"), table.column("birthDate"));
    let mut votes = OrderVotes::default();
    let mut rows: Vec<(String, Option<RawDate>, u64)> = Vec::new();
    let mut nowhere: Vec<(String, u64)> = Vec::new();
    while let Some(row) = table.next(findings)? {
        let Some(id) = people::source_id(&row, id_column, findings) else {
            continue;
        };
        if bulk.judge(&row, findings) == Listed::Deleted || row.get(born_column).is_empty() {
            if edition.delta {
                nowhere.push((id.to_owned(), row.line));
            }
            continue;
        }
        let raw = people::raw_birthdate(&row, born_column, &mut votes, findings);
        if raw.is_some_and(|raw| !raw.is_prescribed()) {
            let message = "not written YYYY-MM-DD, as OneRoster prescribes; read, here and below";
            let place = row.place_of(born_column);
            findings.tell_once(Code::date_not_prescribed, place, Shown::Secret, message);
        }
        rows.push((id.to_owned(), raw, row.line));
    }
    if table.rows() == 0 {
        people::tell_without_rows(table.file(), false, findings);
    }
    let nowhere = nowhere.into_iter();
    let mut birthdates = Birthdates {
        file: table.file().to_owned(),
        id_label: table.label(id_column),
        by_person: nowhere
            .map(|(id, line)| (id, (Born::Nowhere, line)))
            .collect(),
    };
    let label = table.label(born_column);
    let file = table.file().to_owned();
    let order = people::date_order(&votes, options.date_order, &file, label.clone(), findings)?;
    for (id, raw, line) in rows {
        let place = || Place {
            file: file.clone(),
            line,
            column: label.clone(),
        };
        let born = raw
            .and_then(|raw| people::birthdate(raw, order, options.today, place, findings))
            .map_or(Born::Unreadable, Born::On);
        birthdates.add(id, born, place(), findings);
    }
    Ok(birthdates)
}

impl Birthdates {
    fn add(&mut self, id: String, born: Born, place: Place, findings: &mut Findings) {
        match self.by_person.entry(id) {
            Entry::Vacant(slot) => {
                slot.insert((born, place.line));
            }
            Entry::Occupied(first) if first.get().0 == born => {}
            Entry::Occupied(first) => {
                let message = format!(
                    "another birthdate for the person of line {}; that line counts",
                    first.get().1
                );
                findings.tell(Code::demographics_duplicate, place, Shown::Secret, message);
            }
        }
    }
}
