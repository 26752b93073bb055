//! orgs.csv: the organizations and the tree they form.

use std::collections::{HashMap, HashSet};

use narthex_core::model::{
    OrganizationId, OrganizationKind,
    roster::{Place, RosterOrganization},
};

use super::{BulkColumns, Edition, Listed, word};
use crate::{
    catalog::Input,
    error::ReadError,
    findings::{Code, Findings, Shown},
    people,
    table::{Column, Row, Schema, Table},
};

static SCHEMA: Schema = Schema {
    file: "orgs.csv",
    required: &["sourcedId", "name", "type"],
    optional: &[
        "status",
        "dateLastModified",
        "identifier",
        "parentSourcedId",
    ],
    aliases: &[],
};

const TYPES: [(&str, OrganizationKind); 6] = [
    ("school", OrganizationKind::School),
    ("district", OrganizationKind::District),
    ("department", OrganizationKind::Other),
    ("local", OrganizationKind::Other),
    ("state", OrganizationKind::Other),
    ("national", OrganizationKind::Other),
];

/// The organizations by the id their source gave them.
#[derive(Default)]
pub(super) struct Organizations {
    pub(super) list: Vec<RosterOrganization>,
    by_source_id: HashMap<String, usize>,
    /// Of `list`, those that orgs.csv does not list: a delta names them, and they are kept already.
    kept: HashSet<usize>,
}

impl Organizations {
    /// Position in `list`.
    pub(super) fn find(&self, source_id: &str) -> Option<usize> {
        self.by_source_id.get(source_id).copied()
    }

    /// Position in `list`; a delta may name what it does not list.
    pub(super) fn find_or_kept(&mut self, source_id: &str, edition: Edition) -> Option<usize> {
        let found = self.find(source_id);
        if found.is_some() || !edition.delta || source_id.is_empty() {
            return found;
        }
        let index = self.list.len();
        self.kept.insert(index);
        self.by_source_id.insert(source_id.to_owned(), index);
        self.list.push(RosterOrganization {
            id: OrganizationId::from_source_id(source_id),
            name: source_id.to_owned(),
            kind: OrganizationKind::Other,
            parent: None,
            contacts: Vec::new(),
        });
        Some(index)
    }

    /// Those that orgs.csv lists.
    pub(super) fn into_listed(self) -> Vec<RosterOrganization> {
        let kept = self.kept;
        let all = self.list.into_iter().enumerate();
        all.filter(|(index, _)| !kept.contains(index))
            .map(|(_, organization)| organization)
            .collect()
    }
}

#[derive(Clone, Copy)]
struct Columns {
    bulk: BulkColumns,
    id: Column,
    name: Column,
    kind: Column,
    parent: Column,
}

impl Columns {
    fn of(table: &mut Table<'_>, edition: Edition) -> Self {
        Self {
            bulk: BulkColumns::of(table, edition),
            id: table.column("sourcedId"),
            name: table.column("name"),
            kind: table.column("type"),
            parent: table.column("parentSourcedId"),
        }
    }
}

/// What a row says about the organization above.
struct Above {
    organization: usize,
    parent: String,
    place: Place,
}

pub(super) fn read(
    input: &mut Input<'_>,
    edition: Edition,
    findings: &mut Findings,
) -> Result<Organizations, ReadError> {
    let mut organizations = Organizations::default();
    let Some(mut table) = input.table(&SCHEMA, findings)? else {
        return Ok(organizations);
    };
    let columns = Columns::of(&mut table, edition);
    let mut above = Vec::new();
    let mut ids = HashSet::new();
    while let Some(row) = table.next(findings)? {
        take(
            &row,
            columns,
            &mut organizations,
            &mut ids,
            &mut above,
            findings,
        );
    }
    if table.rows() == 0 {
        people::tell_without_rows(table.file(), !edition.delta, findings);
    }
    link(&mut organizations, above, edition, findings);
    Ok(organizations)
}

fn take(
    row: &Row<'_>,
    columns: Columns,
    organizations: &mut Organizations,
    ids: &mut HashSet<OrganizationId>,
    above: &mut Vec<Above>,
    findings: &mut Findings,
) {
    let Some(source_id) = people::source_id(row, columns.id, findings) else {
        return;
    };
    if columns.bulk.judge(row, findings) == Listed::Deleted {
        if columns.bulk.delta {
            let message = "marked as deleted; organizations are kept";
            row.tell(findings, Code::status_deleted, columns.id, message);
        }
        return;
    }
    let id = OrganizationId::from_source_id(source_id);
    // Two ids that shorten to one would put two organizations under one address.
    if !ids.insert(id.clone()) {
        let message = "a second row with this id; the first one counts";
        row.tell(findings, Code::source_id_duplicate, columns.id, message);
        return;
    }
    let kind = word(row, columns.kind, &TYPES, findings).unwrap_or_else(|| {
        if !row.get(columns.kind).starts_with("ext:") {
            let message = "not a kind of organization of this format; read as another kind";
            row.tell(findings, Code::org_type_unknown, columns.kind, message);
        }
        OrganizationKind::Other
    });
    let parent = row.get(columns.parent);
    if !parent.is_empty() {
        above.push(Above {
            organization: organizations.list.len(),
            parent: parent.to_owned(),
            place: row.place_of(columns.parent),
        });
    }
    let name = people::organization_name(row, columns.name, &id, findings);
    organizations
        .by_source_id
        .insert(source_id.to_owned(), organizations.list.len());
    organizations.list.push(RosterOrganization {
        id,
        name,
        kind,
        parent: None,
        contacts: Vec::new(),
    });
}

/// Puts each organization under the one above it; a link that would close a loop is left out.
fn link(
    organizations: &mut Organizations,
    above: Vec<Above>,
    edition: Edition,
    findings: &mut Findings,
) {
    for link in &above {
        organizations.find_or_kept(&link.parent, edition);
    }
    let mut parents: Vec<Option<usize>> = vec![None; organizations.list.len()];
    let mut loops = Loops::default();
    for link in above {
        let Some(parent) = organizations.find(&link.parent) else {
            let message = "the organization above is not in the roster; the link was left out";
            let value = Shown::Text(&link.parent);
            findings.tell(
                Code::org_parent_unknown,
                link.place,
                value,
                message.to_owned(),
            );
            continue;
        };
        if loops.joins(link.organization, parent) {
            if let Some(slot) = parents.get_mut(link.organization) {
                *slot = Some(parent);
            }
        } else {
            let message = "this organization would be above itself; the link was left out";
            let value = Shown::Text(&link.parent);
            findings.tell(Code::org_parent_loop, link.place, value, message.to_owned());
        }
    }
    let ids: Vec<OrganizationId> = organizations.list.iter().map(|o| o.id.clone()).collect();
    for (organization, parent) in organizations.list.iter_mut().zip(parents) {
        organization.parent = parent.and_then(|parent| ids.get(parent).cloned());
    }
}

/// Each organization has at most one above it, so a link closes a loop exactly if both ends already
/// hang together: the top of `parent`'s tree is `child` itself. Tops are found with path halving.
#[derive(Default)]
struct Loops {
    up: HashMap<usize, usize>,
}

impl Loops {
    fn joins(&mut self, child: usize, parent: usize) -> bool {
        let top = self.top(parent);
        if top == child {
            return false;
        }
        self.up.insert(child, top);
        true
    }

    fn top(&mut self, mut at: usize) -> usize {
        while let Some(above) = self.up.get(&at).copied() {
            if let Some(two_above) = self.up.get(&above).copied() {
                self.up.insert(at, two_above);
            }
            at = above;
        }
        at
    }
}
