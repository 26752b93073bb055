//! The people of the sample school, with what they would type.

use std::path::Path;

use narthex::core::host::Clock;
use narthex::oneroster::{Date, ReadOptions, read};

/// What a person knows of themselves.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) given_name: String,
    pub(crate) family_name: String,
    pub(crate) birthdate: String,
    pub(crate) login_id: String,
}

/// The sample roster that is in the binary.
pub(crate) fn sample() -> &'static str {
    concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/rosters/oneroster-v1p2-98-users/package.zip"
    )
}

/// Everybody who can claim.
pub(crate) fn claimable() -> Vec<Facts> {
    let today = Date::of_timestamp(narthex::SystemClock.read().wall).unwrap();
    let reading = read(Path::new(sample()), &ReadOptions::new(today)).unwrap();
    let people = reading
        .batch
        .people
        .into_iter()
        .filter(|person| person.enabled);
    let facts = people.filter_map(|person| {
        Some(Facts {
            birthdate: person.birthdate?.expose(),
            given_name: person.given_name,
            family_name: person.family_name,
            login_id: person.login_id.as_str().to_owned(),
        })
    });
    facts.collect()
}
