//! The one table of routes. Who may call, what body is read, which proofs a request needs: all of
//! it is derived from a row here, before any handler runs.

use http::Method;
use matchit::Router;

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Account,
    AccountCodes,
    AccountCodesMake,
    AccountQuestions,
    AccountQuestionsSave,
    AccountSave,
    AccountMessagesPutAway,
    AccountSessions,
    AccountSessionsEnd,
    App,
    ApiAccount,
    ApiAccountSave,
    ApiActivity,
    ApiApps,
    ApiClaim,
    ApiClaimPassword,
    ApiClaimQuestions,
    ApiCodes,
    ApiCodesMake,
    ApiConfirm,
    ApiEvents,
    ApiLogIn,
    ApiLogOut,
    ApiMessages,
    ApiMessagesPutAway,
    ApiOpenApi,
    ApiOrganizations,
    ApiPassword,
    ApiQuestions,
    ApiQuestionsSave,
    ApiRecovery,
    ApiRecoveryPassword,
    ApiRecoveryQuestions,
    ApiRequirements,
    ApiSession,
    ApiSessions,
    ApiSessionsEnd,
    ApiSessionsEndOthers,
    ApiStaffHoldSettle,
    ApiStaffHolds,
    ApiStaffRosterConfirm,
    ApiStaffRosterPreview,
    ApiStaffStatistics,
    ApiStatistics,
    Asset,
    ChangePasswordAddress,
    Claim,
    ClaimAbandon,
    ClaimBegin,
    ClaimPassword,
    ClaimPasswordSave,
    ClaimQuestions,
    ClaimQuestionsSave,
    Downloads,
    Header,
    Health,
    Help,
    Home,
    HostPage,
    Landing,
    LogIn,
    LogInPage,
    LogOut,
    Password,
    PasswordSave,
    Recover,
    RecoverBegin,
    RecoverPassword,
    RecoverPasswordSave,
    RecoverQuestions,
    RecoverQuestionsSave,
    Staff,
    StaffAct,
    StaffHoldSettle,
    StaffRoster,
    StaffRosterConfirm,
    StaffRosterPreview,
    StaffStatistics,
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Anybody.
    Anyone,
    /// Anybody; who has a live session is known, and sees their header.
    Known,
    /// Who has a live session.
    Person,
}

/// What body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// None: a body is refused.
    None,
    /// An HTML form with these fields (besides `form_token`, and `family` behind the log-in).
    Form(&'static [&'static str]),
    /// A JSON object with these members.
    Json(&'static [&'static str]),
    /// An HTML form with these fields and a file.
    Upload(&'static [&'static str]),
    /// A file, and nothing else.
    File,
}

/// One row.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) pattern: &'static str,
    pub(crate) action: Action,
    pub(crate) who: Who,
    pub(crate) body: BodyKind,
}

impl Route {
    /// Whether answers are JSON.
    pub(crate) fn is_api(&self) -> bool {
        self.pattern.starts_with("/api/")
    }

    /// Whether a file may come with it.
    pub(crate) fn takes_file(&self) -> bool {
        matches!(self.body, BodyKind::Upload(_) | BodyKind::File)
    }

    /// Whether it may change anything.
    pub(crate) fn is_unsafe(&self) -> bool {
        !matches!(self.method, Method::GET)
    }

    /// Whether the page shows its form again, with what was typed, when the form's token is not
    /// right (cookies were cleared, or the browser was closed in between).
    pub(crate) fn shows_stale_form_again(&self) -> bool {
        matches!(
            self.action,
            Action::LogIn | Action::ClaimBegin | Action::RecoverBegin
        )
    }

    /// Whether calling it says that a person is there: pages, and what changes something. Not the
    /// activity call, which says itself when the person was there, and not what ends the session.
    pub(crate) fn is_activity(&self) -> bool {
        match self.action {
            Action::ApiActivity | Action::ApiLogOut | Action::LogOut => false,
            _ => self.is_unsafe() || !self.is_api(),
        }
    }
}

const fn get(pattern: &'static str, who: Who, action: Action) -> Route {
    Route {
        method: Method::GET,
        pattern,
        action,
        who,
        body: BodyKind::None,
    }
}

const fn post(pattern: &'static str, who: Who, action: Action, body: BodyKind) -> Route {
    Route {
        method: Method::POST,
        pattern,
        action,
        who,
        body,
    }
}

