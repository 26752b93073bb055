//! One guest, loaded: what it is, and how it is called. Every call has an instance of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use narthex_core::hook::{Code, ExtraRequirement, REQUIREMENTS_PER_RULE_MAX, is_plain_text};
use wasmtime::Store;
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Linker, Lower,
};

use crate::fault::{Fault, FaultKind, LoadError};
use crate::hook::{Capability, Hook, PACKAGE, interface};
use crate::host::{Host, Machine};
use crate::install::Report;
use crate::limits::Limits;
use crate::manifest::Digest;
use crate::meters::Meters;
use crate::room::Room;
use crate::wire::{Described, Requirement, Setting};
use crate::workers::Workers;

/// How a guest is loaded.
#[derive(Clone, Debug)]
pub struct GuestOptions {
    /// Names it in codes, metrics and the log.
    pub name: Code,
    /// What is put into its linker.
    pub grants: Vec<Capability>,
    /// What one call may use.
    pub limits: Limits,
    /// The operator's, by name.
    pub settings: BTreeMap<String, String>,
    /// The languages of the pages, the first for readers of any other.
    pub languages: Vec<String>,
}

impl GuestOptions {
    /// Nothing granted, the default limits, pages in English and Spanish.
    pub fn new(name: Code) -> Self {
        Self {
            name,
            grants: Vec::new(),
            limits: Limits::default(),
            settings: BTreeMap::new(),
            languages: vec!["en".into(), "es".into()],
        }
    }
}

/// What a guest tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name where the operator gives it no other.
    pub name: Code,
    /// As its author counts.
    pub version: String,
    /// One sentence.
    pub summary: String,
}

/// A guest that is ready to be called.
#[derive(Debug)]
pub struct Guest {
    pub(crate) core: Arc<Core>,
    pub(crate) requirements: Vec<&'static ExtraRequirement>,
    description: Description,
    workers: Workers,
}

/// What a call needs; shared with the threads that run calls.
pub(crate) struct Core {
    pub(crate) name: Code,
    pub(crate) hook: Hook,
    pub(crate) meters: Meters,
    machine: Arc<Machine>,
    pre: InstancePre<Room>,
    exports: Exports,
    limits: Limits,
    settings: Vec<Setting>,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.hook)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Exports {
    describe: ComponentExportIndex,
    configure: ComponentExportIndex,
    requirements: Option<ComponentExportIndex>,
    hook: ComponentExportIndex,
}

impl Host {
    /// Compiles and loads a component, as an application does that brings its guests along. An operator's
    /// plugins come from a [`crate::PluginFolder`].
    ///
    /// # Errors
    /// Says what is wrong with the guest, and what to do.
    pub fn load(&self, component: &[u8], options: GuestOptions) -> Result<Guest, LoadError> {
        self.compile(component, &options.limits)?.load(options)
    }

    /// Compiles a component, to be looked at and loaded: milliseconds for one in Rust, some ten seconds
    /// for one that brings an interpreter along. `limits` are those it is looked at under.
    ///
    /// # Errors
    /// It is no component, or a limit is out of its range.
    pub fn compile(&self, component: &[u8], limits: &Limits) -> Result<Compiled, LoadError> {
        limits.check()?;
        let machine = self.machine_for(limits)?;
        Ok(Compiled {
            component: machine.component(component)?,
            digest: Digest::of(component),
            limits: limits.clone(),
            machine,
        })
    }

    pub(crate) fn machine_for(&self, limits: &Limits) -> Result<Arc<Machine>, LoadError> {
        self.machine(limits)
            .map_err(|error| LoadError::Compile(error.to_string()))
    }
}

/// A component that was compiled in this process.
pub struct Compiled {
    machine: Arc<Machine>,
    component: Component,
    digest: Digest,
    limits: Limits,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compiled({})", self.digest)
    }
}

impl Compiled {
    /// Says what it is and asks for. It is run for that, in an instance that is given nothing.
    ///
    /// # Errors
    /// It is no guest of this host.
    pub fn examine(&self) -> Result<Report, LoadError> {
        Report::of(&self.machine, &self.component, self.digest, &self.limits)
    }

    /// Loads it.
    ///
    /// # Errors
    /// Says what is wrong with the guest, and what to do.
    pub fn load(&self, options: GuestOptions) -> Result<Guest, LoadError> {
        options.limits.check()?;
        if options.limits.fuel.is_some() != self.limits.fuel.is_some() {
            let told = "it was compiled with fuel and is loaded without, or the other way round";
            return Err(LoadError::Compile(told.into()));
        }
        Guest::of(Arc::clone(&self.machine), &self.component, options)
    }
}

