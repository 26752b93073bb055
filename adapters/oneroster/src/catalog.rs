//! Which roster files are there, under which spelling and in which folder.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{
    csv,
    error::ReadError,
    findings::{Code, Findings, Shown, whole_file},
    limits::{Counted, Limits},
    source::FileSource,
    table::{Schema, Table},
    text,
};

/// Files of OneRoster 1.2; only those of people and organizations are read.
const ONEROSTER_FILES: &[&str] = &[
    "manifest.csv",
    "academicSessions.csv",
    "categories.csv",
    "classes.csv",
    "classResources.csv",
    "courses.csv",
    "courseResources.csv",
    "demographics.csv",
    "enrollments.csv",
    "lineItemLearningObjectiveIds.csv",
    "lineItems.csv",
    "lineItemScoreScales.csv",
    "orgs.csv",
    "resources.csv",
    "resultLearningObjectiveIds.csv",
    "results.csv",
    "resultScoreScales.csv",
    "roles.csv",
    "scoreScales.csv",
    "userProfiles.csv",
    "userResources.csv",
    "users.csv",
];

/// Files of School Data Sync v1; only the first three are read.
const SDS_FILES: &[&str] = &[
    "School.csv",
    "Student.csv",
    "Teacher.csv",
    "Section.csv",
    "StudentEnrollment.csv",
    "TeacherRoster.csv",
    "User.csv",
    "GuardianRelationship.csv",
];

/// The files of an input and what may still be read of them.
pub(crate) struct Input<'s> {
    files: &'s mut dyn FileSource,
    /// Prescribed name -> name in the source.
    found: BTreeMap<&'static str, String>,
    pub(crate) limits: &'s Limits,
    total_left: Rc<Cell<u64>>,
}

impl<'s> Input<'s> {
    /// Lists the input. `plain`: whether it is to be one plain CSV file; `None`: if it is that and
    /// nothing else.
    ///
    /// # Errors
    /// It holds no roster, or more than one, or too many files.
    pub(crate) fn new(
        files: &'s mut dyn FileSource,
        limits: &'s Limits,
        plain: Option<bool>,
        findings: &mut Findings,
    ) -> Result<Self, ReadError> {
        let names = files.names(limits)?;
        let members: Vec<Member> = names
            .iter()
            .filter_map(|name| Member::of(name, findings))
            .collect();
        let found = match (plain, only_csv(&members)) {
            (Some(true), Some(only)) => BTreeMap::from([(csv::SCHEMA.file, only)]),
            (Some(true), None) => return Err(ReadError::NotARoster),
            (None, Some(only)) if members.iter().all(|member| member.known.is_none()) => {
                BTreeMap::from([(csv::SCHEMA.file, only)])
            }
            _ => match_names(&members, &choose_folder(&members, findings)?, findings),
        };
        Ok(Self {
            found,
            files,
            limits,
            total_left: Rc::new(Cell::new(limits.total_bytes_max)),
        })
    }

    /// Whether a file is there.
    pub(crate) fn has(&self, file: &str) -> bool {
        self.found.contains_key(file)
    }

    /// Whether any file of OneRoster is there, and any of School Data Sync.
    pub(crate) fn formats(&self) -> (bool, bool) {
        let any = |files: &[&str]| files.iter().any(|file| self.has(file));
        (any(ONEROSTER_FILES), any(SDS_FILES))
    }

    /// The name of a file as it is spelled here.
    pub(crate) fn spelled(&self, file: &'static str) -> String {
        let name = self.found.get(file).map_or(file, String::as_str);
        name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned()
    }

