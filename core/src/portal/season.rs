//! What follows a claim that was refused: how much it weighs, and how often an organization was guessed at.
//! Every refusal makes one commit, whatever it was refused for.

use super::attempts::{Reservation, source_name};
use super::claim::BegunClaim;
use super::organizations::ROLES;
use super::{Asker, CONTENTION_MAX, Portal, contended};
use crate::error::Result;
use crate::event::EventKind;
use crate::model::{OrganizationId, RosterEntry};
use crate::rules::claim::EvidenceVerdict;
use crate::rules::season::{Season, spans};
use crate::store::records::{season_cell, statistic_cell};
use crate::store::{ChangeSet, Commit};

/// Stands for the organization of a number that nobody has: no organization id has a `/`.
const NOBODYS: &str = "-/-";
/// Near misses of one network for one person that count in what the network has spread: a family that
/// mistypes a child's birthdate ten times has guessed at one child.
const SPREAD_AT_ENTRY_MAX: u64 = 2;

impl Portal {
    /// Near misses at claims of an organization over the season: for the office.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn claim_season(&self, organization: &OrganizationId) -> Result<Season> {
        self.season(organization.as_str()).await
    }

    /// Whether claims by facts that come from outside the named networks are refused: the entry's
    /// organization, or the asker's own network, had too many near misses. A number that nobody has
    /// costs the same reads.
    pub(super) async fn is_guessed_at(
        &self,
        entry: Option<&RosterEntry>,
        asker: &Asker,
    ) -> Result<bool> {
        let policy = &self.policy().attempts.season;
        let season = self.season(organization_of(entry)).await?;
        let source = source_name(asker);
        let spread = self.season_sum("spread", NOBODYS, &source).await?;
        Ok(spread >= policy.source_code_at || season.needs_code(policy))
    }

    async fn season(&self, organization: &str) -> Result<Season> {
        let near_misses = self.season_sum("near", organization, "all").await?;
        let everywhere = self.season_sum("everywhere", organization, "all").await?;
        let (mut listed, mut claimed) = (0_u64, 0_u64);
        for role in ROLES {
            for (sum, what) in [(&mut listed, "listed"), (&mut claimed, "claimed")] {
                let cell = statistic_cell(organization, what, role.code());
                *sum = sum.saturating_add(self.store().read_cell(&cell).await?);
            }
        }
        Ok(Season {
            near_misses,
            everywhere,
            unclaimed: listed.saturating_sub(claimed),
        })
    }

    async fn season_sum(&self, what: &str, organization: &str, which: &str) -> Result<u64> {
        let mut sum = 0_u64;
        for span in spans(self.now()) {
            let cell = season_cell(span, what, organization, which);
            sum = sum.saturating_add(self.store().read_cell(&cell).await?);
        }
        Ok(sum)
    }

    /// Settles a claim that was refused: a wild miss weighs a tenth, a near miss stays whole and counts
    /// in the season.
    pub(super) async fn miss_claim(
        &self,
        claim: &BegunClaim,
        verdict: EvidenceVerdict,
        entry: Option<&RosterEntry>,
        reservation: &Reservation,
        asker: &Asker,
    ) -> Result<()> {
        for _ in 0..CONTENTION_MAX {
            let now = self.now();
            let mut changes = ChangeSet::new();
            if let Reservation::Made(lane) = reservation {
                match verdict {
                    EvidenceVerdict::WildMiss => self.ease_lane(&mut changes, lane).await?,
                    _ => self.keep_lane(&mut changes, lane).await?,
                }
            }
            let near = verdict == EvidenceVerdict::NearMiss;
            let organization = organization_of(entry);
            let counted = self
                .count_near_miss(&mut changes, claim, near, organization, asker)
                .await?;
            self.tell_of_guesses(&mut changes, (near, counted), organization, asker)
                .await?;
            let (kind, what) = (EventKind::ClaimMissed, claim.kind.code());
            self.audit(&mut changes, now, kind, None, asker, what)?;
            if self.commit(changes).await? == Commit::Committed {
                return Ok(());
            }
        }
        contended()
    }

    /// Counts in every cell that a near miss counts in; what does not count is counted where nobody
    /// looks, so that every miss costs the same writes. Whether it brings the organization nearer to
    /// codes.
    async fn count_near_miss(
        &self,
        changes: &mut ChangeSet,
        claim: &BegunClaim,
        near: bool,
        organization: &str,
        asker: &Asker,
    ) -> Result<bool> {
        let policy = &self.policy().attempts.season;
        let [span, ..] = spans(self.now());
        let source = source_name(asker);
        let browser = self.browser_at(claim)?;
        let before = self.source_at(claim, &source)?;
        let by_source = self.season_sum("source", organization, &source).await?;
        let at_entry = self.season_sum("spread-at", NOBODYS, &before).await?;
        let from_outside = near && claim.outside;
        let counted = from_outside && by_source < policy.source_max;
        let spread = from_outside && at_entry < SPREAD_AT_ENTRY_MAX;
        for (counts, what, organization, which) in [
            (near, "everywhere", organization, "all"),
            (near, "browser-everywhere", organization, browser.as_str()),
            (counted, "near", organization, "all"),
            (counted, "source", organization, source.as_str()),
            (counted, "browser", organization, browser.as_str()),
            (spread, "spread", NOBODYS, source.as_str()),
            (spread, "spread-at", NOBODYS, before.as_str()),
        ] {
            let cell = match counts {
                true => season_cell(span, what, organization, which),
                false => season_cell(span, what, NOBODYS, "none"),
            };
            changes.add(cell, 1, None);
        }
        Ok(counted)
    }

    /// Says in the audit that an organization is guessed at: once a span; twice where two fall
    /// together, rather than never. Every miss costs the same reads.
    async fn tell_of_guesses(
        &self,
        changes: &mut ChangeSet,
        (near, counted): (bool, bool),
        organization: &str,
        asker: &Asker,
    ) -> Result<()> {
        let policy = &self.policy().attempts.season;
        let now = self.now();
        let [span, ..] = spans(now);
        let before = self.season(organization).await?;
        let next = Season {
            near_misses: before.near_misses + u64::from(counted),
            everywhere: before.everywhere + u64::from(near),
            ..before
        };
        for (reached, what) in [
            (next.is_told(policy), "many"),
            (next.needs_code(policy), "code_needed"),
        ] {
            let told = season_cell(span, "told", organization, what);
            let untold = self.store().read_cell(&told).await? == 0;
            if near && reached && untold {
                changes.raise(told, 1);
                let detail = format!("{what} {organization}");
                let kind = EventKind::ClaimsGuessed;
                self.audit(changes, now, kind, None, asker, &detail)?;
            }
        }
        Ok(())
    }

    /// A success takes back what this browser had got nearly right for the same entry: it was the person,
    /// who mistyped.
    pub(super) async fn forgive_near_misses(
        &self,
        changes: &mut ChangeSet,
        claim: &BegunClaim,
        entry: &RosterEntry,
        asker: &Asker,
    ) -> Result<()> {
        let organization = entry.default_organization.as_str();
        let browser = self.browser_at(claim)?;
        let source = source_name(asker);
        let before = self.source_at(claim, &source)?;
        for span in spans(self.now()) {
            for (own, organization, which, sum, of) in [
                ("browser", organization, &browser, "near", "all"),
                (
                    "browser-everywhere",
                    organization,
                    &browser,
                    "everywhere",
                    "all",
                ),
                ("spread-at", NOBODYS, &before, "spread", source.as_str()),
            ] {
                let cell = season_cell(span, own, organization, which);
                let missed = self.store().read_cell(&cell).await?;
                if missed > 0 {
                    let missed = i64::try_from(missed).unwrap_or(i64::MAX);
                    changes.add(cell, -missed, None);
                    changes.add(season_cell(span, sum, organization, of), -missed, None);
                }
            }
        }
        Ok(())
    }

    /// Names a network before one entry, and nothing else.
    fn source_at(&self, claim: &BegunClaim, source: &str) -> Result<String> {
        let tag = self.tag(&[b"season-source", source.as_bytes(), &claim.key.0])?;
        Ok(data_encoding::HEXLOWER.encode(&tag))
    }

    /// Names a browser before one entry, and nothing else.
    fn browser_at(&self, claim: &BegunClaim) -> Result<String> {
        let tag = self.tag(&[b"season-browser", &claim.browser, &claim.key.0])?;
        Ok(data_encoding::HEXLOWER.encode(&tag))
    }
}

fn organization_of(entry: Option<&RosterEntry>) -> &str {
    entry.map_or(NOBODYS, |entry| entry.default_organization.as_str())
}