impl Guest {
    pub(crate) fn of(
        machine: Arc<Machine>,
        component: &Component,
        options: GuestOptions,
    ) -> Result<Self, LoadError> {
        options.limits.check()?;
        let (hook, exports) = exports(component)?;
        let asked = asked(component, hook)?;
        let mut linker = Linker::new(&machine.engine);
        for capability in &asked {
            if !options.grants.contains(capability) {
                return Err(LoadError::NotGranted(*capability));
            }
        }
        for capability in &options.grants {
            if !asked.contains(capability) {
                return Err(LoadError::NotAskedFor(*capability));
            }
            let added = match capability {
                Capability::Log => crate::log::add(&mut linker),
            };
            added.map_err(|error| LoadError::Compile(error.to_string()))?;
        }
        let pre = linker
            .instantiate_pre(component)
            .map_err(|error| LoadError::NotAComponent(format!("{error:#}")))?;
        let workers = match hook {
            // One after the other: in order.
            Hook::EventSink => 1,
            _ => options.limits.workers,
        };
        let settings = options.settings.into_iter();
        let core = Core {
            name: options.name,
            hook,
            meters: Meters::default(),
            machine,
            pre,
            exports,
            settings: settings
                .map(|(name, value)| Setting { name, value })
                .collect(),
            limits: options.limits,
        };
        let description = core.describe()?;
        core.try_settings()?;
        let requirements = match hook {
            Hook::PasswordRule => core.requirements(&options.languages)?,
            _ => Vec::new(),
        };
        core.try_hook()?;
        let name = core.name.as_str();
        let workers =
            Workers::start(name, workers, core.limits.queue).map_err(LoadError::Threads)?;
        Ok(Self {
            core: Arc::new(core),
            requirements,
            description,
            workers,
        })
    }

    /// What a component tells of itself in an instance that is given nothing.
    pub(crate) fn told(
        machine: &Arc<Machine>,
        component: &Component,
        limits: &Limits,
    ) -> Result<Description, LoadError> {
        let not_linked = |error: wasmtime::Error| LoadError::NotAComponent(format!("{error:#}"));
        let (hook, exports) = exports(component)?;
        let mut linker = Linker::new(&machine.engine);
        linker
            .define_unknown_imports_as_traps(component)
            .map_err(not_linked)?;
        let core = Core {
            name: Code::parse("examined").map_err(|error| LoadError::Told(error.to_string()))?,
            hook,
            meters: Meters::default(),
            machine: Arc::clone(machine),
            pre: linker.instantiate_pre(component).map_err(not_linked)?,
            exports,
            limits: limits.clone(),
            settings: Vec::new(),
        };
        core.describe()
    }

    /// What it is.
    pub fn hook(&self) -> Hook {
        self.core.hook
    }

    /// Its name here.
    pub fn name(&self) -> &Code {
        &self.core.name
    }

    /// What it tells of itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// What a password rule states.
    pub fn requirements(&self) -> &[&'static ExtraRequirement] {
        &self.requirements
    }

    /// What was counted of its calls.
    pub fn meters(&self) -> &Meters {
        &self.core.meters
    }

    /// Runs `call` on a thread of this guest's.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Core) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (sender, answer) = oneshot::channel();
        let core = Arc::clone(&self.core);
        self.core.meters.called();
        let taken = self.workers.take(move || {
            // Nobody waits any more: nothing to tell.
            let _ = sender.send(call(&core));
        });
        let answer = match taken {
            true => answer.await.unwrap_or(Err(Fault(FaultKind::Trap))),
            false => Err(Fault(FaultKind::Busy)),
        };
        if let Err(fault) = &answer {
            self.core.faulted(*fault);
        }
        answer
    }

    /// The same without waiting for the answer; one too many is dropped.
    pub(crate) fn tell(&self, call: impl FnOnce(&Core) -> Result<(), Fault> + Send + 'static) {
        let core = Arc::clone(&self.core);
        self.core.meters.called();
        let taken = self.workers.take(move || {
            if let Err(fault) = call(&core) {
                core.faulted(fault);
            }
        });
        if !taken {
            self.core.meters.dropped();
        }
    }
}

impl Core {
    fn faulted(&self, fault: Fault) {
        self.meters.faulted(fault.0);
        let denies = self.hook.fault_denies();
        tracing::warn!(plugin = %self.name, hook = %self.hook, %fault, denies, "a plugin did not answer");
    }

