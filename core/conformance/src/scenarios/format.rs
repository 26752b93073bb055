//! What a scenario file may say. `scenarios/README.md` is the table of these words for people.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::policy::PolicyOverrides;
use super::span::Span;
use crate::front_door::Way;

/// One rule or attack, told as what browsers do and what they are answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The name of the file without `.json`.
    pub name: String,
    /// The rules, promises, requirements and attacks it is about.
    pub rule: Vec<String>,
    /// What would be wrong with a front door that does not pass.
    pub why: String,
    /// What differs from the default policy.
    #[serde(default)]
    pub policy: PolicyOverrides,
    /// Which fixture of people it starts from.
    pub roster: String,
    /// Who has claimed before the first step, with the password and answers of the fixture.
    #[serde(default)]
    pub claimed: Vec<String>,
    /// The only ways in it applies to; absent: all.
    pub ways: Option<Vec<Way>>,
    /// In order.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// Whether it applies to a way in.
    pub fn applies_to(&self, way: Way) -> bool {
        self.ways.as_ref().is_none_or(|ways| ways.contains(&way))
    }

    /// Whether anything in it happens at the same time.
    pub fn has_races(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step.what, What::Together { .. }))
    }
}

/// One step, or several that happen at the same time.
#[derive(Clone, Debug)]
pub struct Step {
    /// As written, for messages.
    pub written: Value,
    /// What happens.
    pub what: What,
}

/// What a step consists of.
#[derive(Clone, Debug)]
pub enum What {
    /// One thing, so many times one after the other; every time the same is expected.
    One(Box<Deed>),
    /// Several things at the same time.
    Together {
        /// What happens; a deed with `times` stands for so many.
        deeds: Vec<Deed>,
        /// What all of them are answered.
        expect: GroupExpect,
    },
}

/// Somebody does something.
#[derive(Clone, Debug)]
pub struct Deed {
    /// The browser; empty for what the office or the world does.
    pub by: String,
    /// The network it comes from.
    pub network: String,
    /// How often.
    pub times: u32,
    /// A name for the answer, for `looks_like`.
    pub label: Option<String>,
    /// What.
    pub action: Action,
    /// The answer.
    pub expect: Expect,
}

/// Where requests come from that name no network (RFC 5737).
const DEFAULT_NETWORK: &str = "192.0.2.1";

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut map = Map::deserialize(deserializer)?;
        let written = Value::Object(map.clone());
        let _: Option<String> = take(&mut map, "why").map_err(D::Error::custom)?;
        let together: Option<Vec<Map<String, Value>>> =
            take(&mut map, "together").map_err(D::Error::custom)?;
        let what = match together {
            None => What::One(Box::new(deed(map).map_err(D::Error::custom)?)),
            Some(deeds) => {
                let expect: Option<GroupExpect> =
                    take(&mut map, "expect").map_err(D::Error::custom)?;
                if let Some(unknown) = map.keys().next() {
                    return Err(D::Error::custom(format!(
                        "unknown field {unknown} of a group"
                    )));
                }
                What::Together {
                    deeds: deeds
                        .into_iter()
                        .map(deed)
                        .collect::<Result<_, _>>()
                        .map_err(D::Error::custom)?,
                    expect: expect.ok_or_else(|| D::Error::custom("a group expects something"))?,
                }
            }
        };
        Ok(Self { written, what })
    }
}

fn deed(mut map: Map<String, Value>) -> Result<Deed, String> {
    let _: Option<String> = take(&mut map, "why")?;
    let by: Option<String> = take(&mut map, "by")?;
    let network: Option<String> = take(&mut map, "network")?;
    let times: Option<u32> = take(&mut map, "times")?;
    let label = take(&mut map, "label")?;
    let expect: Option<Expect> = take(&mut map, "expect")?;
    let action: Action = serde_json::from_value(Value::Object(map)).map_err(|e| e.to_string())?;
    if by.is_some() == action.is_the_worlds() {
        return Err(format!("{action:?} needs a browser, or may have none"));
    }
    Ok(Deed {
        by: by.unwrap_or_default(),
        network: network.unwrap_or_else(|| DEFAULT_NETWORK.to_owned()),
        times: times.unwrap_or(1),
        label,
        action,
        expect: expect.unwrap_or_default(),
    })
}

