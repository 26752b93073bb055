//! What each JSON route does, takes and answers.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::bodies;
use crate::api::{
    account, claim, messages, organizations, password, questions, recovery, session, sessions,
    staff,
};
use crate::routes::Action;

/// How a schema is made.
pub(super) type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

/// The answer of success.
pub(super) enum Success {
    /// 200, or 201 where something was made, with a document.
    Document(u16, MakeSchema),
    /// 204.
    Nothing,
    /// 200 with server-sent events, or 204 where the host cannot stream.
    Events,
    /// 200 with this very document.
    OpenApi,
}

/// One route, besides what its row in the table says.
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) body: Option<MakeSchema>,
    pub(super) success: Success,
    /// Codes of refusals, besides those that every route of its kind has.
    pub(super) refusals: &'static [&'static str],
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn reads<T: JsonSchema>(id: &'static str, summary: &'static str) -> Operation {
    Operation {
        id,
        summary,
        body: None,
        success: Success::Document(200, schema::<T>),
        refusals: &[],
    }
}

fn does<B: JsonSchema>(id: &'static str, summary: &'static str) -> Operation {
    Operation {
        id,
        summary,
        body: Some(schema::<B>),
        success: Success::Nothing,
        refusals: &[],
    }
}

impl Operation {
    fn answers<T: JsonSchema>(mut self, status: u16) -> Self {
        self.success = Success::Document(status, schema::<T>);
        self
    }

    fn refuses(mut self, codes: &'static [&'static str]) -> Self {
        self.refusals = codes;
        self
    }
}

