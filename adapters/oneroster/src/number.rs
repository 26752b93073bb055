//! Which column of users.csv is the number people log in with: one for the whole import, never
//! mixed.
//!
//! Unless asked otherwise it is `identifier` if any row has one; else `userIds` if every row has at
//! most one id there and all are of one type; else the reading stops and asks.

use std::collections::BTreeSet;

use crate::{
    error::ReadError,
    findings::Findings,
    people,
    table::{Column, Row, Table},
    text,
};

/// Most types of `userIds` that are remembered for the question.
const TYPES_MAX: usize = 8;

/// What rows offer instead, in the order it is proposed.
const OTHERS: [&str; 3] = ["userMasterIdentifier", "username", "sourcedId"];

/// Chooses while the rows go by.
pub(crate) enum NumberChoice {
    /// The caller named a column.
    Asked {
        column: Column,
        label: String,
        /// `userIds` of this type only.
        id_type: Option<String>,
        is_user_ids: bool,
    },
    Auto(Auto),
}

pub(crate) struct Auto {
    identifier: Column,
    user_ids: Column,
    others: [Column; 3],
    people: u64,
    with_identifier: u64,
    types: BTreeSet<String>,
    several: bool,
    with_other: [bool; 3],
}

/// What one row offers.
#[derive(Default)]
pub(crate) struct Offer {
    pub(crate) first: String,
    /// Kept only as long as no row had an `identifier`.
    pub(crate) user_id: Option<String>,
}

/// The column chosen, and how many of how many people have a value there.
pub(crate) struct Chosen {
    pub(crate) label: String,
    pub(crate) use_user_id: bool,
}

impl NumberChoice {
    /// `None` after an Error finding.
    pub(crate) fn new(
        table: &mut Table<'_>,
        asked: Option<&str>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let Some(asked) = asked else {
            return Some(Self::Auto(Auto {
                identifier: table.column("identifier"),
                user_ids: table.column("userIds"),
                others: OTHERS.map(|name| table.column(name)),
                people: 0,
                with_identifier: 0,
                types: BTreeSet::new(),
                several: false,
                with_other: [false; 3],
            }));
        };
        if people::is_secret_column(asked) {
            people::refuse_number_column(table.file(), asked, findings);
            return None;
        }
        let (name, id_type) = match asked.split_once(':') {
            Some((name, id_type)) if text::folded(name) == "userids" => (name, Some(id_type)),
            _ => (asked, None),
        };
        let column = table.column_asked(name);
        let Some(label) = table.label(column) else {
            people::tell_number_column_missing(table.file(), asked, findings);
            return None;
        };
        if people::is_secret_column(&label) {
            people::refuse_number_column(table.file(), asked, findings);
            return None;
        }
        Some(Self::Asked {
            column,
            is_user_ids: text::folded(name) == "userids",
            id_type: id_type.map(text::folded),
            label,
        })
    }

    /// How the column asked for is called here; empty where none was.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Asked { label, .. } => label.clone(),
            Self::Auto(_) => String::new(),
        }
    }

    /// What this row offers as the number.
    pub(crate) fn offer(&mut self, row: &Row<'_>) -> Offer {
        match self {
            Self::Asked {
                column,
                id_type,
                is_user_ids,
                ..
            } => {
                let value = row.get(*column);
                let first = if *is_user_ids {
                    let fits = |kind: &str| {
                        id_type
                            .as_ref()
                            .is_none_or(|asked| text::folded(kind) == *asked)
                    };
                    single(
                        user_ids(value)
                            .filter(|(kind, _)| fits(kind))
                            .map(|(_, id)| id),
                    )
                } else {
                    Some(value)
                };
                Offer {
                    first: first.unwrap_or_default().to_owned(),
                    user_id: None,
                }
            }
            Self::Auto(auto) => auto.offer(row),
        }
    }

    /// The choice, after all rows.
    ///
    /// # Errors
    /// No column is plainly the number.
    pub(crate) fn settle(self, file: &str) -> Result<Chosen, ReadError> {
        match self {
            Self::Asked { label, .. } => Ok(Chosen {
                label,
                use_user_id: false,
            }),
            Self::Auto(auto) => auto.settle(file),
        }
    }
}

impl Auto {
    fn offer(&mut self, row: &Row<'_>) -> Offer {
        self.people += 1;
        let first = row.get(self.identifier).to_owned();
        if !first.is_empty() {
            self.with_identifier += 1;
        }
        if self.with_identifier > 0 {
            return Offer {
                first,
                user_id: None,
            };
        }
        for (seen, column) in self.with_other.iter_mut().zip(self.others) {
            *seen |= !row.get(column).is_empty();
        }
        let ids = row.get(self.user_ids);
        for (count, (kind, _)) in user_ids(ids).enumerate() {
            self.several |= count > 0;
            if self.types.len() < TYPES_MAX {
                self.types.insert(text::folded(kind));
            }
        }
        Offer {
            first,
            user_id: single(user_ids(ids).map(|(_, id)| id)).map(str::to_owned),
        }
    }

    fn settle(self, file: &str) -> Result<Chosen, ReadError> {
        if self.with_identifier > 0 || self.people == 0 {
            return Ok(Chosen {
                label: "identifier".to_owned(),
                use_user_id: false,
            });
        }
        if self.types.len() == 1 && !self.several {
            return Ok(Chosen {
                label: "userIds".to_owned(),
                use_user_id: true,
            });
        }
        let ids = self
            .types
            .iter()
            .map(|kind| format!("userIds:{}", text::shown(kind)));
        let others = OTHERS.iter().zip(self.with_other).filter(|(_, seen)| *seen);
        let candidates: Vec<String> = ids
            .chain(others.map(|(name, _)| (*name).to_owned()))
            .collect();
        Err(ReadError::NumberUndecided {
            file: file.to_owned(),
            candidates: candidates.join(", "),
        })
    }
}

/// `{type:id},{type:id}` taken apart.
fn user_ids(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('}').filter_map(|part| {
        let (_, part) = part.split_once('{')?;
        let (kind, id) = part.split_once(':')?;
        let (kind, id) = (kind.trim(), id.trim());
        (!id.is_empty()).then_some((kind, id))
    })
}

/// The only one, if there is exactly one.
fn single<'a>(mut all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    match (all.next(), all.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_are_pairs_in_braces() {
        let ids = |text| user_ids(text).collect::<Vec<_>>();
        assert_eq!(
            ids("{SIS:12},{ LDAP : a:b }"),
            [("SIS", "12"), ("LDAP", "a:b")]
        );
        assert!(ids("").is_empty() && ids("12").is_empty() && ids("{:}").is_empty());
    }
}
