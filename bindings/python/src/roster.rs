//! Rosters: from files, or as values.

use std::path::PathBuf;

use narthex::SystemClock;
use narthex::core::host::Clock;
use narthex::core::model::roster::{
    Finding, RosterBatch, RosterOrganization, RosterPerson, Severity,
};
use narthex::core::model::{
    Birthdate, Contact, InvalidInput, LoginId, Membership, OrganizationId, OrganizationKind, Role,
};
use narthex::core::portal::{HoldDecision, HoldScope, ImportOptions, ImportReport, Portal};
use narthex::oneroster::{self, Date, DateOrder, Format, NUMBER_WIDTH_MAX, ReadError, ReadOptions};
use pyo3::prelude::*;

use crate::engine::Engine;
use crate::errors::{Failure, invalid_argument};
use crate::operation::Operation;
use crate::{arguments, values};

/// How files are read.
#[derive(FromPyObject)]
pub(crate) struct ReadingArgument {
    format: Option<String>,
    date_order: Option<String>,
    number_column: Option<String>,
    number_width: Option<Py<PyAny>>,
    source: Option<String>,
    organization: Option<String>,
    delta: bool,
}

impl ReadingArgument {
    pub(crate) fn into_options(self, py: Python<'_>) -> PyResult<ReadOptions> {
        let today = Date::of_timestamp(SystemClock.read().wall);
        let today =
            today.ok_or_else(|| crate::errors::unusable(py, "the clock is after the year 9999"))?;
        let mut options = ReadOptions::new(today);
        options.format = match self.format.as_deref() {
            None => None,
            Some("oneroster") => Some(Format::OneRoster),
            Some("sds") => Some(Format::Sds),
            Some("csv") => Some(Format::Csv),
            Some(_) => {
                let message = "is none of \"oneroster\", \"sds\", \"csv\"";
                return Err(invalid_argument(py, "format", message));
            }
        };
        options.date_order = match self.date_order.as_deref() {
            None => None,
            Some("ymd") => Some(DateOrder::Ymd),
            Some("mdy") => Some(DateOrder::Mdy),
            Some("dmy") => Some(DateOrder::Dmy),
            Some(_) => {
                let message = "is none of \"ymd\", \"mdy\", \"dmy\"";
                return Err(invalid_argument(py, "date_order", message));
            }
        };
        options.number_column = self.number_column;
        if let Some(said) = self.number_width {
            let width = said.extract(py).ok();
            let width = width.filter(|width| (1..=NUMBER_WIDTH_MAX).contains(width));
            options.number_width = Some(width.ok_or_else(|| {
                let message = format!("is not from 1 to {NUMBER_WIDTH_MAX} digits");
                invalid_argument(py, "number_width", &message)
            })?);
        }
        options.source = self.source;
        options.organization = self.organization;
        options.delta = self.delta;
        Ok(options)
    }
}

/// What an import did, and what was found on the way.
#[derive(Default)]
pub(crate) struct Import {
    /// `None`: the files cannot be used.
    pub(crate) report: Option<ImportReport>,
    pub(crate) findings: Vec<Finding>,
    /// Rows that could not be read, or were left out.
    pub(crate) left_out: usize,
}

impl Import {
    /// Whether nothing that was found forbids to go on.
    pub(crate) fn is_usable(&self) -> bool {
        let is_error = |finding: &Finding| finding.severity == Severity::Error;
        !self.findings.iter().any(is_error)
    }

    pub(crate) fn shown<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::import_report(py, self.report.as_ref(), &self.findings, self.left_out)
    }
}

pub(crate) async fn import_files(
    portal: Portal,
    path: PathBuf,
    options: ReadOptions,
    mut asked: ImportOptions,
) -> Result<Import, Failure> {
    let reading = oneroster::read(&path, &options);
    let reading = reading.map_err(|error| {
        let argument = match error {
            ReadError::OrganizationForPlainCsv => "organization",
            _ => "roster",
        };
        Failure::Argument(argument, error.to_string())
    })?;
    let left_out = reading.left_out.len();
    asked.source_is_claimed = reading.source_is_claimed;
    if !reading.is_usable() {
        return Ok(Import {
            report: None,
            findings: reading.findings,
            left_out,
        });
    }
    let mut import = import_batch(portal, reading.batch, asked).await?;
    import.findings.splice(0..0, reading.findings);
    import.left_out += left_out;
    Ok(import)
}

pub(crate) async fn import_batch(
    portal: Portal,
    batch: RosterBatch,
    asked: ImportOptions,
) -> Result<Import, Failure> {
    let report = portal.import_roster(batch, asked, &|_| ()).await?;
    Ok(Import {
        findings: report.findings.clone(),
        left_out: report.left_out,
        report: Some(report),
    })
}

/// `narthex.RosterBatch`
#[derive(FromPyObject)]
pub(crate) struct BatchArgument {
    source: String,
    complete: bool,
    organizations: Vec<OrganizationArgument>,
    people: Vec<PersonArgument>,
}

#[derive(FromPyObject)]
struct OrganizationArgument {
    id: String,
    name: String,
    kind: String,
    parent: Option<String>,
    contacts: Vec<ContactArgument>,
}

#[derive(FromPyObject)]
pub(crate) struct ContactArgument {
    name: String,
    role: String,
    email: Option<String>,
}

impl From<ContactArgument> for Contact {
    fn from(said: ContactArgument) -> Self {
        Self {
            name: said.name,
            role: said.role,
            email: said.email,
        }
    }
}

