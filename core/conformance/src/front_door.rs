//! A way into the portal, as the scenarios use it.

/// For implementations of [`FrontDoor`].
pub use async_trait::async_trait;
use narthex_core::Portal;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::scenarios::{Cookies, Facts};

/// The ways in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The linked Rust library.
    Rust,
    /// JSON over HTTP.
    HttpJson,
    /// Pages and their forms over HTTP.
    HttpPages,
    /// The Python package.
    Python,
    /// A guest of the WASM host.
    Wasm,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The browser: one cookie jar. Its tabs are told apart by their location.
    pub browser: String,
    /// The address it comes from.
    pub network: String,
}

/// What a browser asks of a front door; everything is filled in.
#[derive(Clone, Debug)]
pub enum Request {
    /// First step of a claim.
    BeginClaim {
        /// Names the claim within this browser.
        claim: String,
        /// As typed.
        given_name: String,
        /// As typed.
        family_name: String,
        /// As typed.
        birthdate: String,
        /// As typed.
        login_id: String,
        /// The code of a letter, as typed; empty: none.
        claim_code: String,
    },
    /// Second step of a claim.
    ClaimPassword {
        /// Names the claim.
        claim: String,
        /// The browser whose ticket is named; absent: this one's.
        ticket_of: Option<String>,
        /// As typed.
        password: Zeroizing<String>,
    },
    /// Last step of a claim.
    ClaimAnswers {
        /// Names the claim.
        claim: String,
        /// The browser whose ticket is named; absent: this one's.
        ticket_of: Option<String>,
        /// (question, answer) as typed.
        answers: Vec<(String, String)>,
    },
    /// "Not you?"
    AbandonClaim {
        /// Names the claim.
        claim: String,
    },
    /// Number and password.
    LogIn {
        /// As typed.
        login_id: String,
        /// As typed.
        password: Zeroizing<String>,
        /// The box is ticked.
        shared_computer: bool,
        /// On the log-in page that the tab at this location was led to.
        from: Option<String>,
        /// On a log-in page whose URL somebody else wrote.
        return_to: Option<String>,
    },
    /// A page is opened.
    Visit {
        /// Path, query and fragment.
        at: String,
        /// By a script: not activity.
        background: bool,
    },
    /// The change-password form is sent.
    ChangePassword {
        /// As typed.
        current: Zeroizing<String>,
        /// As typed.
        new: Zeroizing<String>,
    },
    /// Log out.
    LogOut,
    /// The browser says that the person was idle for so long.
    Activity {
        /// Milliseconds; below 0 only from who lies.
        idle_ms: i64,
    },
    /// Another default organization.
    ChooseDefault {
        /// Its id.
        organization: String,
    },
    /// Account details: something that the roster does not own.
    ChangeDetails {
        /// Its name in forms and in JSON.
        field: String,
        /// As typed.
        value: String,
    },
    /// A tab begins to listen.
    Watch,
    /// What it has heard since it began.
    Hear,
    /// The current password once more.
    Reauthenticate {
        /// As typed.
        password: Zeroizing<String>,
    },
    /// Where one is logged in.
    Sessions,
    /// Log out in another browser.
    EndSession {
        /// The other browser: its family's handle is named.
        of: String,
    },
    /// Log out in all other browsers.
    EndOtherSessions,
    /// New security questions and answers.
    SetQuestions {
        /// (question, answer) as typed.
        answers: Vec<(String, String)>,
    },
    /// A new set of recovery codes; the answer's facts hold them.
    RenewRecoveryCodes,
    /// First step of a recovery.
    BeginRecovery {
        /// Names the recovery within this browser.
        recovery: String,
        /// As typed.
        login_id: String,
        /// As typed.
        code: Zeroizing<String>,
    },
    /// Second step of a recovery.
    RecoveryAnswers {
        /// Names the recovery.
        recovery: String,
        /// The browser whose ticket is named; absent: this one's.
        ticket_of: Option<String>,
        /// (question, answer) as typed.
        answers: Vec<(String, String)>,
    },
    /// Last step of a recovery.
    RecoveryPassword {
        /// Names the recovery.
        recovery: String,
        /// The browser whose ticket is named; absent: this one's.
        ticket_of: Option<String>,
        /// As typed.
        password: Zeroizing<String>,
    },
    /// Cookies of another browser are put into this one's jar.
    CopyCookies {
        /// The other browser.
        from: String,
        /// Which.
        which: Cookies,
    },
    /// A session cookie of the right shape that no portal made.
    PlantSession,
}

/// What a front door answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// `ok`, the code of a refusal, `invalid` for what cannot be understood, `busy`, or `fault`.
    pub outcome: String,
    /// What else can be known of it.
    pub facts: Facts,
    /// All of the answer that who asks can see, without what is this one request's own (its id,
    /// what was typed into it): two answers are alike when these are equal.
    pub shown: String,
    /// Facts that this way in does not tell in this answer by its nature, by name: not asked for.
    pub untold: &'static [&'static str],
}

/// A way in. The scenarios own the store, the clock and the portal; the front door owns the cookie
/// jars of the browsers.
#[async_trait]
pub trait FrontDoor: Send + Sync {
    /// Which.
    fn way(&self) -> Way;

    /// Opens before `portal`: at the beginning, and again after every restart. Jars stay.
    async fn open(&mut self, portal: Portal);

    /// One request of a browser; requests of many may be under way at a time.
    async fn ask(&self, visitor: &Visitor, request: Request) -> Answer;
}