const fn delete(pattern: &'static str, who: Who, action: Action) -> Route {
    Route {
        method: Method::DELETE,
        pattern,
        action,
        who,
        body: BodyKind::None,
    }
}

use Action as A;
use BodyKind::{Form, Json};
use Who::{Anyone, Known, Person};

/// Every route.
pub(crate) static ROUTES: &[Route] = &[
    get("/", Anyone, A::Home),
    get("/login", Anyone, A::LogInPage),
    post(
        "/login",
        Anyone,
        A::LogIn,
        Form(&[
            "login_id",
            "password",
            "shared_computer",
            "return_to",
            "for",
        ]),
    ),
    post("/logout", Anyone, A::LogOut, Form(&["family"])),
    get("/claim", Anyone, A::Claim),
    post(
        "/claim",
        Anyone,
        A::ClaimBegin,
        Form(&[
            "given_name",
            "family_name",
            "birth_month",
            "birth_day",
            "birth_year",
            "login_id",
            "claim_code",
        ]),
    ),
    get("/claim/password", Anyone, A::ClaimPassword),
    post(
        "/claim/password",
        Anyone,
        A::ClaimPasswordSave,
        Form(&["claim", "password"]),
    ),
    get("/claim/questions", Anyone, A::ClaimQuestions),
    post(
        "/claim/questions",
        Anyone,
        A::ClaimQuestionsSave,
        Form(&[
            "claim",
            "question_1",
            "answer_1",
            "question_2",
            "answer_2",
            "question_3",
            "answer_3",
            "question_4",
            "answer_4",
            "question_5",
            "answer_5",
        ]),
    ),
    post("/claim/abandon", Anyone, A::ClaimAbandon, Form(&["claim"])),
    get("/recover", Anyone, A::Recover),
    post(
        "/recover",
        Anyone,
        A::RecoverBegin,
        Form(&["login_id", "code"]),
    ),
    get("/recover/questions", Anyone, A::RecoverQuestions),
    post(
        "/recover/questions",
        Anyone,
        A::RecoverQuestionsSave,
        Form(&[
            "recovery", "answer_1", "answer_2", "answer_3", "answer_4", "answer_5",
        ]),
    ),
    get("/recover/password", Anyone, A::RecoverPassword),
    post(
        "/recover/password",
        Anyone,
        A::RecoverPasswordSave,
        Form(&["recovery", "password"]),
    ),
    get("/help", Known, A::Help),
    get("/header", Anyone, A::Header),
    get("/o/{organization}/", Person, A::Landing),
    get("/o/{organization}/downloads", Person, A::Downloads),
    get("/o/{organization}/apps/{app}", Person, A::App),
    get("/o/{organization}/apps/{app}/projects", Person, A::App),
    get(
        "/o/{organization}/apps/{app}/projects/{project}",
        Person,
        A::App,
    ),
    get("/account", Person, A::Account),
    post(
        "/account",
        Person,
        A::AccountSave,
        Form(&[
            "preferred_name",
            "email",
            "phone",
            "language",
            "default_organization",
            "current",
        ]),
    ),
    get("/account/password", Person, A::Password),
    post(
        "/account/password",
        Person,
        A::PasswordSave,
        Form(&["current", "new"]),
    ),
    get("/account/questions", Person, A::AccountQuestions),
    post(
        "/account/questions",
        Person,
        A::AccountQuestionsSave,
        Form(&[
            "current",
            "question_1",
            "answer_1",
            "question_2",
            "answer_2",
            "question_3",
            "answer_3",
            "question_4",
            "answer_4",
            "question_5",
            "answer_5",
        ]),
    ),
    get("/account/recovery-codes", Person, A::AccountCodes),
    post(
        "/account/recovery-codes",
        Person,
        A::AccountCodesMake,
        Form(&["current"]),
    ),
    post(
        "/account/messages",
        Person,
        A::AccountMessagesPutAway,
        Form(&["organization"]),
    ),
    get("/account/sessions", Person, A::AccountSessions),
    post(
        "/account/sessions",
        Person,
        A::AccountSessionsEnd,
        Form(&["current", "which"]),
    ),
    get("/staff", Person, A::Staff),
    // The number is in the body: addresses are kept in logs and histories.
    post(
        "/staff",
        Person,
        A::StaffAct,
        Form(&[
            "login_id",
            "act",
            "mark",
            "current",
            "given_name",
            "family_name",
            "birth_month",
            "birth_day",
            "birth_year",
        ]),
    ),
    get("/staff/statistics", Person, A::StaffStatistics),
    get("/staff/roster", Person, A::StaffRoster),
    post(
        "/staff/roster",
        Person,
        A::StaffRosterPreview,
        BodyKind::Upload(&["delta", "dates", "number_column", "organization"]),
    ),
    post(
        "/staff/roster/confirm",
        Person,
        A::StaffRosterConfirm,
        Form(&["upload", "current"]),
    ),
    post(
        "/staff/roster/holds",
        Person,
        A::StaffHoldSettle,
        Form(&["source", "organization", "decision", "current"]),
    ),
    get(
        "/.well-known/change-password",
        Anyone,
        A::ChangePasswordAddress,
    ),
    get("/assets/{file}", Anyone, A::Asset),
    get("/healthz", Anyone, A::Health),
    post(
        "/api/v1/claim",
        Anyone,
        A::ApiClaim,
        Json(&[
            "given_name",
            "family_name",
            "birthdate",
            "login_id",
            "claim_code",
        ]),
    ),
    post(
        "/api/v1/claim/password",
        Anyone,
        A::ApiClaimPassword,
        Json(&["password", "claim"]),
    ),
    post(
        "/api/v1/claim/questions",
        Anyone,
        A::ApiClaimQuestions,
        Json(&["answers", "claim"]),
    ),
    post(
        "/api/v1/session",
        Anyone,
        A::ApiLogIn,
        Json(&[
            "login_id",
            "password",
            "shared_computer",
            "return_to",
            "for",
        ]),
    ),
    get("/api/v1/session", Person, A::ApiSession),
    delete("/api/v1/session", Anyone, A::ApiLogOut),
    post(
        "/api/v1/session/activity",
        Person,
        A::ApiActivity,
        Json(&["idle_ms"]),
    ),
    post(
        "/api/v1/session/confirm",
        Person,
        A::ApiConfirm,
        Json(&["password"]),
    ),
    get("/api/v1/sessions", Person, A::ApiSessions),
    delete("/api/v1/sessions", Person, A::ApiSessionsEndOthers),
    delete("/api/v1/sessions/{family}", Person, A::ApiSessionsEnd),
    post(
        "/api/v1/recovery",
        Anyone,
        A::ApiRecovery,
        Json(&["login_id", "code"]),
    ),
    post(
        "/api/v1/recovery/questions",
        Anyone,
        A::ApiRecoveryQuestions,
        Json(&["answers", "recovery"]),
    ),
    post(
        "/api/v1/recovery/password",
        Anyone,
        A::ApiRecoveryPassword,
        Json(&["password", "recovery"]),
    ),
    get("/api/v1/recovery-codes", Person, A::ApiCodes),
    post(
        "/api/v1/recovery-codes",
        Person,
        A::ApiCodesMake,
        BodyKind::None,
    ),
    get("/api/v1/password/requirements", Anyone, A::ApiRequirements),
    post(
        "/api/v1/password",
        Person,
        A::ApiPassword,
        Json(&["current", "new"]),
    ),
    get("/api/v1/questions", Anyone, A::ApiQuestions),
    Route {
        method: Method::PUT,
        pattern: "/api/v1/questions",
        action: A::ApiQuestionsSave,
        who: Person,
        body: Json(&["answers"]),
    },
    get("/api/v1/account", Person, A::ApiAccount),
    Route {
        method: Method::PATCH,
        pattern: "/api/v1/account",
        action: A::ApiAccountSave,
        who: Person,
        body: Json(&[
            "preferred_name",
            "email",
            "phone",
            "language",
            "default_organization",
        ]),
    },
    get("/api/v1/organizations", Person, A::ApiOrganizations),
    get(
        "/api/v1/organizations/{organization}/statistics",
        Person,
        A::ApiStatistics,
    ),
    get(
        "/api/v1/organizations/{organization}/apps",
        Person,
        A::ApiApps,
    ),
    get(
        "/api/v1/staff/organizations/{organization}/statistics",
        Person,
        A::ApiStaffStatistics,
    ),
    post(
        "/api/v1/staff/roster",
        Person,
        A::ApiStaffRosterPreview,
        BodyKind::File,
    ),
    post(
        "/api/v1/staff/roster/confirm",
        Person,
        A::ApiStaffRosterConfirm,
        Json(&["upload"]),
    ),
    get("/api/v1/staff/roster/holds", Person, A::ApiStaffHolds),
    post(
        "/api/v1/staff/roster/holds",
        Person,
        A::ApiStaffHoldSettle,
        Json(&["source", "organization", "decision"]),
    ),
    get("/api/v1/events", Person, A::ApiEvents),
    get("/api/v1/messages", Person, A::ApiMessages),
    Route {
        method: Method::DELETE,
        pattern: "/api/v1/messages",
        action: A::ApiMessagesPutAway,
        who: Person,
        body: BodyKind::None,
    },
    get("/api/v1/openapi.json", Anyone, A::ApiOpenApi),
];

