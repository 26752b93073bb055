//! The types of the WIT package, as they go in and out.

use wasmtime::component::{ComponentType, Lift, Lower};

#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: String,
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) summary: String,
}

#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift)]
#[component(record)]
pub(crate) struct Requirement {
    pub(crate) code: String,
    pub(crate) text: String,
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(variant)]
pub(crate) enum Verdict {
    #[component(name = "meets")]
    Meets,
    #[component(name = "breaks")]
    Breaks(Vec<String>),
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub(crate) struct Question {
    #[component(name = "login-id")]
    pub(crate) login_id: String,
    pub(crate) source: String,
    pub(crate) browser: String,
    pub(crate) at: u64,
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(variant)]
pub(crate) enum Opinion {
    #[component(name = "abstain")]
    Abstain,
    #[component(name = "refuse")]
    Refuse(String),
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub(crate) struct Event {
    pub(crate) at: u64,
    pub(crate) kind: String,
    pub(crate) account: Option<String>,
    pub(crate) source: String,
    #[component(name = "request-id")]
    pub(crate) request_id: String,
    pub(crate) detail: String,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(variant)]
pub(crate) enum Count {
    #[component(name = "exactly")]
    Exactly(u64),
    #[component(name = "fewer-than")]
    FewerThan(u64),
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub(crate) struct People {
    pub(crate) role: String,
    pub(crate) listed: Count,
    pub(crate) claimed: Count,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub(crate) struct Told {
    pub(crate) organization: String,
    pub(crate) people: Vec<People>,
    #[component(name = "log-ins-today")]
    pub(crate) log_ins_today: Count,
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) value: String,
}
