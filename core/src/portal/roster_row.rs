//! What one row of a roster means for the store: its entry, the gate of its account, the counts.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asker, Portal, put};
use crate::error::Result;
use crate::event::EventKind;
use crate::host::KeyPurpose;
use crate::model::roster::{Finding, RosterPerson};
use crate::model::{
    AccountId, EndReason, EntryDetails, EntryKey, Gate, GateStatus, Listing, LoginId, Membership,
    OrganizationId, Person, RosterEntry,
};
use crate::rules::claim::{birthdate_digest, name_pair_digest};
use crate::rules::roster::{
    is_another_human, replaced_finding, reused_finding, two_sources_finding,
};
use crate::store::records::{SourceRow, entry_key, gate_key, person_key, statistic_cell};
use crate::store::{ChangeSet, Key};

/// What a row means for the store.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) changes: ChangeSet,
    pub(super) statistics: BTreeMap<(OrganizationId, &'static str, &'static str), i64>,
    pub(super) outcome: Option<Outcome>,
    pub(super) findings: Vec<Finding>,
    pub(super) ended: Vec<AccountId>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Added,
    Changed,
    Unchanged,
}

impl Portal {
    pub(super) async fn plan_row(
        &self,
        source: &str,
        person: &RosterPerson,
        shared: &BTreeSet<LoginId>,
    ) -> Result<Plan> {
        let mut plan = Plan {
            outcome: Some(Outcome::Unchanged),
            ..Plan::default()
        };
        let key = self.entry_key(&person.login_id)?;
        let row_key = self.source_key(source, &person.source_id)?;
        let row = self.read::<SourceRow>(&row_key).await?;
        let is_shared = shared.contains(&person.login_id);
        let row_digest = self.row_digest(person, is_shared)?;
        let before = self.read::<RosterEntry>(&entry_key(&key)).await?;
        let owner = match &before {
            Some(before) => Some(self.open_details(&key, &before.value)?),
            None => None,
        };
        let other_owner = owner.as_ref().is_some_and(|details| {
            (details.source.as_str(), details.source_id.as_str()) != (source, &person.source_id)
        });
        let same = row.as_ref().is_some_and(|row| {
            row.value.row_digest == row_digest && row.value.entry == key && !row.value.missing
        });
        let named_an_account = before.as_ref().is_some_and(|b| b.value.account.is_some());
        let held = before
            .as_ref()
            .is_some_and(|b| b.value.listing == Listing::Held);
        // A number that was held because another source listed it too is looked at again.
        let settled = if other_owner {
            named_an_account || is_shared
        } else {
            is_shared || !held
        };
        if same && settled {
            return Ok(plan);
        }
        let left = row
            .as_ref()
            .map(|row| row.value.entry)
            .filter(|left| *left != key);
        let in_the_way = match &before {
            Some(_) if other_owner && named_an_account => Some(reused_finding(person)),
            Some(before) if self.is_another_human(&key, &before.value, person)? => {
                Some(replaced_finding(person))
            }
            _ => {
                self.left_by_another_human(left.as_ref(), &row_key, person)
                    .await?
            }
        };
        if let Some(finding) = in_the_way {
            // A human must decide: what stands is left as it is.
            plan.findings.push(finding);
            return Ok(plan);
        }
        let mut entry = self.entry_of(source, person, &key, before.as_ref().map(|b| &b.value))?;
        let other_source = owner.is_some_and(|details| details.source != source);
        if !named_an_account && (is_shared || other_source) {
            // Who has claimed the number keeps it: another row's mistake puts nobody out.
            entry.listing = Listing::Held;
            plan.findings
                .extend(other_source.then(|| two_sources_finding(person)));
        }
        if let Some(left) = left
            && let Some((account, claimed)) = self.leave_number(&mut plan, &left, &row_key).await?
        {
            (entry.account, entry.claimed) = (Some(account), claimed);
            self.move_person(&mut plan, account, key).await?;
        }
        let outcome = if before.is_some() {
            Outcome::Changed
        } else {
            Outcome::Added
        };
        plan.outcome = Some(outcome);
        self.write_entry(&mut plan, &key, before, entry).await?;
        let organization = person.default_organization.clone();
        let kept = SourceRow {
            entry: key,
            row_digest,
            organization,
            missing: false,
        };
        put(
            &mut plan.changes,
            row_key,
            &kept,
            row.map(|row| row.version),
        );
        Ok(plan)
    }

    /// Whether an entry that has an account describes another human than `person`.
    fn is_another_human(
        &self,
        key: &EntryKey,
        entry: &RosterEntry,
        person: &RosterPerson,
    ) -> Result<bool> {
        if entry.account.is_none() {
            return Ok(false);
        }
        let same_birthdate = match (&person.birthdate, &entry.birthdate) {
            (Some(birthdate), Some(digest)) => {
                birthdate_digest(birthdate, key, self.keys(), entry.evidence_key)? == *digest
            }
            _ => false,
        };
        Ok(is_another_human(
            person,
            &self.open_details(key, entry)?,
            same_birthdate,
        ))
    }

