//! orgs.csv: the organizations and the tree they form.

use std::collections::{HashMap, HashSet};

use narthex_core::model::{
    OrganizationId, OrganizationKind,
    roster::{Place, RosterOrganization},
};

use super::{BulkColumns, Listed, word};
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
}

impl Organizations {
    /// Position in `list`.
    pub(super) fn find(&self, source_id: &str) -> Option<usize> {
        self.by_source_id.get(source_id).copied()
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
    fn of(table: &mut Table<'_>) -> Self {
        Self {
            bulk: BulkColumns::of(table),
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
    findings: &mut Findings,
) -> Result<Organizations, ReadError> {
    let mut organizations = Organizations::default();
    let Some(mut table) = input.table(&SCHEMA, findings)? else {
        return Ok(organizations);
    };
    let columns = Columns::of(&mut table);
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
        people::tell_without_rows(table.file(), true, findings);
    }
    link(&mut organizations, above, findings);
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
fn link(organizations: &mut Organizations, above: Vec<Above>, findings: &mut Findings) {
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
