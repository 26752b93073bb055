//! `narthex._narthex`: what the Python package `narthex` is made of. The engine, operations that
//! run with the interpreter released, and the secrets and proofs that only the engine can make.
//! Everything else (values, errors, frameworks) is written in Python.

mod arguments;
mod cell;
mod ending;
mod engine;
mod errors;
mod handles;
mod hook;
mod http;
mod notices;
mod operation;
mod policy;
mod roster;
mod testing;
mod tickets;
mod values;
mod visit;

/// The compiled half of `narthex`.
#[pyo3::pymodule]
mod _narthex {
    /// Of the package, and of the engine in it.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    /// The longest body the portal reads; a longer one is refused by the engine.
    #[pymodule_export]
    const BODY_BYTES_MAX: usize = narthex::http::BODY_BYTES_MAX;
    /// Seconds between the lines of the grid on which failed answers leave.
    #[pymodule_export]
    const GRID_S: f64 = narthex::http::FAILED_ANSWER_GRID.as_secs_f64();

    #[pymodule_export]
    use crate::ending::attach_no_more;
    #[pymodule_export]
    use crate::engine::desk::{
        desk_check, desk_clear_tries, desk_end_sessions, desk_find, desk_issue_claim_code,
        desk_issue_recovery_code,
    };
    #[pymodule_export]
    use crate::engine::office::{
        audit_after, check_evidence, claim_season, issue_claim_code, issue_claim_codes,
        issue_recovery_code, reset_claim,
    };
    #[pymodule_export]
    use crate::engine::people::{
        create_person, disable_person, enable_person, erase_person, export_person, readmit_number,
    };
    #[pymodule_export]
    use crate::engine::recovery::{
        answer_recovery_questions, begin_recovery, change_details, claim_code_required, end_family,
        end_other_families, families, finish_recovery, questions_set, reauthenticate,
        recovery_codes_left, recovery_ticket, renew_recovery_codes, set_questions,
    };
    #[pymodule_export]
    use crate::engine::staff_roster::{
        desk_import_roster, desk_settle_hold, staff_holds, staff_statistics,
    };
    #[pymodule_export]
    use crate::engine::{Engine, forked, more_statistics, set_hooks};
    #[pymodule_export]
    use crate::handles::{BrowserSecret, Session, SessionToken};
    #[pymodule_export]
    use crate::hook::Candidate;
    #[pymodule_export]
    use crate::http::Events;
    #[pymodule_export]
    use crate::notices::Notices;
    #[pymodule_export]
    use crate::operation::Operation;
    #[pymodule_export]
    use crate::policy::default_policy;
    #[pymodule_export]
    use crate::roster::{roster_holds, settle_holds};
    #[pymodule_export]
    use crate::testing::{ManualClock, panicking, run_scenario, scenario_names};
    #[pymodule_export]
    use crate::tickets::{ClaimTicket, RecoveryTicket, Ticket};
    #[pymodule_export]
    use crate::visit::Visit;
}