#[derive(FromPyObject)]
struct PersonArgument {
    source_id: String,
    login_id: String,
    given_name: String,
    family_name: String,
    preferred_given_name: Option<String>,
    preferred_family_name: Option<String>,
    birthdate: Option<Py<PyAny>>,
    memberships: Vec<MembershipArgument>,
    default_organization: Option<String>,
    enabled: bool,
}

#[derive(FromPyObject)]
struct MembershipArgument {
    organization: String,
    role: String,
}

impl BatchArgument {
    pub(crate) fn into_batch(self, py: Python<'_>) -> PyResult<RosterBatch> {
        let organizations = self.organizations.into_iter();
        let organizations: PyResult<_> = organizations
            .enumerate()
            .map(|(index, one)| one.organization(py, &format!("roster.organizations[{index}]")))
            .collect();
        let people = self.people.into_iter();
        let people: PyResult<_> = people
            .enumerate()
            .map(|(index, one)| one.person(py, &format!("roster.people[{index}]")))
            .collect();
        Ok(RosterBatch {
            source: self.source,
            complete: self.complete,
            organizations: organizations?,
            people: people?,
            changes: Vec::new(),
        })
    }
}

fn wrong<T>(py: Python<'_>, at: &str, taken: Result<T, InvalidInput>) -> PyResult<T> {
    taken.map_err(|error| invalid_argument(py, at, error.0))
}

impl OrganizationArgument {
    fn organization(self, py: Python<'_>, at: &str) -> PyResult<RosterOrganization> {
        let kind = match self.kind.as_str() {
            "school" => OrganizationKind::School,
            "district" => OrganizationKind::District,
            "other" => OrganizationKind::Other,
            _ => {
                let message = "is none of \"school\", \"district\", \"other\"";
                return Err(invalid_argument(py, &format!("{at}.kind"), message));
            }
        };
        let parent = self.parent.as_deref().map(OrganizationId::parse);
        Ok(RosterOrganization {
            id: wrong(py, &format!("{at}.id"), OrganizationId::parse(&self.id))?,
            name: self.name,
            kind,
            parent: wrong(py, &format!("{at}.parent"), parent.transpose())?,
            contacts: self.contacts.into_iter().map(Contact::from).collect(),
        })
    }
}

impl PersonArgument {
    fn person(self, py: Python<'_>, at: &str) -> PyResult<RosterPerson> {
        let mut memberships = Vec::new();
        for said in &self.memberships {
            let id = OrganizationId::parse(&said.organization);
            let role = Role::from_code(&said.role);
            let role = role.ok_or(InvalidInput("is no role: see narthex.ROLES"));
            memberships.push(Membership {
                organization: wrong(py, &format!("{at}.memberships"), id)?,
                role: wrong(py, &format!("{at}.memberships"), role)?,
            });
        }
        let default = match (self.default_organization.as_deref(), memberships.first()) {
            (Some(id), _) => OrganizationId::parse(id),
            (None, Some(first)) => Ok(first.organization.clone()),
            (None, None) => Err(InvalidInput("is missing, and there is no membership")),
        };
        let birthdate_at = format!("{at}.birthdate");
        let birthdate = match &self.birthdate {
            None => None,
            Some(said) => {
                let written = arguments::birthdate_text(said.bind(py), &birthdate_at)?;
                Some(wrong(py, &birthdate_at, Birthdate::parse(&written))?)
            }
        };
        let login_id = LoginId::parse(&self.login_id);
        Ok(RosterPerson {
            source_id: self.source_id,
            login_id: wrong(py, &format!("{at}.login_id"), login_id)?,
            given_name: self.given_name,
            family_name: self.family_name,
            preferred_given_name: self.preferred_given_name,
            preferred_family_name: self.preferred_family_name,
            birthdate,
            default_organization: wrong(py, &format!("{at}.default_organization"), default)?,
            memberships,
            enabled: self.enabled,
            place: Default::default(),
        })
    }
}

/// Imports that wait for a human.
#[pyfunction]
pub(crate) fn roster_holds(py: Python<'_>, engine: PyRef<'_, Engine>) -> PyResult<Operation> {
    engine.operation(
        py,
        |portal| async move { Ok(portal.roster_holds().await?) },
        |py, holds| values::desk::holds(py, &holds),
    )
}

/// Settles what imports held back: the people have left, or they stay. `(made inactive, stayed)`
#[pyfunction]
pub(crate) fn settle_holds(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    confirm: bool,
    source: Option<String>,
    organization: Option<Bound<'_, PyAny>>,
) -> PyResult<Operation> {
    let organization = organization.map(|id| arguments::organization(&id, "organization"));
    let scope = HoldScope {
        source,
        organization: organization.transpose()?,
    };
    let decision = decision(confirm);
    engine.operation(
        py,
        |portal| async move {
            let settled = portal.settle_holds(decision, &scope, &|_| ()).await?;
            let deactivated: usize = settled.iter().map(|hold| hold.deactivated).sum();
            let stayed: usize = settled.iter().map(|hold| hold.stayed).sum();
            Ok((deactivated, stayed))
        },
        |py, counts| Ok(counts.into_pyobject(py)?.into_any()),
    )
}

/// Whether the people who were held have left.
pub(crate) fn decision(confirm: bool) -> HoldDecision {
    if confirm {
        HoldDecision::Confirm
    } else {
        HoldDecision::Discard
    }
}
