//! What one row of a roster means for the store: its entry, the gate of its account, the counts.

use std::collections::BTreeMap;

use super::roster_import::{Import, Row};
use super::{Asker, Portal, put};
use crate::error::Result;
use crate::event::EventKind;
use crate::host::KeyPurpose;
use crate::model::roster::{Finding, RosterPerson};
use crate::model::{
    AccountId, EndReason, EntryDetails, EntryKey, Gate, GateStatus, Listing, Membership,
    OrganizationId, Person, RosterEntry,
};
use crate::policy::ClaimPolicy;
use crate::rules::claim::{birthdate_digest, name_pair_digest};
use crate::rules::roster::is_another_human;
use crate::rules::roster_findings as findings;
use crate::store::records::{RowState, SourceRow, entry_key, gate_key, person_key, statistic_cell};
use crate::store::{ChangeSet, Key, Versioned};

/// Digests of name pairs, and of the birthdate where one is told.
type FactDigests = ([[u8; 32]; 4], Option<[u8; 32]>);

/// What a row means for the store.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) changes: ChangeSet,
    pub(super) statistics: BTreeMap<(OrganizationId, &'static str, &'static str), i64>,
    pub(super) tale: Tale,
}

/// What is told of a row once its changes are committed.
#[derive(Default)]
pub(super) struct Tale {
    pub(super) outcome: Outcome,
    pub(super) findings: Vec<Finding>,
    pub(super) ended: Vec<AccountId>,
    /// Records that the plan was made by.
    pub(super) read: Vec<Key>,
    /// The organization the person counted in when the source listed them last.
    pub(super) counted_before: Option<OrganizationId>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    Added,
    Changed,
    #[default]
    Unchanged,
    LeftOut,
}