/// A page of the host that is read: no row of the table, but guarded like one.
pub(crate) static HOST_READ: Route = get("", Person, A::HostPage);
/// A page of the host that may change something.
pub(crate) static HOST_WRITE: Route = post("", Person, A::HostPage, BodyKind::None);

/// What a path led to.
pub(crate) enum Found<'p> {
    /// A row, and the values of its `{names}`.
    Route(&'static Route, Vec<(&'static str, &'p str)>),
    /// The path is there, the method is not: those that are.
    OtherMethods(Vec<Method>),
    /// Nothing.
    Nothing,
}

/// Finds rows by path: one form of a path only, exactly as written in the table (A06, WB-15).
pub(crate) struct RouteTable(Router<Vec<&'static Route>>);

impl RouteTable {
    /// # Errors
    /// Two patterns contradict each other: a mistake in the table.
    pub(crate) fn new() -> Result<Self, matchit::InsertError> {
        let mut patterns: Vec<(&'static str, Vec<&'static Route>)> = Vec::new();
        for route in ROUTES {
            match patterns
                .iter_mut()
                .find(|(pattern, _)| *pattern == route.pattern)
            {
                Some((_, routes)) => routes.push(route),
                None => patterns.push((route.pattern, vec![route])),
            }
        }
        let mut router = Router::new();
        for (pattern, routes) in patterns {
            router.insert(pattern, routes)?;
        }
        Ok(Self(router))
    }

    /// The row of a request. `HEAD` is `GET` without the body.
    pub(crate) fn find<'p>(&self, method: &Method, path: &'p str) -> Found<'p> {
        // No path of ours has an escape; a path that has one is an alias of something.
        if path.contains('%') {
            return Found::Nothing;
        }
        let Ok(matched) = self.0.at(path) else {
            return Found::Nothing;
        };
        let wanted = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        match matched.value.iter().find(|route| route.method == *wanted) {
            Some(route) => {
                let params = matched.params.iter();
                let params = params.filter_map(|(name, value)| Some((known(name)?, value)));
                Found::Route(route, params.collect())
            }
            None => {
                let methods = matched.value.iter().map(|route| route.method.clone());
                Found::OtherMethods(methods.collect())
            }
        }
    }
}

