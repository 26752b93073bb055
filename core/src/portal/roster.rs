//! Importing a roster: what a source lists becomes entries. Nothing is ever deleted; the same again
//! touches nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asker, CONTENTION_MAX, Portal, contended, put};
use crate::error::Result;
use crate::event::EventKind;
use crate::host::KeyPurpose;
use crate::model::roster::{
    Finding, Place, RosterBatch, RosterOrganization, RosterPerson, Severity,
};
use crate::model::{
    AccountId, EndReason, EntryDetails, EntryKey, Gate, GateStatus, Listing, LoginId, Membership,
    Organization, OrganizationId, Person, RosterEntry,
};
use crate::rules::claim::{birthdate_digest, name_pair_digest};
use crate::rules::text::canonical_name;
use crate::store::records::{
    SourceRow, entry_key, gate_key, organization_key, person_key, statistic_cell,
};
use crate::store::{ChangeSet, Commit, Key, Space};

/// People whose rows go into one commit.
const CHUNK: usize = 32;

/// How an import is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    /// Judge everything, change nothing.
    pub dry_run: bool,
}

/// How far an import has come.
#[derive(Clone, Copy, Debug)]
pub struct ImportProgress {
    /// People done.
    pub done: usize,
    /// People in all.
    pub of: usize,
}

/// What an import did, or in a dry run would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// New entries.
    pub added: usize,
    /// Entries that changed.
    pub changed: usize,
    /// People listed just as before.
    pub unchanged: usize,
    /// People no longer listed, made inactive.
    pub deactivated: usize,
    /// People no longer listed, left as they are because there are too many of them.
    pub held: usize,
    /// Of the people listed, how many cannot be claimed by birthdate.
    pub without_birthdate: usize,
    /// What the reader of the report should know.
    pub findings: Vec<Finding>,
}

/// What the store holds of rosters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterStatus {
    /// Entries listed and claimable or claimed.
    pub active: usize,
    /// Of these, claimed.
    pub claimed: usize,
    /// No longer listed.
    pub inactive: usize,
    /// Waiting for a human's decision.
    pub held: usize,
    /// Active entries without a birthdate.
    pub without_birthdate: usize,
    /// Organizations known.
    pub organizations: usize,
}

/// What a row means for the store.
#[derive(Default)]
struct Plan {
    changes: ChangeSet,
    statistics: BTreeMap<(OrganizationId, &'static str, &'static str), i64>,
    outcome: Option<Outcome>,
    findings: Vec<Finding>,
    ended: Vec<AccountId>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Added,
    Changed,
    Unchanged,
}

impl Portal {
    /// Brings what a source lists into the store.
    ///
    /// # Errors
    /// The store did not answer; what was committed before stays, and importing again goes on from there.
    pub async fn import_roster(
        &self,
        batch: RosterBatch,
        options: ImportOptions,
        progress: &(dyn Fn(ImportProgress) + Sync),
    ) -> Result<ImportReport> {
        let mut report = ImportReport::default();
        if !options.dry_run {
            for organization in &batch.organizations {
                self.keep_organization(organization).await?;
            }
        }
        let shared = shared_numbers(&batch.people);
        for number in &shared {
            report.findings.push(shared_finding(number, &batch.people));
        }
        for (index, chunk) in batch.people.chunks(CHUNK).enumerate() {
            self.import_chunk(&batch.source, chunk, &shared, options, &mut report)
                .await?;
            progress(ImportProgress {
                done: index * CHUNK + chunk.len(),
                of: batch.people.len(),
            });
        }
        report.without_birthdate = batch
            .people
            .iter()
            .filter(|p| p.birthdate.is_none())
            .count();
        if batch.complete {
            self.deactivate_missing(&batch, options, &mut report)
                .await?;
        }
        if !options.dry_run {
            let now = self.now();
            let mut changes = ChangeSet::new();
            let detail = format!(
                "added={} changed={} unchanged={} deactivated={} held={}",
                report.added, report.changed, report.unchanged, report.deactivated, report.held
            );
            let asker = Asker::default();
            self.audit(
                &mut changes,
                now,
                EventKind::RosterImported,
                None,
                &asker,
                &detail,
            )?;
            self.commit(changes).await?;
        }
        Ok(report)
    }