impl Portal {
    pub(super) async fn plan_row(&self, import: &Import<'_>, listed: &Row<'_>) -> Result<Plan> {
        let mut plan = Plan::default();
        let (source, person) = (import.batch.source.as_str(), &*listed.person);
        let key = self.entry_key(&person.login_id)?;
        let row_key = self.source_key(source, &person.source_id)?;
        let row = self.read::<SourceRow>(&row_key).await?;
        plan.tale.read.extend([row_key.clone(), entry_key(&key)]);
        plan.tale.counted_before = row
            .as_ref()
            .filter(|row| row.value.state != RowState::Missing)
            .map(|row| row.value.organization.clone());
        let before = self.read::<RosterEntry>(&entry_key(&key)).await?;
        let new_number = Some(&key).filter(|_| before.is_none());
        let new_row = Some(&row_key).filter(|_| row.is_none());
        if self.is_erased(new_number, new_row).await? {
            plan.tale.findings.push(findings::erased(person));
            plan.tale.outcome = Outcome::LeftOut;
            return Ok(plan);
        }
        let owner = match &before {
            Some(before) => Some(self.open_details(&key, &before.value)?),
            None => None,
        };
        let other_owner = owner.as_ref().filter(|details| {
            (details.source.as_str(), details.source_id.as_str()) != (source, &person.source_id)
        });
        let held = before
            .as_ref()
            .is_some_and(|b| b.value.listing == Listing::Held);
        let is_shared = import.shared.contains(&person.login_id)
            || listed.of_delta && self.is_shared_unseen(import, held, other_owner)?;
        let drops_birthdate =
            drops_birthdate(before.as_ref().map(|b| &b.value), &self.policy().claim);
        let row_digest = self.row_digest(listed, is_shared, drops_birthdate)?;
        let same = row.as_ref().is_some_and(|row| {
            row.value.row_digest == row_digest
                && row.value.entry == key
                && row.value.state == RowState::Listed
        });
        let named_an_account = before.as_ref().is_some_and(|b| b.value.account.is_some());
        let settled = if other_owner.is_some() {
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
        if !self
            .may_touch(import, before.as_ref(), left.as_ref())
            .await?
        {
            let finding = findings::person_out_of_reach(person.place.clone());
            plan.tale.findings.push(finding);
            plan.tale.outcome = Outcome::LeftOut;
            return Ok(plan);
        }
        if let Some(row) = row.as_ref().filter(|_| drops_birthdate && settled) {
            // Claimed since the last import: what that said of the birthdate goes too.
            let with_birthdate = self.row_digest(listed, is_shared, false)?;
            let kept = &row.value;
            let as_before = kept.row_digest == with_birthdate && kept.entry == key;
            if as_before && kept.state == RowState::Listed {
                let without = SourceRow {
                    row_digest,
                    ..kept.clone()
                };
                put(&mut plan.changes, row_key, &without, Some(row.version));
                return Ok(plan);
            }
        }
        plan.tale.read.extend(left.as_ref().map(entry_key));
        let in_the_way = match &before {
            Some(_) if other_owner.is_some() && named_an_account => Some(findings::reused(person)),
            Some(_) if self.is_listed_elsewhere(&key, other_owner, source).await? => {
                other_owner.map(|owner| findings::number_of_another_source(person, &owner.source))
            }
            Some(before) if self.is_another_human(&key, &before.value, person)? => {
                Some(findings::replaced(person))
            }
            _ => {
                self.left_by_another_human(left.as_ref(), &row_key, person)
                    .await?
            }
        };
        if let Some(finding) = in_the_way {
            // A human must decide: what stands is left as it is.
            plan.tale.findings.push(finding);
            plan.tale.outcome = Outcome::LeftOut;
            return Ok(plan);
        }
        let mut entry = self.entry_of(source, listed, &key, before.as_ref().map(|b| &b.value))?;
        if !named_an_account && is_shared {
            // Who has claimed the number keeps it: another row's mistake puts nobody out.
            entry.listing = Listing::Held;
            if !import.shared.contains(&person.login_id) {
                plan.tale
                    .findings
                    .push(findings::shared_with_unmentioned(person));
            }
        }
        if let Some(left) = left
            && let Some(before) = self.leave_number(&mut plan, &left, &row_key).await?
        {
            entry.disabled_at = entry.disabled_at.or(before.disabled_at);
            if let Some(account) = before.account {
                (entry.account, entry.claimed) = (Some(account), before.claimed);
                self.move_person(&mut plan, account, key).await?;
            }
        }
        if listed.birthdate_kept && left.is_some() && !entry.claimed {
            plan.tale.findings.push(findings::birthdate_let_go(person));
        }
        plan.tale.outcome = if before.is_some() {
            Outcome::Changed
        } else {
            Outcome::Added
        };
        if !import.is_first
            && self.becomes_staff(before.as_ref().map(|before| &before.value), &entry)
        {
            plan.tale.findings.push(findings::staff_added(person));
        }
        self.write_entry(&mut plan, &key, before, entry).await?;
        let kept = SourceRow {
            entry: key,
            row_digest,
            organization: person.default_organization.clone(),
            state: RowState::Listed,
        };
        put(
            &mut plan.changes,
            row_key,
            &kept,
            row.map(|row| row.version),
        );
        Ok(plan)
    }

    /// Whether an entry makes somebody staff of an organization of which they were not.
    fn becomes_staff(&self, before: Option<&RosterEntry>, entry: &RosterEntry) -> bool {
        let roles = &self.policy().staff.roles;
        let had = |membership| before.is_some_and(|before| before.memberships.contains(membership));
        let mut new = entry
            .memberships
            .iter()
            .filter(|membership| !had(membership));
        new.any(|membership| roles.contains(&membership.role))
    }

    /// Whether who brings the roster may change the entry of a number, and the one that its row leaves.
    async fn may_touch(
        &self,
        import: &Import<'_>,
        before: Option<&Versioned<RosterEntry>>,
        left: Option<&EntryKey>,
    ) -> Result<bool> {
        if import.scope.is_none() {
            return Ok(true);
        }
        let left = match left {
            Some(left) => self.read::<RosterEntry>(&entry_key(left)).await?,
            None => None,
        };
        let mut touched = before.into_iter().chain(left.as_ref());
        Ok(touched.all(|entry| import.reaches_all(&entry.value.memberships)))
    }

    /// Whether the number of a row of a delta is, or may be, that of somebody whom the delta does not
    /// mention.
    fn is_shared_unseen(
        &self,
        import: &Import<'_>,
        held: bool,
        other_owner: Option<&EntryDetails>,
    ) -> Result<bool> {
        let Some(other) = other_owner else {
            return Ok(held);
        };
        let other = self.source_key(&other.source, &other.source_id)?;
        Ok(!import.listed.contains(&other))
    }

    /// Whether another source lists somebody under this number: it alone may touch them.
    async fn is_listed_elsewhere(
        &self,
        key: &EntryKey,
        other_owner: Option<&EntryDetails>,
        source: &str,
    ) -> Result<bool> {
        let Some(other) = other_owner.filter(|other| other.source != source) else {
            return Ok(false);
        };
        let row_key = self.source_key(&other.source, &other.source_id)?;
        let row = self.read::<SourceRow>(&row_key).await?;
        Ok(row.is_some_and(|row| row.value.state != RowState::Missing && row.value.entry == *key))
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
            entry.listing == Listing::Inactive,
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
        Ok(another.then(|| findings::replaced(person)))
    }

    /// The entry a row describes; what the person did (claim, account) is kept.
    pub(super) fn entry_of(
        &self,
        source: &str,
        row: &Row<'_>,
        key: &EntryKey,
        before: Option<&RosterEntry>,
    ) -> Result<RosterEntry> {
        let person = &*row.person;
        let keys = self.keys();
        let kept = before.filter(|before| row.birthdate_kept && before.birthdate.is_some());
        // A digest that stays is one of the key it was made with.
        let id = kept.map_or_else(
            || keys.current(KeyPurpose::Evidence),
            |kept| kept.evidence_key,
        );
        let drops = drops_birthdate(before, &self.policy().claim);
        let facts = |id| -> Result<_> {
            let (name_pairs, told) = self.fact_digests(person, key, id)?;
            let birthdate = match told {
                _ if drops => None,
                Some(told) => Some(told),
                None => kept.and_then(|kept| kept.birthdate),
            };
            Ok((name_pairs, birthdate))
        };
        let (name_pairs, birthdate) = facts(id)?;
        let listing = if person.enabled {
            Listing::Active
        } else {
            Listing::Inactive
        };
        // Compared under the key that was in use then: a rotated key changes nobody.
        let as_then = match before.map(|before| before.evidence_key) {
            Some(then) if then != id && keys.has(KeyPurpose::Evidence, then) => facts(then)?,
            _ => (name_pairs, birthdate),
        };
        let facts_changed = before.is_none_or(|before| {
            // A birthdate that comes (back) to who had none changes nobody: a code that was printed in
            // the meantime stays good.
            let comes = before.birthdate.is_none();
            before.name_pairs != as_then.0
                || (before.birthdate != as_then.1 && !comes)
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
            // On whatever stands under the number, until the office takes it off.
            disabled_at: before.and_then(|before| before.disabled_at),
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

    /// The digests of names and birthdate under the key `id`.
    fn fact_digests(&self, person: &RosterPerson, key: &EntryKey, id: u32) -> Result<FactDigests> {
        let keys = self.keys();
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
        let birthdate = person
            .birthdate
            .as_ref()
            .map(|birthdate| birthdate_digest(birthdate, key, keys, id))
            .transpose()?;
        Ok((name_pairs, birthdate))
    }

    /// Puts an entry, and what follows from it: the gate of its account, and the counts.
    pub(super) async fn write_entry(
        &self,
        plan: &mut Plan,
        key: &EntryKey,
        before: Option<Versioned<RosterEntry>>,
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
            self.follow_listing(plan, account, entry.is_open()).await?;
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
    /// that it lists again is enabled, unless the office disabled it.
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
        plan.tale.ended.push(account);
        Ok(())
    }

    /// The person has another number now: the old one names nobody, and is held against reuse if it ever
    /// named an account. Gives what stood there before.
    async fn leave_number(
        &self,
        plan: &mut Plan,
        old: &EntryKey,
        row_key: &Key,
    ) -> Result<Option<RosterEntry>> {
        let Some(before) = self.read::<RosterEntry>(&entry_key(old)).await? else {
            return Ok(None);
        };
        if !self.is_owned_by(old, &before.value, row_key)? {
            return Ok(None);
        }
        plan.count(&before.value, -1);
        let left = RosterEntry {
            claimed: false,
            claim_generation: before.value.claim_generation + 1,
            listing: if before.value.account.is_some() {
                Listing::Held
            } else {
                Listing::Inactive
            },
            disabled_at: None,
            ..before.value.clone()
        };
        put(
            &mut plan.changes,
            entry_key(old),
            &left,
            Some(before.version),
        );
        Ok(Some(before.value))
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

    /// Names a source in keys: 16 lower-case hexadecimal digits.
    pub(super) fn source_digest(&self, source: &str) -> Result<String> {
        let id = self.keys().current(KeyPurpose::Names);
        let digest = self
            .keys()
            .mac(KeyPurpose::Names, id, &[b"source", source.as_bytes()])?;
        let (short, _) = digest.split_at(8);
        Ok(data_encoding::HEXLOWER.encode(short))
    }

    pub(super) fn source_prefix(&self, source: &str) -> Result<String> {
        Ok(format!("source/{}/", self.source_digest(source)?))
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

    pub(super) fn row_digest(
        &self,
        row: &Row<'_>,
        shared: bool,
        without_birthdate: bool,
    ) -> Result<[u8; 32]> {
        let person = &*row.person;
        let birthdate = person
            .birthdate
            .as_ref()
            .filter(|_| !without_birthdate)
            .map(crate::model::Birthdate::canonical);
        let untold = if row.birthdate_kept { "\0" } else { "" };
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
            birthdate.as_ref().map_or(untold, |b| b.as_str()).as_bytes(),
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

/// Whether an import neither stores nor compares the birthdate: the account has been claimed.
fn drops_birthdate(before: Option<&RosterEntry>, policy: &ClaimPolicy) -> bool {
    !policy.keep_birthdate && before.is_some_and(|before| before.claimed)
}

impl Plan {
    pub(super) fn count(&mut self, entry: &RosterEntry, by: i64) {
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

    /// The change set of several rows, and what is told of each.
    pub(super) fn merged(plans: Vec<Self>) -> (ChangeSet, Vec<Tale>) {
        let mut changes = ChangeSet::new();
        let mut statistics: BTreeMap<_, i64> = BTreeMap::new();
        let mut tales = Vec::with_capacity(plans.len());
        for plan in plans {
            changes.extend(plan.changes);
            for (cell, by) in plan.statistics {
                *statistics.entry(cell).or_default() += by;
            }
            tales.push(plan.tale);
        }
        for ((organization, what, role), by) in statistics {
            if by != 0 {
                changes.add(statistic_cell(&organization, what, role), by, None);
            }
        }
        (changes, tales)
    }
}