fn known(name: &str) -> Option<&'static str> {
    ["organization", "app", "project", "file", "family"]
        .into_iter()
        .find(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(method: Method, path: &str) -> Option<Action> {
        match RouteTable::new().unwrap().find(&method, path) {
            Found::Route(route, _) => Some(route.action),
            _ => None,
        }
    }

    #[test]
    fn wb15_a_path_has_one_form() {
        assert_eq!(action(Method::GET, "/login"), Some(Action::LogInPage));
        assert_eq!(action(Method::HEAD, "/login"), Some(Action::LogInPage));
        assert_eq!(action(Method::GET, "/o/10001/"), Some(Action::Landing));
        for alias in [
            "//login",
            "/login/",
            "/./login",
            "/x/../login",
            "/Login",
            "/LOGIN",
            "/%6cogin",
            "/login%2f",
            "/login%00",
            "/login;x=1",
            "/login.css",
            "/account/x.css",
            "/account/password/x.js",
            "/o/10001",
            "/o//",
            "/o/10001//downloads",
            "/o/10001/downloads/",
            "/api/v1/session/",
            "/api//v1/session",
            "/.well-known/x",
            "",
        ] {
            assert_eq!(action(Method::GET, alias), None, "{alias}");
        }
    }

    #[test]
    fn wb10_what_a_get_does_changes_nothing_by_the_look_of_the_table() {
        for route in ROUTES {
            let reads = route.method == Method::GET;
            assert_eq!(!route.is_unsafe(), reads, "{route:?}");
            assert!(!reads || route.body == BodyKind::None, "{route:?}");
        }
    }
}
