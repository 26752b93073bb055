//! The person is told of a log-in from a browser that the account did not know (ASVS 6.3.5).

use super::organizations::DAY;
use super::{Asker, Portal};
use crate::error::Result;
use crate::model::{AccountId, EntryKey, MessageKind, Now, Person};
use crate::store::ChangeSet;
use crate::store::records::person_key;

impl Portal {
    /// Adds the message to the change set of a log-in, where it is one to tell. Not told are a browser
    /// that is known, a computer of a named network (there, every browser is new), and the first log-in
    /// after a claim, which was told already.
    pub(super) async fn tell_of_new_browser(
        &self,
        changes: &mut ChangeSet,
        account: AccountId,
        entry: &EntryKey,
        asker: &Asker,
        now: Now,
    ) -> Result<()> {
        // Without a channel nobody would ever read it: see `MessageKind::is_told_at_log_in`.
        if !self.policy().messages.deliver
            || self.known_mark(entry, asker)?.is_some()
            || self.named_network(asker).is_some()
            || self.is_first_log_in(account, now).await?
        {
            return Ok(());
        }
        self.tell(changes, account, MessageKind::NewBrowser, asker, now)
            .await
    }

    /// Families are let go after a while: their absence alone does not make a log-in the first.
    async fn is_first_log_in(&self, account: AccountId, now: Now) -> Result<bool> {
        let Some(person) = self.read::<Person>(&person_key(account)).await? else {
            return Ok(false);
        };
        let claimed_lately = now.latest < person.value.claimed_at.plus(DAY);
        Ok(claimed_lately && self.selectors_of(account).await?.is_empty())
    }
}
