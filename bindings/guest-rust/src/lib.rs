//! Plugins for narthex in Rust: implement one trait, name the type in one macro, build for
//! `wasm32-unknown-unknown`, and make a component of it with `narthex plugin pack`.
//!
//! ```ignore
//! use narthex_guest::{PasswordRule, Requirement, Settings, Verdict};
//!
//! struct NoTigers;
//!
//! impl PasswordRule for NoTigers {
//!     const NAME: &'static str = "no_tigers";
//!     const VERSION: &'static str = "1.0.0";
//!     const SUMMARY: &'static str = "No password has a tiger in it.";
//!
//!     fn configure(_: &Settings) -> Result<Self, String> {
//!         Ok(Self)
//!     }
//!
//!     fn requirements(&self, language: &str) -> Vec<Requirement> {
//!         let text = if language == "es" { "Ningún tigre" } else { "No tiger" };
//!         vec![Requirement::new("no_tiger", text)]
//!     }
//!
//!     fn check(&self, candidate: &str) -> Verdict {
//!         if candidate.contains("tiger") { Verdict::breaks("no_tiger") } else { Verdict::Meets }
//!     }
//! }
//!
//! narthex_guest::password_rule!(NoTigers);
//! ```
//!
//! The hook is a feature of this crate: `password-rule`, `claim-opinion`, `log-in-opinion`, `event-sink` or
//! `landing-statistic`. All but the first may write to the operator's log ([`log`]), where that is granted.
//!
//! Every call runs in an instance of its own: nothing that is kept in a global outlives it. A panic, a
//! call that takes too long or too much memory is a *no* for rules and opinions, never a *yes*.

use std::collections::BTreeMap;

const HOOKS: u8 = cfg!(feature = "password-rule") as u8
    + cfg!(feature = "claim-opinion") as u8
    + cfg!(feature = "log-in-opinion") as u8
    + cfg!(feature = "event-sink") as u8
    + cfg!(feature = "landing-statistic") as u8;
const _: () = assert!(
    HOOKS <= 1,
    "one plugin is one hook: choose one of the features of narthex-guest"
);

/// Bindings of the world, for the macros.
#[doc(hidden)]
pub mod worlds {
    #[cfg(feature = "password-rule")]
    pub mod password_policy {
        wit_bindgen::generate!({
            path: "../wit/0.1.0",
            world: "password-policy",
            pub_export_macro: true,
            default_bindings_module: "narthex_guest::worlds::password_policy",
        });
    }
    #[cfg(feature = "claim-opinion")]
    pub mod claim_check {
        wit_bindgen::generate!({
            path: "../wit/0.1.0",
            world: "claim-check",
            pub_export_macro: true,
            default_bindings_module: "narthex_guest::worlds::claim_check",
        });
    }
    #[cfg(feature = "log-in-opinion")]
    pub mod log_in_check {
        wit_bindgen::generate!({
            path: "../wit/0.1.0",
            world: "log-in-check",
            pub_export_macro: true,
            default_bindings_module: "narthex_guest::worlds::log_in_check",
        });
    }
    #[cfg(feature = "event-sink")]
    pub mod event_sink {
        wit_bindgen::generate!({
            path: "../wit/0.1.0",
            world: "event-sink",
            pub_export_macro: true,
            default_bindings_module: "narthex_guest::worlds::event_sink",
        });
    }
    #[cfg(feature = "landing-statistic")]
    pub mod landing_page {
        wit_bindgen::generate!({
            path: "../wit/0.1.0",
            world: "landing-page",
            pub_export_macro: true,
            default_bindings_module: "narthex_guest::worlds::landing_page",
        });
    }
}

/// The operator's settings, by name: `narthex plugin add ... --set name=value`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    #[doc(hidden)]
    pub fn of(pairs: impl Iterator<Item = (String, String)>) -> Self {
        Self(pairs.collect())
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A list: the words of one of them, divided by commas; empty where it is not set.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let words = self.get(name).unwrap_or("").split(',').map(str::trim);
        words.filter(|word| !word.is_empty()).collect()
    }
}