    /// Opens a file and reads its header. `None` where it is not there, or after an Error finding.
    ///
    /// # Errors
    /// It cannot be read, or is over a cap.
    pub(crate) fn table(
        &mut self,
        schema: &'static Schema,
        findings: &mut Findings,
    ) -> Result<Option<Table<'_>>, ReadError> {
        let file = self.spelled(schema.file);
        let Some(name) = self.found.get(schema.file) else {
            return Ok(None);
        };
        let bytes = self.files.open(name, self.limits)?;
        let counted = Counted::new(bytes, &file, Rc::clone(&self.total_left), self.limits);
        Table::open(Box::new(counted), file, schema, self.limits, findings)
    }
}

/// A file name taken apart.
struct Member<'n> {
    whole: &'n str,
    folder: String,
    file: &'n str,
    /// The prescribed name it matches but for capitals.
    known: Option<&'static str>,
}

impl<'n> Member<'n> {
    /// `None` for folders, hidden files, and paths that lead out of the zip.
    fn of(whole: &'n str, findings: &mut Findings) -> Option<Self> {
        let parts: Vec<&str> = whole.split(['/', '\\']).collect();
        let (file, folders) = parts.split_last()?;
        let rooted =
            whole.starts_with(['/', '\\']) || parts.first().is_some_and(|p| p.contains(':'));
        if rooted || parts.contains(&"..") {
            findings.tell(
                Code::path_unsafe,
                whole_file(&text::shown(whole)),
                Shown::Text(whole),
                "the path leads out of the zip; this file was not read".to_owned(),
            );
            return None;
        }
        let hidden = |part: &&str| part.starts_with('.') || *part == "__MACOSX";
        if file.is_empty() || parts.iter().any(hidden) {
            return None;
        }
        let known = ONEROSTER_FILES
            .iter()
            .chain(SDS_FILES)
            .find(|known| known.eq_ignore_ascii_case(file));
        Some(Self {
            whole,
            folder: folders.join("/"),
            file,
            known: known.copied(),
        })
    }
}

/// The one CSV file of an input.
fn only_csv(members: &[Member]) -> Option<String> {
    let is_csv = |member: &&Member| {
        let name = member.file.to_ascii_lowercase();
        [".csv", ".tsv", ".txt"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    let mut files = members.iter().filter(is_csv);
    match (files.next(), files.next()) {
        (Some(only), None) => Some(only.whole.to_owned()),
        _ => None,
    }
}

/// The one folder that holds roster files: the root, or a single other one.
fn choose_folder(members: &[Member], findings: &mut Findings) -> Result<String, ReadError> {
    let folders: BTreeSet<&str> = members
        .iter()
        .filter(|member| member.known.is_some())
        .map(|member| member.folder.as_str())
        .collect();
    let mut folders = folders.into_iter();
    match (folders.next(), folders.next()) {
        (None, _) => Err(ReadError::NotARoster),
        (Some(""), _) => Ok(String::new()),
        (Some(folder), None) => {
            findings.tell(
                Code::nested_folder,
                whole_file(""),
                Shown::Text(folder),
                "the files lie in a folder of the zip, not at its root; they were read".to_owned(),
            );
            Ok(folder.to_owned())
        }
        (Some(first), Some(second)) => Err(ReadError::SeveralRosters {
            first: text::shown(first),
            second: text::shown(second),
        }),
    }
}

fn match_names(
    members: &[Member],
    folder: &str,
    findings: &mut Findings,
) -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    for member in members.iter().filter(|member| member.folder == folder) {
        let place = whole_file(&text::shown(member.file));
        let value = Shown::Text(member.file);
        let Some(known) = member.known else {
            if member.file.to_ascii_lowercase().ends_with(".csv") {
                let message = "no file of this format; it was not read".to_owned();
                findings.tell(Code::file_unknown, place, value, message);
            }
            continue;
        };
        if found.insert(known, member.whole.to_owned()).is_some() {
            let message = format!("{known} is there twice; remove one of them");
            findings.tell(Code::file_duplicate, place, value, message);
        } else if known != member.file {
            let message = format!("the prescribed name is {known}; it was read all the same");
            findings.tell(Code::file_name_spelling, place, value, message);
        }
    }
    found
}
