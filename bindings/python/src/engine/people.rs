//! One person: prepared, disabled, given out, erased. As [`super::office`], asked on the machine itself.

use narthex::core::OrganizationId;
use narthex::core::model::{Birthdate, InvalidInput, Role};
use narthex::core::portal::NewPerson;
use narthex::core::rules::claim::parse_name;
use pyo3::prelude::*;

use super::Engine;
use crate::arguments::{self, AskerArgument, asker};
use crate::operation::Operation;
use crate::values::people as values;

/// `narthex.NewPerson`
#[derive(FromPyObject)]
pub(crate) struct NewPersonArgument<'py> {
    login_id: Bound<'py, PyAny>,
    given_name: Bound<'py, PyAny>,
    family_name: Bound<'py, PyAny>,
    organization: Bound<'py, PyAny>,
    role: Bound<'py, PyAny>,
    birthdate: Option<Bound<'py, PyAny>>,
    organization_name: Option<Bound<'py, PyAny>>,
}

impl NewPersonArgument<'_> {
    fn into_person(self) -> PyResult<NewPerson> {
        let name = |typed: &Bound<'_, PyAny>, name: &'static str| {
            let parse = |typed: &str| parse_name(typed, InvalidInput("is needed"));
            arguments::parsed(typed, name, parse)
        };
        let given = name(&self.given_name, "given_name")?;
        let family = name(&self.family_name, "family_name")?;
        let login_id = arguments::login_id(&self.login_id, "login_id")?;
        let organization: OrganizationId =
            arguments::organization(&self.organization, "organization")?;
        let role = arguments::parsed(&self.role, "role", |code| {
            Role::from_code(code).ok_or(InvalidInput("is no role: see narthex.ROLES"))
        })?;
        let mut person = arguments::parsed(&self.given_name, "given_name", |_| {
            NewPerson::new(login_id, &given, &family, organization, role)
        })?;
        if let Some(said) = self.birthdate {
            let written = arguments::birthdate_text(&said, "birthdate")?;
            let parsed = Birthdate::parse(&written)
                .map_err(|wrong| crate::errors::invalid_argument(said.py(), "birthdate", wrong.0));
            person.birthdate = Some(parsed?);
        }
        if let Some(said) = self.organization_name {
            let written = name(&said, "organization_name")?;
            person.organization_name = Some(written);
        }
        Ok(person)
    }
}

/// Prepares a person by hand.
#[pyfunction]
pub(crate) fn create_person(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    person: NewPersonArgument<'_>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let person = person.into_person()?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move { Ok(portal.create_person(&person, &asker).await?) },
        |py, created| values::created_person(py, &created),
    )
}

/// Shuts a person out.
#[pyfunction]
pub(crate) fn disable_person(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    login_id: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move { Ok(portal.disable_person(&login_id, &asker).await?) },
        values::person_status_change,
    )
}

/// Takes that back.
#[pyfunction]
pub(crate) fn enable_person(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    login_id: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move { Ok(portal.enable_person(&login_id, &asker).await?) },
        values::person_status_change,
    )
}

/// Everything that is stored about a person.
#[pyfunction]
pub(crate) fn export_person(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    login_id: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move { Ok(portal.export_person(&login_id, &asker).await?) },
        |py, export| crate::values::or_none(py, export, |py, all| values::export(py, &all)),
    )
}

/// Removes everything that tells of a person.
#[pyfunction]
pub(crate) fn erase_person(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    login_id: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move { Ok(portal.erase_person(&login_id, &asker).await?) },
        values::erased_person,
    )
}

/// Lets a number name somebody again.
#[pyfunction]
pub(crate) fn readmit_number(
    py: Python<'_>,
    engine: PyRef<'_, Engine>,
    login_id: &Bound<'_, PyAny>,
    asker: Option<AskerArgument>,
) -> PyResult<Operation> {
    let login_id = arguments::login_id(login_id, "login_id")?;
    let asker = self::asker(asker);
    engine.operation(
        py,
        |portal| async move { Ok(portal.readmit_number(&login_id, &asker).await?) },
        |py, readmitted| Ok(readmitted.into_pyobject(py)?.to_owned().into_any()),
    )
}
