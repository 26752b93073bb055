//! What an answer was, for logs and metrics.

/// What an answer was: among the extensions of every response. Nothing in it was written by who
/// asked, and all of it is one of a few words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The route as the table writes it (`/o/{organization}/`); empty where there is none.
    pub route: &'static str,
    /// The code of the refusal, where it was one: `login_failed`, `not_found`.
    pub code: Option<&'static str>,
    /// How a live session was found, where there was one.
    pub session: Option<SessionFound>,
}

/// How a live session was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionFound {
    /// In the warm table: without the store.
    Warm,
    /// By asking the store.
    Cold,
}

impl SessionFound {
    /// `warm`, `cold`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Cold => "cold",
        }
    }
}