    /// A finding, if the number that a row leaves has the account of another human.
    async fn left_by_another_human(
        &self,
        left: Option<&EntryKey>,
        row_key: &Key,
        person: &RosterPerson,
    ) -> Result<Option<Finding>> {
        let Some(left) = left else { return Ok(None) };
        let Some(entry) = self.read::<RosterEntry>(&entry_key(left)).await? else {
            return Ok(None);
        };
        let another = self.is_owned_by(left, &entry.value, row_key)?
            && self.is_another_human(left, &entry.value, person)?;
        Ok(another.then(|| replaced_finding(person)))
    }

    /// The entry a row describes; what the person did (claim, account) is kept.
    fn entry_of(
        &self,
        source: &str,
        person: &RosterPerson,
        key: &EntryKey,
        before: Option<&RosterEntry>,
    ) -> Result<RosterEntry> {
        let keys = self.keys();
        let id = keys.current(KeyPurpose::Evidence);
        let given = [
            Some(&person.given_name),
            person.preferred_given_name.as_ref(),
        ];
        let family = [
            Some(&person.family_name),
            person.preferred_family_name.as_ref(),
        ];
        let mut name_pairs = [[0; 32]; 4];
        let pairs = given
            .iter()
            .flat_map(|g| family.iter().map(move |f| (g, f)));
        for (slot, (index, pair)) in name_pairs.iter_mut().zip((0_u8..).zip(pairs)) {
            *slot = match pair {
                (Some(given), Some(family)) => name_pair_digest(given, family, key, keys, id)?,
                // As good as random to who has no key, and the same at every import.
                _ => keys.mac(KeyPurpose::Evidence, id, &[b"unused", &key.0, &[index]])?,
            };
        }
        let birthdate = match &person.birthdate {
            Some(birthdate) => Some(birthdate_digest(birthdate, key, keys, id)?),
            None => None,
        };
        let listing = if person.enabled {
            Listing::Active
        } else {
            Listing::Inactive
        };
        let facts_changed = before.is_none_or(|before| {
            before.name_pairs != name_pairs
                || before.birthdate != birthdate
                || before.listing != listing
        });
        let mut memberships = person.memberships.clone();
        memberships.sort_unstable();
        memberships.dedup();
        Ok(RosterEntry {
            claim_generation: before.map_or(0, |before| before.claim_generation)
                + u64::from(facts_changed),
            listing,
            claimed: before.is_some_and(|before| before.claimed),
            account: before.and_then(|before| before.account),
            evidence_key: id,
            name_pairs,
            birthdate,
            memberships,
            default_organization: person.default_organization.clone(),
            details: self.seal_details(
                key,
                &EntryDetails {
                    login_id: person.login_id.as_str().to_owned(),
                    given_name: person.given_name.clone(),
                    family_name: person.family_name.clone(),
                    preferred_given_name: person.preferred_given_name.clone(),
                    preferred_family_name: person.preferred_family_name.clone(),
                    source: source.to_owned(),
                    source_id: person.source_id.clone(),
                },
            )?,
        })
    }

    /// Puts an entry, and what follows from it: the gate of its account, and the counts.
    pub(super) async fn write_entry(
        &self,
        plan: &mut Plan,
        key: &EntryKey,
        before: Option<crate::store::Versioned<RosterEntry>>,
        mut entry: RosterEntry,
    ) -> Result<()> {
        if let Some(before) = &before {
            plan.count(&before.value, -1);
            if before.value.listing != entry.listing
                && before.value.claim_generation == entry.claim_generation
            {
                entry.claim_generation += 1;
            }
        }
        plan.count(&entry, 1);
        if let Some(account) = entry.account.filter(|_| entry.claimed) {
            self.follow_listing(plan, account, entry.listing == Listing::Active)
                .await?;
        }
        put(
            &mut plan.changes,
            entry_key(key),
            &entry,
            before.map(|before| before.version),
        );
        Ok(())
    }

    /// An account that the roster no longer lists is disabled, and all its sessions end with it; one
    /// that it lists again is enabled.
    async fn follow_listing(
        &self,
        plan: &mut Plan,
        account: AccountId,
        active: bool,
    ) -> Result<()> {
        let Some(gate) = self.read::<Gate>(&gate_key(account)).await? else {
            return Ok(());
        };
        let (status, detail) = match (gate.value.status, active) {
            (GateStatus::Active, false) => (GateStatus::Disabled, "disabled_by_roster"),
            (GateStatus::Disabled, true) => (GateStatus::Active, "enabled_by_roster"),
            _ => return Ok(()),
        };
        let next = Gate {
            status,
            session_epoch: gate.value.session_epoch + 1,
            epoch_reason: EndReason::Disabled,
            ..gate.value
        };
        put(
            &mut plan.changes,
            gate_key(account),
            &next,
            Some(gate.version),
        );
        let (now, asker) = (self.now(), Asker::default());
        let kind = EventKind::AccountStatusChanged;
        self.audit(&mut plan.changes, now, kind, Some(account), &asker, detail)?;
        plan.ended.push(account);
        Ok(())
    }

