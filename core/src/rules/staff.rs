//! How far people of staff reach: into their own organizations, of a district into those below it,
//! and no farther (P8, AZ-01).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Membership, Organization, OrganizationId, OrganizationKind, RosterEntry};
use crate::policy::StaffPolicy;

/// So many organizations are looked at on the way up: rosters have three or four.
pub const ORGANIZATIONS_ABOVE_MAX: usize = 8;

/// What a person of staff may do with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nothing: to them it looks as if the roster had no such number.
    Unknown,
    /// See it, and no more: it is their own, or that of somebody who is staff where they are not. Else
    /// staff of one school could make themselves staff of another.
    Look,
    /// See it and act on it.
    Act,
}

/// Organizations, and the districts that they lie below.
#[derive(Debug, Default)]
pub struct Districts(BTreeMap<OrganizationId, BTreeSet<OrganizationId>>);

impl Districts {
    /// As the records say. What lies above an organization that is not among them is not known.
    pub fn of<'o>(organizations: impl IntoIterator<Item = &'o Organization>) -> Self {
        let all = organizations.into_iter().map(|o| (&o.id, o));
        let all: BTreeMap<&OrganizationId, &Organization> = all.collect();
        let above = |id: &OrganizationId| {
            let mut districts = BTreeSet::new();
            let mut next = all.get(id).and_then(|o| o.parent.as_ref());
            for _ in 0..ORGANIZATIONS_ABOVE_MAX {
                let Some(organization) = next.and_then(|id| all.get(id)) else {
                    break;
                };
                if organization.kind == OrganizationKind::District && organization.id != *id {
                    districts.insert(organization.id.clone());
                }
                next = organization.parent.as_ref();
            }
            districts
        };
        Self(all.keys().map(|id| ((*id).clone(), above(id))).collect())
    }

    fn is_below(&self, id: &OrganizationId, district: &OrganizationId) -> bool {
        self.0.get(id).is_some_and(|above| above.contains(district))
    }
}

/// Whether these memberships make a person staff of any organization.
pub fn is_staff(memberships: &[Membership], policy: &StaffPolicy) -> bool {
    memberships.iter().any(|m| policy.roles.contains(&m.role))
}

/// Whether these memberships make a person staff of `organization`.
pub fn serves(
    memberships: &[Membership],
    organization: &OrganizationId,
    policy: &StaffPolicy,
    districts: &Districts,
) -> bool {
    let mut posts = memberships
        .iter()
        .filter(|m| policy.roles.contains(&m.role));
    posts.any(|post| {
        post.organization == *organization
            || policy.districts && districts.is_below(organization, &post.organization)
    })
}

/// All organizations that a person is staff of.
pub fn served(
    memberships: &[Membership],
    policy: &StaffPolicy,
    organizations: &[Organization],
) -> BTreeSet<OrganizationId> {
    let districts = Districts::of(organizations);
    let all = organizations.iter().map(|o| &o.id);
    let all = all.chain(memberships.iter().map(|m| &m.organization));
    all.filter(|id| serves(memberships, id, policy, &districts))
        .cloned()
        .collect()
}

/// The districts that a person is staff of, and all organizations below them: where they may add others.
pub fn tended(
    memberships: &[Membership],
    policy: &StaffPolicy,
    organizations: &[Organization],
) -> BTreeSet<OrganizationId> {
    let districts = Districts::of(organizations);
    let is_district = |id: &OrganizationId| {
        let mut found = organizations.iter().filter(|o| o.id == *id);
        found.any(|o| o.kind == OrganizationKind::District)
    };
    let posts: Vec<Membership> = memberships
        .iter()
        .filter(|m| policy.districts && is_district(&m.organization))
        .cloned()
        .collect();
    let all = organizations.iter().map(|o| &o.id);
    all.filter(|id| serves(&posts, id, policy, &districts))
        .cloned()
        .collect()
}