    /// Calls the hook in a fresh instance, after it took its settings.
    pub(crate) fn call<P, R>(&self, parameters: P) -> Result<R, Fault>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        self.call_export(self.exports.hook, true, parameters)
    }

    fn call_export<P, R>(
        &self,
        export: ComponentExportIndex,
        configured: bool,
        parameters: P,
    ) -> Result<R, Fault>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let watch = Stopwatch::start();
        let answer = self.run(export, configured, parameters);
        self.meters.took(watch.elapsed());
        answer
    }

    fn run<P, R>(
        &self,
        export: ComponentExportIndex,
        configured: bool,
        parameters: P,
    ) -> Result<R, Fault>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let fault = |error: wasmtime::Error| Fault::from(&error);
        let mut store = self.store()?;
        let _under_way = self.machine.ticker.begin();
        // From this moment: the deadline counts ticks.
        store.set_epoch_deadline(self.limits.time_ms.saturating_add(1));
        let instance = self.pre.instantiate(&mut store);
        let instance = instance.map_err(|error| Fault::of_no_instance(&error))?;
        if configured {
            let took = instance
                .get_typed_func::<(&[Setting],), (Result<(), String>,)>(
                    &mut store,
                    self.exports.configure,
                )
                .and_then(|configure| configure.call(&mut store, (&self.settings,)))
                .map_err(fault)?;
            took.0.map_err(|_| Fault(FaultKind::Settings))?;
        }
        instance
            .get_typed_func::<P, R>(&mut store, export)
            .and_then(|function| function.call(&mut store, parameters))
            .map_err(fault)
    }

    fn store(&self) -> Result<Store<Room>, Fault> {
        let room = Room::new(self.name.as_str(), &self.limits);
        let mut store = Store::new(&self.machine.engine, room);
        store.limiter(|room| &mut room.limiter);
        store.set_hostcall_fuel(self.limits.output_bytes);
        if let Some(fuel) = self.limits.fuel {
            store
                .set_fuel(fuel)
                .map_err(|_| Fault(FaultKind::Instance))?;
        }
        Ok(store)
    }

    fn describe(&self) -> Result<Description, LoadError> {
        let (told,): (Described,) = self.asked(self.exports.describe, "describe", ())?;
        for text in [&told.version, &told.summary] {
            if !is_plain_text(text) {
                let told = "its version and summary must be one line each, of at most 200 bytes";
                return Err(LoadError::Told(told.into()));
            }
        }
        let name = Code::parse(&told.name)
            .map_err(|error| LoadError::Told(format!("the name it tells: {error}")))?;
        Ok(Description {
            name,
            version: told.version,
            summary: told.summary,
        })
    }

    /// Whether it takes its settings; what it says of them is told to the operator.
    fn try_settings(&self) -> Result<(), LoadError> {
        let settings = (&self.settings[..],);
        let (took,): (Result<(), String>,) =
            self.asked(self.exports.configure, "configure", settings)?;
        took.map_err(|why| LoadError::Settings(one_line(&why)))
    }

    /// Whether the hook's function is there and has its type: found out now, not at the first log-in.
    fn try_hook(&self) -> Result<(), LoadError> {
        let shape = |error: wasmtime::Error| LoadError::Shape {
            function: self.hook.export().1,
            why: format!("{error:#}"),
        };
        let mut store = self.store().map_err(|fault| LoadError::Silent {
            asked: "an instance",
            fault,
        })?;
        let _under_way = self.machine.ticker.begin();
        store.set_epoch_deadline(self.limits.time_ms.saturating_add(1));
        let instance = self.pre.instantiate(&mut store);
        let instance = instance.map_err(|error| LoadError::Silent {
            asked: "an instance",
            fault: Fault::of_no_instance(&error),
        })?;
        crate::hooks::check_type(self.hook, &instance, &mut store, &self.exports.hook)
            .map_err(shape)
    }

    fn asked<P, R>(
        &self,
        export: ComponentExportIndex,
        function: &'static str,
        parameters: P,
    ) -> Result<R, LoadError>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        self.call_export(export, false, parameters)
            .map_err(|fault| LoadError::Silent {
                asked: function,
                fault,
            })
    }

    fn requirements(
        &self,
        languages: &[String],
    ) -> Result<Vec<&'static ExtraRequirement>, LoadError> {
        let wrong = |what: String| LoadError::Told(format!("its requirements: {what}"));
        let export = self.exports.requirements.ok_or(LoadError::Shape {
            function: "requirements",
            why: "it is not exported".into(),
        })?;
        let mut lists = Vec::new();
        for language in languages {
            let (list,): (Vec<Requirement>,) = self
                .call_export(export, true, (language.as_str(),))
                .map_err(|fault| LoadError::Silent {
                    asked: "requirements",
                    fault,
                })?;
            lists.push((language, list));
        }
        let codes = |list: &[Requirement]| -> Vec<String> {
            list.iter().map(|one| one.code.clone()).collect()
        };
        let first = lists
            .first()
            .map(|(_, list)| codes(list))
            .unwrap_or_default();
        if !(1..=REQUIREMENTS_PER_RULE_MAX).contains(&first.len()) {
            let n = first.len();
            return Err(wrong(format!(
                "{n}; 1 to {REQUIREMENTS_PER_RULE_MAX} are allowed"
            )));
        }
        if lists.iter().any(|(_, list)| codes(list) != first) {
            return Err(wrong("not the same codes in every language".into()));
        }
        let mut stated = Vec::new();
        for (place, code) in first.iter().enumerate() {
            let code = Code::parse(code).map_err(|error| wrong(error.to_string()))?;
            let texts: Vec<(&str, &str)> = lists
                .iter()
                .filter_map(|(language, list)| {
                    list.get(place)
                        .map(|one| (language.as_str(), one.text.as_str()))
                })
                .collect();
            let one = ExtraRequirement::state(&self.name, &code, &texts)
                .map_err(|error| wrong(error.to_string()))?;
            if stated.contains(&one) {
                return Err(wrong(format!("{code} twice")));
            }
            stated.push(one);
        }
        Ok(stated)
    }
}