/// A stated requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// A word of a-z, 0-9 and _.
    pub code: String,
    /// What a person reads: one line.
    pub text: String,
}

impl Requirement {
    /// One.
    pub fn new(code: &str, text: &str) -> Self {
        Self {
            code: code.to_owned(),
            text: text.to_owned(),
        }
    }
}

/// What a rule says of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing against it.
    Meets,
    /// It breaks these requirements, by code.
    Breaks(Vec<String>),
}

impl Verdict {
    /// It breaks one.
    pub fn breaks(code: &str) -> Self {
        Self::Breaks(vec![code.to_owned()])
    }
}

/// More stated requirements of a new password.
pub trait PasswordRule: Sized {
    /// A word of a-z, 0-9 and _.
    const NAME: &'static str;
    /// As you count.
    const VERSION: &'static str;
    /// One sentence for the operator.
    const SUMMARY: &'static str;

    /// Takes the settings.
    ///
    /// # Errors
    /// One sentence on what is wrong with them.
    fn configure(settings: &Settings) -> Result<Self, String>;

    /// What it asks for, in `language` (a tag as in HTML's `lang`): the same codes in each.
    fn requirements(&self, language: &str) -> Vec<Requirement>;

    /// Judges a candidate.
    fn check(&self, candidate: &str) -> Verdict;
}

/// Who asks to claim or to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The number that was typed.
    pub login_id: String,
    /// The network: an IPv4 address, an IPv6 /64, or empty for the command line.
    pub source: String,
    /// A short description of the browser.
    pub browser: String,
    /// Milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

/// A second opinion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// Nothing against it: the portal decides.
    Abstain,
    /// No, for a reason the operator sees: a word of a-z, 0-9 and _.
    Refuse(String),
}

/// A second opinion on claims or on log-ins.
pub trait SecondOpinion: Sized {
    /// A word of a-z, 0-9 and _.
    const NAME: &'static str;
    /// As you count.
    const VERSION: &'static str;
    /// One sentence for the operator.
    const SUMMARY: &'static str;

    /// Takes the settings.
    ///
    /// # Errors
    /// One sentence on what is wrong with them.
    fn configure(settings: &Settings) -> Result<Self, String>;

    /// Asked of everybody, before anything is compared.
    fn opinion(&self, question: &Question) -> Opinion;
}

/// What happened, after it was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// Such as `logged_in`.
    pub kind: String,
    /// The account, 32 hexadecimal digits, where one is known.
    pub account: Option<String>,
    /// The network: an IPv4 address, an IPv6 /64, or empty for the command line.
    pub source: String,
    /// The same in all events of one request.
    pub request_id: String,
    /// A code or counts.
    pub detail: String,
}

/// Told of what happened. Each event has an instance of its own: nothing is kept from one to the next, so
/// that what a sink is for is what it logs.
pub trait EventSink: Sized {
    /// A word of a-z, 0-9 and _.
    const NAME: &'static str;
    /// As you count.
    const VERSION: &'static str;
    /// One sentence for the operator.
    const SUMMARY: &'static str;

    /// Takes the settings.
    ///
    /// # Errors
    /// One sentence on what is wrong with them.
    fn configure(settings: &Settings) -> Result<Self, String>;

    /// Called with one event at a time, in order.
    fn observe(&self, event: &Event);
}

/// A count that never points at a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exactly(u64),
    /// Fewer than so many: how few is not told.
    FewerThan(u64),
}

/// The people of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    /// `student`, `teacher`, `administrator`, `guardian` or `other`.
    pub role: String,
    /// On the roster.
    pub listed: Count,
    /// With an account.
    pub claimed: Count,
}

/// What the landing page says already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its id.
    pub organization: String,
    /// By role.
    pub people: Vec<People>,
    /// Of people of the organization.
    pub log_ins_today: Count,
}

/// A line on the landing page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// At most 200 bytes.
    pub label: String,
    /// At most 200 bytes.
    pub value: String,
}