    /// The person has another number now: the old one names nobody, and is held against reuse if it ever
    /// named an account.
    async fn leave_number(
        &self,
        plan: &mut Plan,
        old: &EntryKey,
        row_key: &Key,
    ) -> Result<Option<(AccountId, bool)>> {
        let Some(before) = self.read::<RosterEntry>(&entry_key(old)).await? else {
            return Ok(None);
        };
        if !self.is_owned_by(old, &before.value, row_key)? {
            return Ok(None);
        }
        plan.count(&before.value, -1);
        let account = before.value.account;
        let left = RosterEntry {
            claimed: false,
            claim_generation: before.value.claim_generation + 1,
            listing: if account.is_some() {
                Listing::Held
            } else {
                Listing::Inactive
            },
            ..before.value.clone()
        };
        put(
            &mut plan.changes,
            entry_key(old),
            &left,
            Some(before.version),
        );
        Ok(account.map(|account| (account, before.value.claimed)))
    }

    async fn move_person(&self, plan: &mut Plan, account: AccountId, to: EntryKey) -> Result<()> {
        if let Some(person) = self.read::<Person>(&person_key(account)).await? {
            let moved = Person {
                entry: to,
                ..person.value
            };
            put(
                &mut plan.changes,
                person_key(account),
                &moved,
                Some(person.version),
            );
        }
        Ok(())
    }

    /// Whether the entry describes the person of this row, and not one who got the number since.
    pub(super) fn is_owned_by(
        &self,
        key: &EntryKey,
        entry: &RosterEntry,
        row_key: &Key,
    ) -> Result<bool> {
        let details = self.open_details(key, entry)?;
        Ok(&self.source_key(&details.source, &details.source_id)? == row_key)
    }

    pub(super) fn source_prefix(&self, source: &str) -> Result<String> {
        let id = self.keys().current(KeyPurpose::Names);
        let digest = self
            .keys()
            .mac(KeyPurpose::Names, id, &[b"source", source.as_bytes()])?;
        let (short, _) = digest.split_at(8);
        Ok(format!("source/{}/", data_encoding::HEXLOWER.encode(short)))
    }

    pub(super) fn source_key(&self, source: &str, source_id: &str) -> Result<Key> {
        let id = self.keys().current(KeyPurpose::Names);
        let parts = [
            b"source-id".as_slice(),
            source.as_bytes(),
            source_id.as_bytes(),
        ];
        let digest = self.keys().mac(KeyPurpose::Names, id, &parts)?;
        let prefix = self.source_prefix(source)?;
        Ok(Key::record(format!(
            "{prefix}{}",
            data_encoding::HEXLOWER.encode(&digest)
        )))
    }

    fn row_digest(&self, person: &RosterPerson, shared: bool) -> Result<[u8; 32]> {
        let birthdate = person
            .birthdate
            .as_ref()
            .map(crate::model::Birthdate::canonical);
        let mut parts: Vec<&[u8]> = vec![
            person.login_id.as_str().as_bytes(),
            person.given_name.as_bytes(),
            person.family_name.as_bytes(),
            person
                .preferred_given_name
                .as_deref()
                .unwrap_or("\0")
                .as_bytes(),
            person
                .preferred_family_name
                .as_deref()
                .unwrap_or("\0")
                .as_bytes(),
            birthdate.as_ref().map_or("", |b| b.as_str()).as_bytes(),
            person.default_organization.as_str().as_bytes(),
            if person.enabled { b"enabled" } else { b"" },
            if shared { b"shared" } else { b"" },
        ];
        for Membership { organization, role } in &person.memberships {
            parts.extend([organization.as_str().as_bytes(), role.code().as_bytes()]);
        }
        let id = self.keys().current(KeyPurpose::Evidence);
        Ok(self.keys().mac(KeyPurpose::Evidence, id, &parts)?)
    }
}

impl Plan {
    fn count(&mut self, entry: &RosterEntry, by: i64) {
        if entry.listing != Listing::Active {
            return;
        }
        for Membership { organization, role } in &entry.memberships {
            let mut add = |what| {
                let cell = (organization.clone(), what, role.code());
                *self.statistics.entry(cell).or_default() += by;
            };
            add("listed");
            if entry.claimed {
                add("claimed");
            }
        }
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.changes.extend(other.changes);
        for (cell, by) in other.statistics {
            *self.statistics.entry(cell).or_default() += by;
        }
        self.findings.extend(other.findings);
        self.ended.extend(other.ended);
    }

    pub(super) fn into_changes(self) -> ChangeSet {
        let mut changes = self.changes;
        for ((organization, what, role), by) in self.statistics {
            if by != 0 {
                changes.add(statistic_cell(&organization, what, role), by, None);
            }
        }
        changes
    }
}