/// The one hook that a component exports, and where its functions are.
pub(crate) fn exports(component: &Component) -> Result<(Hook, Exports), LoadError> {
    let mut found: Option<(Hook, ComponentExportIndex)> = None;
    for hook in Hook::ALL {
        let name = interface(hook.export().0);
        if let Some(index) = component.get_export_index(None, &name) {
            if let Some((before, _)) = found {
                return Err(LoadError::TwoHooks(before, hook));
            }
            found = Some((hook, index));
        }
    }
    let Some((hook, export)) = found else {
        return Err(LoadError::NoHook {
            found: narthex_exports(component),
        });
    };
    let missing = |function| LoadError::Shape {
        function,
        why: "it is not exported".into(),
    };
    let lifecycle = component
        .get_export_index(None, interface("lifecycle"))
        .ok_or(missing("lifecycle"))?;
    let function = |of: &ComponentExportIndex, name: &'static str| {
        component
            .get_export_index(Some(of), name)
            .ok_or(missing(name))
    };
    let exports = Exports {
        describe: function(&lifecycle, "describe")?,
        configure: function(&lifecycle, "configure")?,
        requirements: component.get_export_index(Some(&export), "requirements"),
        hook: function(&export, hook.export().1)?,
    };
    Ok((hook, exports))
}

/// What a component without a hook exports of ours, as the end of a sentence.
fn narthex_exports(component: &Component) -> String {
    let ty = component.component_type();
    let names: Vec<String> = ty
        .exports(component.engine())
        .map(|(name, _)| one_line(name))
        .filter(|name| name.starts_with(PACKAGE))
        .take(4)
        .collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(", only {}", names.join(", ")),
    }
}

/// What a component asks for.
pub(crate) fn asked(component: &Component, hook: Hook) -> Result<Vec<Capability>, LoadError> {
    let ty = component.component_type();
    let mut asked = Vec::new();
    for (name, _) in ty.imports(component.engine()) {
        let is_types = ["types", "opinions"]
            .iter()
            .any(|known| name == interface(known));
        if is_types {
            // Types alone: nothing to call.
            continue;
        }
        let known = hook.grantable().iter();
        match known.copied().find(|one| name == interface(one.code())) {
            Some(capability) => asked.push(capability),
            None => {
                return Err(LoadError::Import {
                    import: one_line(name),
                    hook,
                });
            }
        }
    }
    Ok(asked)
}

/// A text of a guest for the operator: one line, not too long.
pub(crate) fn one_line(text: &str) -> String {
    const CHARACTERS_MAX: usize = 200;
    let line = text.chars().take(CHARACTERS_MAX);
    line.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Times calls for the meters.
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "times a call for the meters; nothing is judged by it"
    )]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