/// Lines on the landing page of an organization, for its members.
pub trait LandingStatistic: Sized {
    /// A word of a-z, 0-9 and _.
    const NAME: &'static str;
    /// As you count.
    const VERSION: &'static str;
    /// One sentence for the operator.
    const SUMMARY: &'static str;

    /// Takes the settings.
    ///
    /// # Errors
    /// One sentence on what is wrong with them.
    fn configure(settings: &Settings) -> Result<Self, String>;

    /// At most 8, in `language` (a tag as in HTML's `lang`).
    fn lines(&self, told: &Told, language: &str) -> Vec<Line>;
}

/// Writes a line into the operator's log, under the plugin's name: at most 512 bytes, and what the operator
/// granted with `--grant log`.
#[cfg(any(
    feature = "claim-opinion",
    feature = "log-in-opinion",
    feature = "event-sink",
    feature = "landing-statistic",
))]
pub fn log(line: &str) {
    #[cfg(feature = "claim-opinion")]
    use worlds::claim_check as world;
    #[cfg(feature = "event-sink")]
    use worlds::event_sink as world;
    #[cfg(feature = "landing-statistic")]
    use worlds::landing_page as world;
    #[cfg(feature = "log-in-opinion")]
    use worlds::log_in_check as world;
    world::narthex::portal::log::write(world::narthex::portal::log::Level::Info, line);
}

#[doc(hidden)]
#[macro_export]
macro_rules! __lifecycle {
    ($world:ident, $guest:ident, $hook:ty, $kind:path) => {
        struct $guest;
        ::std::thread_local! {
            static CONFIGURED: ::core::cell::RefCell<::core::option::Option<$hook>> =
                const { ::core::cell::RefCell::new(None) };
        }
        fn with_configured<T>(run: impl FnOnce(&$hook) -> T) -> T {
            CONFIGURED.with_borrow(|hook| run(hook.as_ref().expect("configured before")))
        }
        impl $crate::worlds::$world::exports::narthex::portal::lifecycle::Guest for $guest {
            fn describe() -> $crate::worlds::$world::exports::narthex::portal::lifecycle::Description {
                $crate::worlds::$world::exports::narthex::portal::lifecycle::Description {
                    name: <$hook as $kind>::NAME.into(),
                    version: <$hook as $kind>::VERSION.into(),
                    summary: <$hook as $kind>::SUMMARY.into(),
                }
            }
            fn configure(
                settings: Vec<$crate::worlds::$world::exports::narthex::portal::lifecycle::Setting>,
            ) -> Result<(), String> {
                let settings = settings.into_iter().map(|one| (one.name, one.value));
                let hook = <$hook as $kind>::configure(&$crate::Settings::of(settings))?;
                CONFIGURED.set(Some(hook));
                Ok(())
            }
        }
    };
}

