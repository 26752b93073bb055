//! `narthex person recovery-code`.

use narthex::core::portal::IssuedRecoveryCode;
use serde::{Deserialize, Serialize};

use super::login_id;
use crate::control::{Call, Desk, Operation, Reply};
use crate::failure::{Failure, Outcome};

/// Makes a recovery code for a person.
#[derive(Deserialize, Serialize)]
pub(crate) struct RecoveryCode {
    pub(super) number: String,
}

/// The code, shown once: nothing keeps it but the person.
#[derive(Deserialize, Serialize)]
pub(crate) struct Issued {
    number: String,
    listed: bool,
    code: Option<String>,
    hours: u64,
}

impl Operation for RecoveryCode {
    type Reply = Issued;

    async fn perform(self, desk: &Desk, call: &Call) -> Result<Issued, Failure> {
        let number = login_id(&self.number)?;
        let issued = desk
            .portal
            .issue_recovery_code(&number, &call.asker)
            .await?;
        let (listed, code) = match issued {
            IssuedRecoveryCode::Unknown => (false, None),
            IssuedRecoveryCode::NothingToRecover => (true, None),
            IssuedRecoveryCode::Issued { code, .. } => (true, Some(code.expose().to_string())),
        };
        let lifetime = desk.portal.policy().recovery.issued_code_lifetime;
        Ok(Issued {
            number: number.as_str().to_owned(),
            listed,
            code,
            hours: lifetime.as_secs() / 3600,
        })
    }
}

impl Reply for Issued {
    fn outcome(&self) -> Outcome {
        Outcome::yes(self.code.is_some())
    }

    fn tell(&self) {
        match &self.code {
            Some(code) => {
                say!("{code}");
                say!();
                say!(
                    "For {} alone, once, within {} hours, on the page \"Forgot my password\". It \
                     is shown only here; a new one makes it worthless.",
                    self.number,
                    self.hours
                );
            }
            None if self.listed => say!(
                "There is no account in use to recover: it is not claimed yet, or it is turned off."
            ),
            None => say!("The roster has no number {}.", self.number),
        }
    }
}