/// How far `actor` reaches into `target`.
pub fn reach(
    actor: &RosterEntry,
    target: &RosterEntry,
    policy: &StaffPolicy,
    districts: &Districts,
) -> Reach {
    let serves = |m: &Membership| serves(&actor.memberships, &m.organization, policy, districts);
    if !target.memberships.iter().any(serves) {
        return Reach::Unknown;
    }
    let is_own = actor.account.is_some() && actor.account == target.account;
    let is_post = |m: &&Membership| policy.roles.contains(&m.role);
    let mut posts = target.memberships.iter().filter(is_post);
    if is_own || !posts.all(serves) {
        Reach::Look
    } else {
        Reach::Act
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, Listing, Role};

    fn entry(account: u8, memberships: &[(&str, Role)]) -> RosterEntry {
        let organization = |id: &str| OrganizationId::parse(id).unwrap();
        RosterEntry {
            claim_generation: 0,
            listing: Listing::Active,
            claimed: true,
            account: Some(AccountId::from_bytes([account; 16])),
            evidence_key: 0,
            name_pairs: [[0; 32]; 4],
            birthdate: None,
            memberships: memberships
                .iter()
                .map(|(id, role)| Membership {
                    organization: organization(id),
                    role: role.clone(),
                })
                .collect(),
            default_organization: organization("north"),
            disabled_at: None,
            details: Vec::new(),
        }
    }

    fn reaches(actor: &[(&str, Role)], target: &[(&str, Role)]) -> Reach {
        reach(
            &entry(1, actor),
            &entry(2, target),
            &StaffPolicy::default(),
            &schools(),
        )
    }

    fn id(id: &str) -> OrganizationId {
        OrganizationId::parse(id).unwrap()
    }

    fn all() -> Vec<Organization> {
        let organization = |own: &str, kind, parent: &str| Organization {
            id: id(own),
            name: own.to_owned(),
            kind,
            parent: OrganizationId::parse(parent).ok(),
            contacts: Vec::new(),
        };
        vec![
            organization("north", OrganizationKind::School, "area"),
            organization("south", OrganizationKind::School, "other-district"),
            organization("area", OrganizationKind::Other, "district"),
            organization("district", OrganizationKind::District, "state"),
            organization("other-district", OrganizationKind::District, "state"),
            organization("state", OrganizationKind::Other, "circle"),
            organization("circle", OrganizationKind::District, "circle"),
        ]
    }

    fn schools() -> Districts {
        Districts::of(&all())
    }

    const CLERK: &[(&str, Role)] = &[("north", Role::Administrator)];

    #[test]
    fn az01_staff_reach_the_people_of_their_organizations_and_nobody_else() {
        assert_eq!(reaches(CLERK, &[("north", Role::Student)]), Reach::Act);
        assert_eq!(reaches(CLERK, &[("south", Role::Student)]), Reach::Unknown);
        assert_eq!(reaches(CLERK, &[]), Reach::Unknown);
        let both = [("south", Role::Student), ("north", Role::Student)];
        assert_eq!(reaches(CLERK, &both), Reach::Act);
    }

    #[test]
    fn az01_a_role_counts_where_it_is_held_and_only_if_policy_names_it() {
        let actor = [("north", Role::Teacher), ("south", Role::Administrator)];
        assert_eq!(reaches(&actor, &[("north", Role::Student)]), Reach::Unknown);
        assert_eq!(reaches(&actor, &[("south", Role::Student)]), Reach::Act);
        let nobody = StaffPolicy {
            roles: Vec::new(),
            ..StaffPolicy::default()
        };
        let (clerk, child) = (entry(1, CLERK), entry(2, &[("north", Role::Student)]));
        assert_eq!(reach(&clerk, &child, &nobody, &schools()), Reach::Unknown);
        assert!(is_staff(&clerk.memberships, &StaffPolicy::default()));
        assert!(!is_staff(&clerk.memberships, &nobody));
        assert!(!is_staff(&child.memberships, &StaffPolicy::default()));
    }

    #[test]
    fn az01_who_is_staff_elsewhere_too_is_only_looked_at() {
        let head_of_both = [("north", Role::Teacher), ("south", Role::Administrator)];
        assert_eq!(reaches(CLERK, &head_of_both), Reach::Look);
        assert_eq!(reaches(CLERK, CLERK), Reach::Act, "a colleague");
        let clerk = entry(1, CLERK);
        let own = reach(&clerk, &clerk, &StaffPolicy::default(), &schools());
        assert_eq!(own, Reach::Look, "oneself");
    }

    #[test]
    fn az01_staff_of_a_district_reach_the_schools_below_it_and_no_others() {
        let officer = [("district", Role::Administrator)];
        assert_eq!(reaches(&officer, &[("north", Role::Student)]), Reach::Act);
        assert_eq!(reaches(&officer, &[("area", Role::Student)]), Reach::Act);
        assert_eq!(reaches(&officer, CLERK), Reach::Act, "the head of a school");
        assert_eq!(
            reaches(&officer, &[("south", Role::Student)]),
            Reach::Unknown
        );
        let head_of_both = [
            ("north", Role::Administrator),
            ("south", Role::Administrator),
        ];
        assert_eq!(reaches(&officer, &head_of_both), Reach::Look);
        let teacher = [("district", Role::Teacher)];
        assert_eq!(
            reaches(&teacher, &[("north", Role::Student)]),
            Reach::Unknown
        );
    }

    #[test]
    fn az01_nobody_reaches_upwards_and_what_is_no_district_reaches_nothing_below() {
        assert_eq!(
            reaches(CLERK, &[("district", Role::Student)]),
            Reach::Unknown
        );
        let both = [("district", Role::Administrator), ("north", Role::Teacher)];
        assert_eq!(reaches(CLERK, &both), Reach::Look);
        for above in ["area", "state"] {
            let officer = [(above, Role::Administrator)];
            assert_eq!(
                reaches(&officer, &[("north", Role::Student)]),
                Reach::Unknown
            );
        }
    }

    #[test]
    fn az01_policy_keeps_a_district_to_itself() {
        let policy = StaffPolicy {
            districts: false,
            ..StaffPolicy::default()
        };
        let officer = entry(1, &[("district", Role::Administrator)]);
        let child = entry(2, &[("north", Role::Student)]);
        assert_eq!(reach(&officer, &child, &policy, &schools()), Reach::Unknown);
        let own: Vec<_> = served(&officer.memberships, &policy, &all())
            .into_iter()
            .collect();
        assert_eq!(own, [id("district")]);
        let all: Vec<_> = served(&officer.memberships, &StaffPolicy::default(), &all())
            .into_iter()
            .collect();
        assert_eq!(all, [id("area"), id("district"), id("north")]);
    }

    #[test]
    fn az01_schools_are_added_below_a_district_of_ones_own_and_nowhere_else() {
        let tended = |memberships: &[(&str, Role)]| {
            let entry = entry(1, memberships);
            super::tended(&entry.memberships, &StaffPolicy::default(), &all())
        };
        assert!(tended(CLERK).is_empty());
        let officer = [
            ("district", Role::Administrator),
            ("south", Role::Administrator),
        ];
        let own: Vec<_> = tended(&officer).into_iter().collect();
        assert_eq!(own, [id("area"), id("district"), id("north")]);
    }
}