/// Makes a plugin of a [`PasswordRule`].
#[cfg(feature = "password-rule")]
#[macro_export]
macro_rules! password_rule {
    ($rule:ty) => {
        const _: () = {
            $crate::__lifecycle!(password_policy, Guest, $rule, $crate::PasswordRule);
            use $crate::worlds::password_policy::exports::narthex::portal::password_rule as wit;
            impl wit::Guest for Guest {
                fn requirements(language: String) -> Vec<wit::Requirement> {
                    let list = with_configured(|rule| {
                        <$rule as $crate::PasswordRule>::requirements(rule, &language)
                    });
                    list.into_iter()
                        .map(|one| wit::Requirement {
                            code: one.code,
                            text: one.text,
                        })
                        .collect()
                }
                fn check(candidate: String) -> wit::Verdict {
                    match with_configured(|rule| {
                        <$rule as $crate::PasswordRule>::check(rule, &candidate)
                    }) {
                        $crate::Verdict::Meets => wit::Verdict::Meets,
                        $crate::Verdict::Breaks(codes) => wit::Verdict::Breaks(codes),
                    }
                }
            }
            $crate::worlds::password_policy::export!(Guest with_types_in $crate::worlds::password_policy);
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __opinion {
    ($world:ident, $interface:ident, $function:ident, $hook:ty) => {
        const _: () = {
            $crate::__lifecycle!($world, Guest, $hook, $crate::SecondOpinion);
            use $crate::worlds::$world::exports::narthex::portal::$interface as wit;
            impl wit::Guest for Guest {
                fn $function(question: wit::Question) -> wit::Opinion {
                    let question = $crate::Question {
                        login_id: question.login_id,
                        source: question.source,
                        browser: question.browser,
                        at_ms: question.at,
                    };
                    match with_configured(|hook| {
                        <$hook as $crate::SecondOpinion>::opinion(hook, &question)
                    }) {
                        $crate::Opinion::Abstain => wit::Opinion::Abstain,
                        $crate::Opinion::Refuse(code) => wit::Opinion::Refuse(code),
                    }
                }
            }
    $crate::worlds::$world::export!(Guest with_types_in $crate::worlds::$world);
        };
    };
}

/// Makes a plugin of a [`SecondOpinion`] on claims.
#[cfg(feature = "claim-opinion")]
#[macro_export]
macro_rules! claim_opinion {
    ($hook:ty) => {
        $crate::__opinion!(claim_check, claim_opinion, claim, $hook);
    };
}

/// Makes a plugin of a [`SecondOpinion`] on log-ins.
#[cfg(feature = "log-in-opinion")]
#[macro_export]
macro_rules! log_in_opinion {
    ($hook:ty) => {
        $crate::__opinion!(log_in_check, log_in_opinion, log_in, $hook);
    };
}

/// Makes a plugin of an [`EventSink`].
#[cfg(feature = "event-sink")]
#[macro_export]
macro_rules! event_sink {
    ($sink:ty) => {
        const _: () = {
            $crate::__lifecycle!(event_sink, Guest, $sink, $crate::EventSink);
            use $crate::worlds::event_sink::exports::narthex::portal::events as wit;
            impl wit::Guest for Guest {
                fn observe(event: wit::Event) {
                    let event = $crate::Event {
                        at_ms: event.at,
                        kind: event.kind,
                        account: event.account,
                        source: event.source,
                        request_id: event.request_id,
                        detail: event.detail,
                    };
                    with_configured(|sink| <$sink as $crate::EventSink>::observe(sink, &event));
                }
            }
    $crate::worlds::event_sink::export!(Guest with_types_in $crate::worlds::event_sink);
        };
    };
}

/// Makes a plugin of a [`LandingStatistic`].
#[cfg(feature = "landing-statistic")]
#[macro_export]
macro_rules! landing_statistic {
    ($statistic:ty) => {
        const _: () = {
            $crate::__lifecycle!(landing_page, Guest, $statistic, $crate::LandingStatistic);
            use $crate::worlds::landing_page::exports::narthex::portal::landing_statistic as wit;
            fn count(count: wit::Count) -> $crate::Count {
                match count {
                    wit::Count::Exactly(count) => $crate::Count::Exactly(count),
                    wit::Count::FewerThan(count) => $crate::Count::FewerThan(count),
                }
            }
            impl wit::Guest for Guest {
                fn lines(told: wit::Told, language: String) -> Vec<wit::Line> {
                    let people = told.people.into_iter().map(|people| $crate::People {
                        role: people.role,
                        listed: count(people.listed),
                        claimed: count(people.claimed),
                    });
                    let told = $crate::Told {
                        organization: told.organization,
                        people: people.collect(),
                        log_ins_today: count(told.log_ins_today),
                    };
                    let lines = with_configured(|statistic| {
                        <$statistic as $crate::LandingStatistic>::lines(statistic, &told, &language)
                    });
                    lines
                        .into_iter()
                        .map(|line| wit::Line {
                            label: line.label,
                            value: line.value,
                        })
                        .collect()
                }
            }
    $crate::worlds::landing_page::export!(Guest with_types_in $crate::worlds::landing_page);
        };
    };
}
