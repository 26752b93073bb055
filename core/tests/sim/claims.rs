//! Claims, claim codes, resets.

use futures_executor::block_on;
use narthex_core::model::EndReason;
use narthex_core::portal::{IssueClaimCode, ResetClaim};
use narthex_core::{Error, Refusal};

use crate::support::*;
use crate::world::{PEOPLE, Simulation};

impl Simulation {
    pub(crate) fn claim(&mut self) {
        let n = self.dice.index(PEOPLE);
        let text = format!("a password of roll {}", self.dice.roll(1 << 30));
        // After a reset only a code claims, until an import brings the birthdate again.
        let code = self.dice.once_in(2).then(|| self.claim_code(n)).flatten();
        let outcome = block_on(claim_with(&self.portal, n, &text, code.as_deref()));
        let applied = match &outcome {
            Ok(_) => true,
            Err(error) => self.store.landed(error, "gate/"),
        };
        if applied {
            let person = &self.people[n];
            assert!(
                person.listed && person.password.is_none(),
                "person {n} claimed twice"
            );
            self.new_password(n, Some(text));
            self.new_era(n, EndReason::ReClaimed);
            self.count("claimed");
        } else if let Err(Error::Refused(refusal)) = outcome {
            // A full claim lane may refuse too: faults leave reservations behind.
            let expected = matches!(
                refusal,
                Refusal::ClaimNotMatched | Refusal::ClaimExpired | Refusal::Throttled { .. }
            );
            assert!(expected, "{refusal:?}");
        }
    }

    /// A code of the office, if it could issue one.
    fn claim_code(&mut self, n: usize) -> Option<String> {
        let issued = block_on(self.portal.issue_claim_code(&number(n), &asker()));
        self.store.forget_lost();
        match issued {
            Ok(IssueClaimCode::Issued(issued)) => {
                assert!(
                    self.people[n].password.is_none(),
                    "a code for who has claimed"
                );
                self.count("claim codes");
                Some(issued.code.expose().to_string())
            }
            _ => None,
        }
    }

    pub(crate) fn reset_claim(&mut self) {
        let n = self.dice.index(PEOPLE);
        let outcome = block_on(self.portal.reset_claim(&number(n), &asker()));
        let claimed = self.people[n].password.is_some();
        let applied = match &outcome {
            Ok(ResetClaim::Reset(issued)) => {
                assert!(claimed && !issued.needs_birthdate);
                true
            }
            Ok(other) => {
                assert!(
                    matches!(other, ResetClaim::NotClaimed) && !claimed,
                    "{other:?}"
                );
                false
            }
            Err(error) => self.store.landed(error, "gate/"),
        };
        if applied {
            self.new_password(n, None);
            self.people[n].lanes.clear();
            self.codes_die(n);
            self.new_era(n, EndReason::StaffReset);
            self.count("resets");
        }
    }
}