fn take<T: DeserializeOwned>(map: &mut Map<String, Value>, key: &str) -> Result<Option<T>, String> {
    map.remove(key)
        .map(|value| serde_json::from_value(value).map_err(|error| format!("{key}: {error}")))
        .transpose()
}

/// What a person types of themselves where it differs from the fixture.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Says {
    /// First Name.
    pub given_name: Option<String>,
    /// Last Name.
    pub family_name: Option<String>,
    /// `YYYY-MM-DD`.
    pub birthdate: Option<String>,
    /// Student Number.
    pub login_id: Option<String>,
    /// The code of a letter; `issued`: the one the office issued last to this person.
    pub claim_code: Option<String>,
}

/// Which cookies of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cookies {
    /// The session's.
    Session,
    /// The claim's.
    Claim,
    /// The recovery's.
    Recovery,
    /// What it keeps of the accounts that were logged in to in it.
    Known,
}

/// A word of the corpus: first what browsers do, then what the office and the world do.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "scenarios/README.md is the table of these words and their fields"
)]
pub enum Action {
    /// The whole claim; the first refusal is the answer.
    Claim {
        who: String,
        #[serde(default)]
        says: Says,
        password: Option<String>,
        answers: Option<Vec<(String, String)>>,
    },
    /// The first step of a claim.
    BeginClaim {
        who: String,
        #[serde(default)]
        says: Says,
    },
    /// The second step.
    ClaimPassword {
        who: String,
        password: Option<String>,
        ticket_of: Option<String>,
    },
    /// The last step.
    ClaimAnswers {
        who: String,
        answers: Option<Vec<(String, String)>>,
        ticket_of: Option<String>,
    },
    /// "Not you?"
    AbandonClaim { who: String },
    /// Number and password.
    LogIn {
        who: String,
        login_id: Option<String>,
        password: Option<String>,
        #[serde(default)]
        shared_computer: bool,
        /// From the log-in page of the tab that was at this location.
        from: Option<String>,
        /// From a log-in URL that somebody else wrote, without a tag.
        return_to: Option<String>,
    },
    /// A page is opened: by the person, or by a script in the background.
    Visit {
        at: String,
        #[serde(default)]
        background: bool,
    },
    /// The change-password form.
    ChangePassword { current: String, new: String },
    /// Log out.
    LogOut,
    /// The browser reports that the person was idle for so long.
    Activity { idle: Span },
    /// Account details: another default organization.
    ChooseDefault { organization: String },
    /// Account details: something that the roster does not own.
    ChangeDetails { field: String, value: String },
    /// A tab begins to listen.
    Watch,
    /// What it has heard since.
    Hear,
    /// The current password once more.
    Reauthenticate { password: String },
    /// Where one is logged in.
    Sessions,
    /// Log out in another browser.
    EndSession { of: String },
    /// Log out in all other browsers.
    EndOtherSessions,
    /// New security questions and answers.
    SetQuestions { answers: Vec<(String, String)> },
    /// A new set of recovery codes to keep, remembered as the saved ones of `who`.
    RenewRecoveryCodes { who: String },
    /// The whole recovery; the first refusal is the answer.
    Recover {
        who: String,
        code: String,
        answers: Option<Vec<(String, String)>>,
        password: String,
    },
    /// The first step of a recovery. `code`: which, as [`super::codes::Codes::find`] reads it.
    BeginRecovery {
        who: String,
        login_id: Option<String>,
        code: String,
    },
    /// The second step.
    RecoveryAnswers {
        who: String,
        answers: Option<Vec<(String, String)>>,
        ticket_of: Option<String>,
    },
    /// The last step.
    RecoveryPassword {
        who: String,
        password: String,
        ticket_of: Option<String>,
    },
    /// Takes over cookies of another browser: a thief, or an attacker who plants his own.
    CopyCookies { from: String, which: Cookies },
    /// Puts a session cookie that no portal made into the jar.
    PlantSession,
    /// Time passes.
    AdvanceClock { span: Span },
    /// Somebody sets the wall clock; no time passes.
    WallClock { shift: Span },
    /// The process ends without a word; another opens the same store and keys.
    Restart,
    /// The minute's housekeeping.
    Maintain,
    /// The roster comes again, changed.
    Import {
        #[serde(default)]
        people: BTreeMap<String, Map<String, Value>>,
        #[serde(default)]
        missing: Vec<String>,
        /// Another source than the fixture's own lists the same organizations: the fixture stays.
        source: Option<String>,
        /// A delta: only `people` is listed, and who is `missing` is marked as deleted.
        #[serde(default)]
        delta: bool,
    },
    /// Staff confirm, or discard, what an import held.
    SettleHolds {
        confirm: bool,
        organization: Option<String>,
    },
    /// Staff take a claim back; a claim code comes with it.
    ResetClaim { who: String },
    /// Staff make a recovery code, remembered as the issued one of `who`.
    IssueRecoveryCode { who: String },
    /// Staff issue a claim code.
    IssueClaimCode { who: String },
    /// Room in the hash queue from now on.
    HashQueue { room: usize },
    /// Parameters of new hashes from now on.
    HashParameters { are: u32 },
}