    /// Counts all entries. Reads every one: for a command, not for a page.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn roster_status(&self) -> Result<RosterStatus> {
        let mut status = RosterStatus {
            organizations: self.organizations().await?.len(),
            ..Default::default()
        };
        let mut cursor: Option<String> = None;
        loop {
            let keys = self
                .store()
                .scan(Space::Records, "entry/", cursor.as_deref(), 512)
                .await?;
            for key in &keys {
                if let Some(entry) = self.read::<RosterEntry>(key).await? {
                    match entry.value.listing {
                        Listing::Active => status.active += 1,
                        Listing::Inactive => status.inactive += 1,
                        Listing::Held => status.held += 1,
                    }
                    let active = entry.value.listing == Listing::Active;
                    status.claimed += usize::from(active && entry.value.claimed);
                    status.without_birthdate +=
                        usize::from(active && entry.value.birthdate.is_none());
                }
            }
            match keys.last() {
                Some(last) => cursor = Some(last.path().to_owned()),
                None => return Ok(status),
            }
        }
    }

    async fn keep_organization(&self, listed: &RosterOrganization) -> Result<()> {
        let organization = Organization {
            id: listed.id.clone(),
            name: listed.name.clone(),
            kind: listed.kind,
            parent: listed.parent.clone(),
            contacts: listed.contacts.clone(),
        };
        for _ in 0..CONTENTION_MAX {
            let key = organization_key(&listed.id);
            let before = self.read::<Organization>(&key).await?;
            if before
                .as_ref()
                .is_some_and(|before| before.value == organization)
            {
                return Ok(());
            }
            let mut changes = ChangeSet::new();
            put(
                &mut changes,
                key,
                &organization,
                before.map(|before| before.version),
            );
            if self.commit(changes).await? == Commit::Committed {
                return Ok(());
            }
        }
        contended()
    }

    async fn import_chunk(
        &self,
        source: &str,
        people: &[RosterPerson],
        shared: &BTreeSet<LoginId>,
        options: ImportOptions,
        report: &mut ImportReport,
    ) -> Result<()> {
        // Two rows of one number would put the same entry twice in one change set.
        let mut chunks: Vec<Vec<&RosterPerson>> = vec![Vec::new()];
        for person in people {
            let place = chunks
                .iter_mut()
                .find(|c| c.iter().all(|other| other.login_id != person.login_id));
            match place {
                Some(chunk) => chunk.push(person),
                None => chunks.push(vec![person]),
            }
        }
        for chunk in chunks {
            if !self
                .commit_rows(source, &chunk, shared, options, report)
                .await?
            {
                // Rows that write the same record (numbers that change hands) go one by one.
                for person in chunk {
                    self.commit_rows(source, &[person], shared, options, report)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// `false`: the rows do not go together, nothing was changed.
    async fn commit_rows(
        &self,
        source: &str,
        people: &[&RosterPerson],
        shared: &BTreeSet<LoginId>,
        options: ImportOptions,
        report: &mut ImportReport,
    ) -> Result<bool> {
        for _ in 0..CONTENTION_MAX {
            let mut whole = Plan::default();
            let mut outcomes = Vec::new();
            for person in people {
                let plan = self.plan_row(source, person, shared).await?;
                outcomes.extend(plan.outcome);
                whole.absorb(plan);
            }
            let (findings, ended) = (std::mem::take(&mut whole.findings), whole.ended.clone());
            let changes = whole.into_changes();
            if people.len() > 1 && changes.validate().is_err() {
                return Ok(false);
            }
            let done = options.dry_run
                || changes.is_empty()
                || self.commit(changes).await? == Commit::Committed;
            if done {
                if !options.dry_run {
                    for account in ended {
                        self.0.notices.all_ended(account, None, EndReason::Disabled);
                    }
                }
                let count = |which| outcomes.iter().filter(|outcome| **outcome == which).count();
                report.added += count(Outcome::Added);
                report.changed += count(Outcome::Changed);
                report.unchanged += count(Outcome::Unchanged);
                report.findings.extend(findings);
                return Ok(true);
            }
        }
        contended()
    }

    async fn plan_row(
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

    /// Whether an entry that has an account describes another human than `person`: neither name is the
    /// same, nor the birthdate. A source that gives its ids anew must not hand accounts on with them.
    fn is_another_human(
        &self,
        key: &EntryKey,
        entry: &RosterEntry,
        person: &RosterPerson,
    ) -> Result<bool> {
        if entry.account.is_none() {
            return Ok(false);
        }
        let known = self.open_details(key, entry)?;
        let same = |mine: [Option<&String>; 2], theirs: [Option<&String>; 2]| {
            let mut theirs = theirs
                .into_iter()
                .flatten()
                .map(|name| canonical_name(name));
            theirs.any(|name| {
                mine.into_iter()
                    .flatten()
                    .any(|m| canonical_name(m) == name)
            })
        };
        let given = same(
            [
                Some(&person.given_name),
                person.preferred_given_name.as_ref(),
            ],
            [Some(&known.given_name), known.preferred_given_name.as_ref()],
        );
        let family = same(
            [
                Some(&person.family_name),
                person.preferred_family_name.as_ref(),
            ],
            [
                Some(&known.family_name),
                known.preferred_family_name.as_ref(),
            ],
        );
        let birthdate = match (&person.birthdate, &entry.birthdate) {
            (Some(birthdate), Some(digest)) => {
                birthdate_digest(birthdate, key, self.keys(), entry.evidence_key)? == *digest
            }
            _ => false,
        };
        Ok(!given && !family && !birthdate)
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
    async fn write_entry(
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

    async fn deactivate_missing(
        &self,
        batch: &RosterBatch,
        options: ImportOptions,
        report: &mut ImportReport,
    ) -> Result<()> {
        let mut listed = BTreeSet::new();
        for person in &batch.people {
            listed.insert(self.source_key(&batch.source, &person.source_id)?);
        }
        let mut missing: BTreeMap<OrganizationId, Vec<Key>> = BTreeMap::new();
        let mut totals: BTreeMap<OrganizationId, usize> = BTreeMap::new();
        let prefix = self.source_prefix(&batch.source)?;
        let mut cursor: Option<String> = None;
        loop {
            let keys = self
                .store()
                .scan(Space::Records, &prefix, cursor.as_deref(), 512)
                .await?;
            let Some(last) = keys.last() else { break };
            cursor = Some(last.path().to_owned());
            for key in keys {
                let Some(row) = self.read::<SourceRow>(&key).await? else {
                    continue;
                };
                if row.value.missing {
                    continue;
                }
                *totals.entry(row.value.organization.clone()).or_default() += 1;
                if !listed.contains(&key) {
                    missing.entry(row.value.organization).or_default().push(key);
                }
            }
        }
        for (organization, keys) in missing {
            let total = totals.get(&organization).copied().unwrap_or(0);
            let policy = &self.policy().roster;
            let many = keys.len() >= policy.deactivation_count_min as usize;
            if many && keys.len() * 100 > total * policy.deactivation_percent_max as usize {
                report.held += keys.len();
                report
                    .findings
                    .push(held_finding(&organization, keys.len(), total));
                continue;
            }
            for key in keys {
                if !options.dry_run {
                    self.deactivate(&key).await?;
                }
                report.deactivated += 1;
            }
        }
        Ok(())
    }

    async fn deactivate(&self, row_key: &Key) -> Result<()> {
        for _ in 0..CONTENTION_MAX {
            let Some(row) = self.read::<SourceRow>(row_key).await? else {
                return Ok(());
            };
            let mut plan = Plan::default();
            let key = row.value.entry;
            let before = self.read::<RosterEntry>(&entry_key(&key)).await?;
            if let Some(before) = before
                && self.is_owned_by(&key, &before.value, row_key)?
            {
                let listing = match before.value.listing {
                    Listing::Active => Listing::Inactive,
                    other => other,
                };
                let entry = RosterEntry {
                    listing,
                    ..before.value.clone()
                };
                self.write_entry(&mut plan, &key, Some(before), entry)
                    .await?;
            }
            let gone = SourceRow {
                missing: true,
                ..row.value
            };
            put(&mut plan.changes, row_key.clone(), &gone, Some(row.version));
            let ended = plan.ended.clone();
            if self.commit(plan.into_changes()).await? == Commit::Committed {
                for account in ended {
                    self.0.notices.all_ended(account, None, EndReason::Disabled);
                }
                return Ok(());
            }
        }
        contended()
    }

    /// Whether the entry describes the person of this row, and not one who got the number since.
    fn is_owned_by(&self, key: &EntryKey, entry: &RosterEntry, row_key: &Key) -> Result<bool> {
        let details = self.open_details(key, entry)?;
        Ok(&self.source_key(&details.source, &details.source_id)? == row_key)
    }

    fn source_prefix(&self, source: &str) -> Result<String> {
        let id = self.keys().current(KeyPurpose::Names);
        let digest = self
            .keys()
            .mac(KeyPurpose::Names, id, &[b"source", source.as_bytes()])?;
        let (short, _) = digest.split_at(8);
        Ok(format!("source/{}/", data_encoding::HEXLOWER.encode(short)))
    }

    fn source_key(&self, source: &str, source_id: &str) -> Result<Key> {
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

    fn absorb(&mut self, other: Self) {
        self.changes.extend(other.changes);
        for (cell, by) in other.statistics {
            *self.statistics.entry(cell).or_default() += by;
        }
        self.findings.extend(other.findings);
        self.ended.extend(other.ended);
    }

    fn into_changes(self) -> ChangeSet {
        let mut changes = self.changes;
        for ((organization, what, role), by) in self.statistics {
            if by != 0 {
                changes.add(statistic_cell(&organization, what, role), by, None);
            }
        }
        changes
    }
}

fn shared_numbers(people: &[RosterPerson]) -> BTreeSet<LoginId> {
    let mut first: BTreeMap<&LoginId, &str> = BTreeMap::new();
    let mut shared = BTreeSet::new();
    for person in people {
        let owner = first.entry(&person.login_id).or_insert(&person.source_id);
        if *owner != person.source_id {
            shared.insert(person.login_id.clone());
        }
    }
    shared
}

fn shared_finding(number: &LoginId, people: &[RosterPerson]) -> Finding {
    let lines: Vec<String> = people
        .iter()
        .filter(|person| &person.login_id == number)
        .map(|person| person.place.line.to_string())
        .collect();
    let place = people
        .iter()
        .find(|person| &person.login_id == number)
        .map(|person| person.place.clone())
        .unwrap_or_default();
    Finding {
        severity: Severity::Warning,
        code: "number_shared",
        place,
        value: Some(number.as_str().to_owned()),
        message: format!(
            "different people share this number (lines {}): none of them can claim until it is put right",
            lines.join(", ")
        ),
    }
}

fn reused_finding(person: &RosterPerson) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: "number_reused",
        place: person.place.clone(),
        value: Some(person.login_id.as_str().to_owned()),
        message: "this number once named somebody else's account: the row was left out".into(),
    }
}

fn replaced_finding(person: &RosterPerson) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: "person_replaced",
        place: person.place.clone(),
        value: Some(person.login_id.as_str().to_owned()),
        message:
            "the source gives this person the id of somebody else who has an account (neither \
                  name nor birthdate is the same): the row was left out"
                .into(),
    }
}

fn two_sources_finding(person: &RosterPerson) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: "number_in_two_sources",
        place: person.place.clone(),
        value: Some(person.login_id.as_str().to_owned()),
        message: "another source lists this number too: nobody can claim it until only one does"
            .into(),
    }
}

fn held_finding(organization: &OrganizationId, missing: usize, total: usize) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: "deactivation_held",
        place: Place::default(),
        value: Some(organization.to_string()),
        message: format!(
            "{missing} of {total} people of this organization are missing from the file: nobody was \
             made inactive. Is the file whole?"
        ),
    }
}
