//! `narthex person disable` and `enable`.

use narthex::core::portal::PersonStatusChange;
use serde::{Deserialize, Serialize};

use super::login_id;
use crate::control::{Call, Desk, Operation, Reply};
use crate::failure::{Failure, Outcome};

/// Disables a person, or enables one.
#[derive(Deserialize, Serialize)]
pub(crate) struct SetStatus {
    pub(super) number: String,
    pub(super) disabled: bool,
}

/// Whether something was changed, and what ended with it.
#[derive(Deserialize, Serialize)]
pub(crate) struct StatusSet {
    number: String,
    listed: bool,
    disabled: bool,
    changed: bool,
    sessions_ended: usize,
}

impl Operation for SetStatus {
    type Reply = StatusSet;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<StatusSet, Failure> {
        let number = login_id(&self.number)?;
        let (portal, asker) = (&desk.portal, &call.asker);
        let change = match self.disabled {
            true => portal.disable_person(&number, asker).await?,
            false => portal.enable_person(&number, asker).await?,
        };
        let (listed, changed, sessions_ended) = match change {
            PersonStatusChange::Unknown => (false, false, 0),
            PersonStatusChange::AsBefore => (true, false, 0),
            PersonStatusChange::Changed {
                sessions_ended,
                listed,
            } => (listed, true, sessions_ended),
        };
        Ok(StatusSet {
            number: number.as_str().to_owned(),
            listed,
            disabled: self.disabled,
            changed,
            sessions_ended,
        })
    }
}

impl Reply for StatusSet {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.changed)
    }

    fn tell(&self) {
        let number = &self.number;
        match (self.changed, self.listed, self.disabled) {
            (false, false, _) => say!("The roster has no number {number}."),
            (false, true, true) => say!("{number} was disabled already."),
            (false, true, false) => say!("{number} was not disabled: nothing was changed."),
            (true, _, true) => {
                say!(
                    "{number} is disabled, and was logged out in {} browsers.",
                    self.sessions_ended
                );
                say!("No import enables them again: `narthex person enable {number}` does.");
            }
            (true, true, false) => say!("{number} is enabled: the password is as it was."),
            (true, false, false) => {
                say!("{number} is enabled, and stays out as long as no roster lists them.");
            }
        }
    }
}
