//! Hooks that are written in Python. They are called with the interpreter attached, on whichever thread
//! does the work that asks them; whoever waits for that work has released it. What they raise is a
//! fault, and so is whatever is no answer: nothing that goes wrong here is a yes.

use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use narthex::core::event::AuditEvent;
use narthex::core::hook::{
    self, ClaimOpinion, Code, EventSink, ExtraRequirement, HookFault, Hooks, LandingStatistic,
    LogInOpinion, Opinion, PasswordRule, PasswordVerdict, Question, STATISTIC_LINES_MAX,
    StatisticLine, is_plain_text,
};
use narthex::core::portal::Statistics;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;
use zeroize::Zeroizing;

use crate::cell::PythonModule;
use crate::errors::invalid_argument;
use crate::handles::datetime;
use crate::{arguments, ending, values};

/// Asks a hook, and takes nothing for an answer that is none.
static ASKING: PythonModule = PythonModule::named("narthex._hooks");
static THREAD: PythonModule = PythonModule::named("_thread");

thread_local! {
    /// Whether a hook is being asked on this thread.
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Refused to a hook: what asks the portal from within what the portal asks never comes to an end, or
/// waits for the thread it is on.
///
/// # Errors
/// A hook is being asked on this thread.
pub(crate) fn not_within() -> PyResult<()> {
    if ASKED.get() {
        let message =
            "a hook cannot ask the portal: answer at once, and ask from a thread of your own";
        return Err(PyRuntimeError::new_err(message));
    }
    Ok(())
}

/// Until dropped, a hook is being asked on this thread. Holds whether one was before.
struct Asked(bool);

impl Asked {
    fn begin() -> Self {
        Self(ASKED.replace(true))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        ASKED.set(self.0);
    }
}

/// `narthex.hook.Hooks`
#[derive(FromPyObject)]
pub(crate) struct HooksArgument<'py> {
    password_rules: Vec<Bound<'py, PyAny>>,
    claim_opinions: Vec<Bound<'py, PyAny>>,
    log_in_opinions: Vec<Bound<'py, PyAny>>,
    event_sinks: Vec<Bound<'py, PyAny>>,
    landing_statistics: Vec<Bound<'py, PyAny>>,
}

impl HooksArgument<'_> {
    /// # Errors
    /// Names the hook that cannot be one.
    pub(crate) fn into_hooks(self) -> PyResult<Hooks> {
        let mut hooks = Hooks::default();
        for (place, rule) in self.password_rules.iter().enumerate() {
            let at = format!("hooks.password_rules[{place}]");
            let mut hook = PythonHook::new(rule, &at)?;
            hook.requirements = requirements(rule, &hook.name, &at)?;
            hooks.password_rules.push(Arc::new(hook));
        }
        for hook in all(&self.claim_opinions, "claim_opinions") {
            hooks.claim_opinions.push(hook?);
        }
        for hook in all(&self.log_in_opinions, "log_in_opinions") {
            hooks.log_in_opinions.push(hook?);
        }
        for hook in all(&self.event_sinks, "event_sinks") {
            hooks.event_sinks.push(hook?);
        }
        for hook in all(&self.landing_statistics, "landing_statistics") {
            hooks.landing_statistics.push(hook?);
        }
        Ok(hooks)
    }
}

fn all(
    objects: &[Bound<'_, PyAny>],
    kind: &str,
) -> impl Iterator<Item = PyResult<Arc<PythonHook>>> {
    let objects = objects.iter().enumerate();
    objects.map(move |(place, object)| {
        PythonHook::new(object, &format!("hooks.{kind}[{place}]")).map(Arc::new)
    })
}

/// What the rule states, once.
fn requirements(
    rule: &Bound<'_, PyAny>,
    name: &Code,
    at: &str,
) -> PyResult<Vec<&'static ExtraRequirement>> {
    let py = rule.py();
    let at = format!("{at}.requirements");
    let stated = ASKING.call(py, "requirements", (rule,))?;
    let stated: Vec<(String, Vec<(String, String)>)> = stated.extract()?;
    let mut requirements = Vec::new();
    for (code, texts) in stated {
        let texts: Vec<_> = texts
            .iter()
            .map(|(l, t)| (l.as_str(), t.as_str()))
            .collect();
        let requirement =
            Code::parse(&code).and_then(|own| ExtraRequirement::state(name, &own, &texts));
        requirements.push(requirement.map_err(|wrong| invalid_argument(py, &at, wrong.0))?);
    }
    Ok(requirements)
}

/// An object with the methods of one of the traits below.
struct PythonHook {
    name: Code,
    object: Py<PyAny>,
    requirements: Vec<&'static ExtraRequirement>,
}

impl fmt::Debug for PythonHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PythonHook({})", self.name)
    }
}

impl PythonHook {
    fn new(object: &Bound<'_, PyAny>, at: &str) -> PyResult<Self> {
        let name = object.getattr("name")?;
        Ok(Self {
            name: arguments::parsed(&name, &format!("{at}.name"), Code::parse)?,
            object: object.clone().unbind(),
            requirements: Vec::new(),
        })
    }

    fn ask<T>(
        &self,
        question: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>,
    ) -> Result<T, HookFault> {
        let _asked = Asked::begin();
        let answered = ending::attached(|py| {
            let answer = question(self.object.bind(py));
            answer.map_err(|error| self.log(py, error)).ok()
        });
        // Nothing: it raised, was no answer, or the interpreter is ending.
        answered.flatten().ok_or_else(|| HookFault {
            hook: self.name.to_string(),
            why: "no answer".to_owned(),
        })
    }