/// What a route does; `None` for pages.
pub(super) fn operation(action: Action) -> Option<Operation> {
    Some(match action {
        Action::ApiClaim => does::<bodies::BeginClaim>(
            "begin_claim",
            "Claim an account: names, birthdate and number must belong together. Sets the claim cookie.",
        )
        .answers::<claim::ClaimDocument>(201)
        .refuses(&["claim_not_matched", "throttled"]),
        Action::ApiClaimPassword => does::<bodies::ClaimPassword>(
            "set_claim_password",
            "The second step of a claim: the password.",
        )
        .refuses(&["claim_expired", "already_claimed", "password_unacceptable"]),
        Action::ApiClaimQuestions => does::<bodies::ClaimQuestions>(
            "finish_claim",
            "The last step of a claim: answers to security questions. The account is there now.",
        )
        .refuses(&[
            "claim_expired",
            "already_claimed",
            "claim_step_missing",
            "answers_unacceptable",
        ]),
        Action::ApiLogIn => does::<bodies::LogIn>(
            "log_in",
            "Log in. Sets the session cookie; a session that this browser had ends.",
        )
        .answers::<session::LoggedInDocument>(201)
        .refuses(&["login_failed", "throttled"]),
        Action::ApiSession => reads::<session::SessionDocument>(
            "show_session",
            "Who is logged in, and how long the session has left. Asking is no activity.",
        ),
        Action::ApiLogOut => Operation {
            success: Success::Nothing,
            ..reads::<()>("log_out", "Log out in this browser.")
        }
        .refuses(&["not_logged_in", "session_ended", "token_replaced", "family_mismatch"]),
        Action::ApiActivity => does::<bodies::Activity>(
            "record_activity",
            "Say that the person was active, and how long ago.",
        ),
        Action::ApiRequirements => reads::<password::RequirementsDocument>(
            "password_requirements",
            "The stated requirements of a new password: of the session, else of the claim under way.",
        )
        .refuses(&["not_logged_in", "session_ended", "token_replaced", "claim_expired"]),
        Action::ApiPassword => does::<bodies::ChangePassword>(
            "change_password",
            "Change the password. Sets a new session cookie; every other browser is logged out.",
        )
        .answers::<session::SessionDocument>(200)
        .refuses(&["login_failed", "password_unacceptable", "throttled"]),
        Action::ApiQuestions => reads::<questions::BankDocument>(
            "question_bank",
            "The security questions to choose from, how many are answered, and which ones the person has.",
        ),
        Action::ApiQuestionsSave => does::<bodies::SetQuestions>(
            "set_questions",
            "Replace all security questions and answers. Needs a fresh log-in.",
        )
        .refuses(&["reauthentication_needed", "answers_unacceptable"]),
        Action::ApiConfirm => does::<bodies::Confirm>(
            "confirm_password",
            "Give the current password once more: the log-in is fresh again. Sets a new session cookie.",
        )
        .answers::<session::SessionDocument>(200)
        .refuses(&["login_failed", "throttled"]),
        Action::ApiMessages => reads::<messages::MessagesDocument>(
            "list_messages",
            "What happened to the account that no channel has told, until it is put away.",
        ),
        Action::ApiMessagesPutAway => Operation {
            success: Success::Nothing,
            ..reads::<()>("put_messages_away", "The person has seen the messages.")
        },
        Action::ApiSessions => reads::<sessions::BrowsersDocument>(
            "list_sessions",
            "Where the person is logged in.",
        ),
        Action::ApiSessionsEnd => Operation {
            success: Success::Nothing,
            ..reads::<()>("end_session", "Log out in one other browser. Needs a fresh log-in.")
        }
        .refuses(&["not_permitted", "reauthentication_needed"]),
        Action::ApiSessionsEndOthers => reads::<session::SessionDocument>(
            "end_other_sessions",
            "Log out everywhere else. Needs a fresh log-in; sets a new session cookie.",
        )
        .refuses(&["reauthentication_needed"]),
        Action::ApiRecovery => does::<bodies::BeginRecovery>(
            "begin_recovery",
            "Recover an account: number and recovery code. Sets the recovery cookie.",
        )
        .answers::<recovery::RecoveryDocument>(201)
        .refuses(&["recovery_failed", "throttled"]),
        Action::ApiRecoveryQuestions => does::<bodies::RecoveryQuestions>(
            "answer_recovery_questions",
            "The second step of a recovery: the answers given before.",
        )
        .refuses(&["answers_not_matched", "recovery_expired", "already_recovered", "throttled"]),
        Action::ApiRecoveryPassword => does::<bodies::RecoveryPassword>(
            "finish_recovery",
            "The last step of a recovery: a new password. Every browser is logged out.",
        )
        .refuses(&[
            "recovery_expired",
            "already_recovered",
            "recovery_step_missing",
            "password_unacceptable",
        ]),
        Action::ApiCodes => reads::<recovery::CodesLeftDocument>(
            "recovery_codes_left",
            "How many saved recovery codes the person has.",
        ),
        Action::ApiCodesMake => reads::<recovery::CodesDocument>(
            "renew_recovery_codes",
            "Make new recovery codes, shown once; the old ones are dead. Needs a fresh log-in.",
        )
        .answers::<recovery::CodesDocument>(201)
        .refuses(&["reauthentication_needed"]),
        Action::ApiAccount => reads::<account::AccountDocument>(
            "show_account",
            "Account details and memberships.",
        ),
        Action::ApiAccountSave => does::<bodies::SaveAccount>(
            "save_account",
            "Change account details that the roster does not own.",
        )
        .answers::<account::AccountDocument>(200)
        .refuses(&["not_permitted", "reauthentication_needed"]),
        Action::ApiOrganizations => reads::<organizations::OrganizationsDocument>(
            "list_organizations",
            "The person's organizations.",
        ),
        Action::ApiStaffStatistics => reads::<staff::StaffStatisticsDocument>(
            "staff_statistics",
            "Exact counts of an organization, for its staff.",
        )
        .refuses(&["not_permitted"]),
        Action::ApiStaffRosterPreview => reads::<staff::RosterDocument>(
            "preview_roster",
            "What a file would change in the organizations in which the person is staff. Nothing is \
             changed; the file waits for a quarter of an hour. Needs a fresh log-in.",
        )
        .refuses(&["not_permitted", "reauthentication_needed"]),
        Action::ApiStaffRosterConfirm => does::<bodies::ConfirmRoster>(
            "confirm_roster",
            "Bring in a file that was looked at, once. Needs a fresh log-in.",
        )
        .answers::<staff::RosterDocument>(200)
        .refuses(&["not_permitted", "reauthentication_needed"]),
        Action::ApiStaffHolds => reads::<staff::HoldsDocument>(
            "roster_holds",
            "People whom an import left as they are until somebody decides, of the organizations in \
             which the person is staff.",
        )
        .refuses(&["not_permitted"]),
        Action::ApiStaffHoldSettle => does::<bodies::SettleHold>(
            "settle_roster_hold",
            "Decide about people who are held in an organization. Needs a fresh log-in.",
        )
        .answers::<staff::SettledDocument>(200)
        .refuses(&["not_permitted", "reauthentication_needed"]),
        Action::ApiStatistics => reads::<organizations::StatisticsDocument>(
            "organization_statistics",
            "Statistics of an organization of the person. Small counts are told as `fewer_than`.",
        )
        .refuses(&["not_permitted"]),
        Action::ApiApps => reads::<organizations::AppsDocument>(
            "organization_apps",
            "The applications that the person may use in an organization.",
        )
        .refuses(&["not_permitted"]),
        Action::ApiEvents => Operation {
            success: Success::Events,
            ..reads::<()>(
                "events",
                "Server-sent events of this session: `hello`, `password_changed`, `ended`. Hints to look.",
            )
        },
        Action::ApiOpenApi => Operation {
            success: Success::OpenApi,
            ..reads::<()>("openapi", "This document.")
        },
        _ => return None,
    })
}