impl Action {
    /// Whether no browser does it.
    pub fn is_the_worlds(&self) -> bool {
        matches!(
            self,
            Self::AdvanceClock { .. }
                | Self::WallClock { .. }
                | Self::Restart
                | Self::Maintain
                | Self::Import { .. }
                | Self::SettleHolds { .. }
                | Self::ResetClaim { .. }
                | Self::IssueRecoveryCode { .. }
                | Self::IssueClaimCode { .. }
                | Self::HashQueue { .. }
                | Self::HashParameters { .. }
        )
    }
}

/// What one answer must be: the outcome, and every fact that is named.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// `ok`, a refusal's code, `invalid`, or `busy`; absent: `ok`.
    pub outcome: Option<String>,
    /// The same answer, to the last byte that is not this request's own, as the one of this label.
    pub looks_like: Option<String>,
    /// Facts.
    pub facts: Facts,
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut map = Map::deserialize(deserializer)?;
        Ok(Self {
            outcome: take(&mut map, "outcome").map_err(D::Error::custom)?,
            looks_like: take(&mut map, "looks_like").map_err(D::Error::custom)?,
            facts: serde_json::from_value(Value::Object(map)).map_err(D::Error::custom)?,
        })
    }
}

/// What the answers to a group must be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupExpect {
    /// So many answers with exactly this outcome.
    pub exactly: BTreeMap<String, usize>,
    /// What all other answers may be; absent: there are no others.
    #[serde(default)]
    pub rest: Vec<String>,
    /// Comparisons of a secret with a hash, in all.
    pub comparisons: Option<u64>,
    /// The most comparisons of a secret with a hash, in all.
    pub comparisons_max: Option<u64>,
}

/// What may be known of an answer besides its outcome. Absent: not asked for, or not told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// Why a session ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The organization of the page one is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The page one is on: path, query and fragment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The location that the log-in page leads back to; empty: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_page_for: Option<String>,
    /// What the page says about how one came here; empty: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// The student number of who is logged in, or has claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_id: Option<String>,
    /// First Name of who is logged in, or is claiming.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// The organizations one may switch to, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organizations: Option<Vec<String>>,
    /// Codes of what is wrong with what was typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issues: Option<Vec<String>>,
    /// How long without activity ends the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inactivity_s: Option<u64>,
    /// When to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// Statistics: by role, listed and claimed as shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<BTreeMap<String, [String; 2]>>,
    /// Statistics: as shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_ins_today: Option<String>,
    /// The humans to write to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<String>>,
    /// What a listening tab heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notices: Option<Vec<String>>,
    /// In how many browsers one is logged in, as listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<usize>,
    /// What the person says of themselves, by field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<BTreeMap<String, String>>,
    /// The questions that are to be answered next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub questions: Option<Vec<String>>,
    /// Recovery codes that were shown: remembered by the scenario, never compared.
    #[serde(skip)]
    pub codes: Vec<String>,
    /// An import: `[added, changed, unchanged, deactivated, held]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported: Option<[usize; 5]>,
    /// Holds that were settled: `[people made inactive, people who stay]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<[usize; 2]>,
    /// Measured: comparisons of a secret with a hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparisons: Option<u64>,
    /// Measured: the same work for who has no hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoys: Option<u64>,
    /// Measured: comparisons and decoys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work: Option<u64>,
    /// Measured: hashes made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hashes: Option<u64>,
    /// Measured: commits asked of the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commits: Option<u64>,
}
