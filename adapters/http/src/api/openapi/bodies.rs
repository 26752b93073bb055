//! What requests carry. Bodies are read by name, strictly, without a type (`crate::json`); these types
//! say the same to whoever reads the document, and a test compares their members with the route table.
#![expect(dead_code, reason = "only their schemas are used")]

use schemars::JsonSchema;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct BeginClaim {
    #[schemars(length(max = 2048))]
    given_name: String,
    #[schemars(length(max = 2048))]
    family_name: String,
    /// Year-month-day: `2012-12-31`. May be missing only where a claim code is given: for who has no
    /// birthdate in the roster.
    #[schemars(length(max = 2048))]
    birthdate: Option<String>,
    /// The student number; capitals and small letters are the same.
    #[schemars(length(max = 2048))]
    login_id: String,
    /// The code of a letter, ten letters and digits; needed where the portal's policy says so.
    #[schemars(length(max = 2048))]
    claim_code: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ClaimPassword {
    #[schemars(length(max = 1024))]
    password: String,
    /// Which claim of this browser; without it the latest.
    #[schemars(length(max = 2048))]
    claim: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Answer {
    /// The id of a question of the bank.
    #[schemars(length(max = 2048))]
    question: String,
    #[schemars(length(max = 2048))]
    answer: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ClaimQuestions {
    #[schemars(length(max = 32))]
    answers: Vec<Answer>,
    /// Which claim of this browser; without it the latest.
    #[schemars(length(max = 2048))]
    claim: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct LogIn {
    #[schemars(length(max = 2048))]
    login_id: String,
    #[schemars(length(max = 1024))]
    password: String,
    /// The shorter inactivity timeout of a computer that others use too.
    shared_computer: Option<bool>,
    /// A location of the portal, or below a prefix that the host declared: `/o/{organization}/...`.
    #[schemars(length(max = 2048))]
    return_to: Option<String>,
    /// The tag that came with the location: another person's leads to the landing page instead.
    #[schemars(rename = "for", length(max = 2048))]
    tag: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Activity {
    /// How long ago the person was last active, in milliseconds.
    idle_ms: u64,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ChangePassword {
    #[schemars(length(max = 1024))]
    current: String,
    #[schemars(length(max = 1024))]
    new: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct SaveAccount {
    /// How the person wants to be called. An empty text clears it; so below.
    #[schemars(length(max = 2048))]
    preferred_name: Option<String>,
    /// Another one needs a fresh log-in.
    #[schemars(length(max = 2048))]
    email: Option<String>,
    /// Another one needs a fresh log-in.
    #[schemars(length(max = 2048))]
    phone: Option<String>,
    /// A tag as in HTML's `lang`.
    #[schemars(length(max = 2048))]
    language: Option<String>,
    /// The id of an organization that the person belongs to.
    #[schemars(length(max = 2048))]
    default_organization: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Confirm {
    /// The current password.
    #[schemars(length(max = 1024))]
    password: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct BeginRecovery {
    #[schemars(length(max = 2048))]
    login_id: String,
    /// A recovery code, however it is spaced.
    #[schemars(length(max = 2048))]
    code: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct RecoveryQuestions {
    #[schemars(length(max = 32))]
    answers: Vec<Answer>,
    /// Which recovery of this browser; without it the latest.
    #[schemars(length(max = 2048))]
    recovery: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct RecoveryPassword {
    #[schemars(length(max = 1024))]
    password: String,
    /// Which recovery of this browser; without it the latest.
    #[schemars(length(max = 2048))]
    recovery: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ConfirmRoster {
    /// From the preview.
    #[schemars(length(max = 2048))]
    upload: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct SettleHold {
    #[schemars(length(max = 2048))]
    source: String,
    #[schemars(length(max = 2048))]
    organization: String,
    /// `confirm`: they have left. `discard`: the file was wrong, they stay.
    #[schemars(length(max = 2048))]
    decision: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct SetQuestions {
    #[schemars(length(max = 32))]
    answers: Vec<Answer>,
}