    /// Tells the operator which hook failed and where, and not the message: it may say what was asked.
    fn log(&self, py: Python<'_>, error: PyErr) {
        let interrupted = error.is_instance_of::<PyKeyboardInterrupt>(py);
        let told = (self.name.as_str(), error.into_value(py));
        // What cannot be logged is a fault all the same.
        let _logged = ASKING.call(py, "log", told);
        if interrupted {
            // Ctrl-C was not meant for the hook.
            let _again = THREAD.call(py, "interrupt_main", ());
        }
    }

    fn opinion(&self, method: &str, question: &Question) -> Result<Opinion, HookFault> {
        self.ask(|hook| {
            let py = hook.py();
            let told = (
                &question.login_id,
                &question.source,
                &question.browser,
                datetime(question.at),
            );
            let reason = ASKING.call(py, "opinion", (hook, method, told))?;
            match reason.extract::<Option<String>>()? {
                None => Ok(Opinion::Abstain),
                Some(reason) => Ok(Opinion::Refuse(code(&reason)?)),
            }
        })
    }
}

fn code(text: &str) -> PyResult<Code> {
    Code::parse(text).map_err(|wrong| PyValueError::new_err(wrong.0))
}

#[async_trait]
impl PasswordRule for PythonHook {
    fn name(&self) -> &Code {
        &self.name
    }

    fn requirements(&self) -> &[&'static ExtraRequirement] {
        &self.requirements
    }

    async fn check(&self, candidate: hook::Candidate<'_>) -> Result<PasswordVerdict, HookFault> {
        self.ask(|rule| {
            let py = rule.py();
            let shown = Bound::new(py, Candidate::of(&candidate))?;
            let broken = ASKING.call(py, "check", (rule, &shown));
            shown.get().forget();
            let broken: Vec<String> = broken?.extract()?;
            if broken.is_empty() {
                return Ok(PasswordVerdict::Meets);
            }
            let stated = |code: &String| {
                let mut stated = self.requirements.iter().copied();
                stated.find(|one| one.own_code().as_str() == code)
            };
            let known: Option<Vec<_>> = broken.iter().map(stated).collect();
            let foreign = || PyValueError::new_err("the rule breaks what it has not stated");
            Ok(PasswordVerdict::Breaks(known.ok_or_else(foreign)?))
        })
    }
}

#[async_trait]
impl ClaimOpinion for PythonHook {
    fn name(&self) -> &Code {
        &self.name
    }

    async fn claim(&self, question: &Question) -> Result<Opinion, HookFault> {
        self.opinion("claim", question)
    }
}

#[async_trait]
impl LogInOpinion for PythonHook {
    fn name(&self) -> &Code {
        &self.name
    }

    async fn log_in(&self, question: &Question) -> Result<Opinion, HookFault> {
        self.opinion("log_in", question)
    }
}

impl EventSink for PythonHook {
    fn name(&self) -> &Code {
        &self.name
    }

    fn observe(&self, event: &AuditEvent) {
        // It misses the event.
        let _heard = self.ask(|sink| {
            let event = values::people::event(sink.py(), event)?;
            ASKING.call(sink.py(), "observe", (sink, event)).map(drop)
        });
    }
}

#[async_trait]
impl LandingStatistic for PythonHook {
    fn name(&self) -> &Code {
        &self.name
    }

    async fn lines(
        &self,
        told: &Statistics,
        language: &str,
    ) -> Result<Vec<StatisticLine>, HookFault> {
        self.ask(|statistic| {
            let py = statistic.py();
            let told = values::statistics(py, told)?;
            let lines = ASKING.call(py, "lines", (statistic, told, language))?;
            let lines: Vec<(String, String)> = lines.extract()?;
            let plain =
                |(label, value): &(String, String)| is_plain_text(label) && is_plain_text(value);
            if lines.len() > STATISTIC_LINES_MAX || !lines.iter().all(plain) {
                let message = "at most 8 lines, each of 1 to 200 bytes without control characters";
                return Err(PyValueError::new_err(message));
            }
            let line = |(label, value)| StatisticLine { label, value };
            Ok(lines.into_iter().map(line).collect())
        })
    }
}

/// A password that somebody wants to have, while a rule judges it.
#[pyclass(frozen, module = "narthex.hook")]
pub(crate) struct Candidate {
    /// Locked only while attached to the interpreter. Wiped when the rule has answered.
    text: Mutex<Option<Zeroizing<String>>>,
}

impl Candidate {
    fn of(candidate: &hook::Candidate<'_>) -> Self {
        Self {
            text: Mutex::new(Some(Zeroizing::new(candidate.text().to_owned()))),
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Zeroizing<String>>> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self) {
        drop(self.held().take());
    }
}

#[pymethods]
impl Candidate {
    /// For who tries a rule out; the portal makes its own.
    #[new]
    fn new(text: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            text: Mutex::new(Some(arguments::text(text, "text")?)),
        })
    }

    /// As it would be hashed: normalized, nothing cut.
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        match &*self.held() {
            Some(text) => Ok(PyString::new(py, text)),
            None => {
                let message = "the rule has answered: a candidate is not kept";
                Err(PyRuntimeError::new_err(message))
            }
        }
    }

    fn __repr__(&self) -> &'static str {
        "Candidate(hidden)"
    }
}
