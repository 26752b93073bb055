//! Guests that embed the portal: an application in WebAssembly whose host is not ours. It imports
//! `narthex:portal/portal`, and `secrets` if it was granted that; it never holds a token.

mod functions;
mod wire;

use std::sync::Arc;

use futures_channel::oneshot;
use narthex_core::hook::Code;
use narthex_core::{Asker, BrowserSecret, KnownBrowser, Portal, SessionToken};
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};

pub use self::wire::{Field, Page, Request};
use crate::fault::{Fault, FaultKind, LoadError};
use crate::guest::one_line;
use crate::hook::interface;
use crate::host::{Host, Machine};
use crate::limits::Limits;
use crate::room::Room;
use crate::workers::Workers;

/// What a browser keeps, by the cookies of the host.
#[derive(Clone, Debug, Default)]
pub struct Jar {
    /// The session.
    pub session: Option<SessionToken>,
    /// What claims under way are bound to.
    pub claim: Option<BrowserSecret>,
    /// The lane of a known browser.
    pub known: Option<KnownBrowser>,
}

/// One request of a browser, as the host knows it.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Who asks; `known_browser` is taken from the jar.
    pub asker: Asker,
    /// Its cookies.
    pub jar: Jar,
}

/// How an application is loaded.
#[derive(Clone, Debug)]
pub struct ApplicationOptions {
    /// Names it in the log.
    pub name: Code,
    /// What one request may use. The time is that of the whole answer, the portal's share (a password
    /// hash: some ten milliseconds) included.
    pub limits: Limits,
    /// **It sees passwords and answers.** Without it a guest that asks for `secrets` is not loaded.
    pub secrets: bool,
}

impl ApplicationOptions {
    /// Nothing granted beyond the portal, two seconds for an answer.
    pub fn new(name: Code) -> Self {
        Self {
            name,
            limits: Limits {
                time_ms: 2_000,
                ..Limits::default()
            },
            secrets: false,
        }
    }
}

/// An application that is ready to answer.
#[derive(Debug)]
pub struct Application {
    core: Arc<Core>,
    workers: Workers,
}

struct Core {
    machine: Arc<Machine>,
    pre: InstancePre<Visit>,
    answer: ComponentExportIndex,
    portal: Portal,
    options: ApplicationOptions,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (application)", self.options.name)
    }
}

/// The data of a store: one request.
struct Visit {
    room: Room,
    portal: Portal,
    visitor: Visitor,
    on_grid: bool,
}

/// What became of a request.
#[derive(Debug)]
pub struct Answered {
    /// What the browser keeps from now on, whether or not there is a page: a session that ended has ended.
    pub jar: Jar,
    /// The page; or the guest did not answer: show an error page of the host's own.
    pub page: Result<Page, Fault>,
    /// A secret, or what would be one, was compared and is wrong. The host sends the answer a whole number
    /// of 50 ms after the request came, so that no way to be wrong is told by its time (EN-02).
    pub on_grid: bool,
}

impl Answered {
    fn fault(jar: Jar, kind: FaultKind) -> Self {
        let page = Err(Fault(kind));
        Self {
            jar,
            page,
            on_grid: false,
        }
    }
}

impl Host {
    /// Loads an application on `portal`.
    ///
    /// # Errors
    /// Says what is wrong with the guest, and what to do.
    pub fn load_application(
        &self,
        component: &[u8],
        portal: Portal,
        options: ApplicationOptions,
    ) -> Result<Application, LoadError> {
        options.limits.check()?;
        let machine = self.machine_for(&options.limits)?;
        let component = machine.component(component)?;
        let (workers, queue) = (options.limits.workers, options.limits.queue);
        let name = options.name.to_string();
        let core = Core::of(machine, &component, portal, options)?;
        Ok(Application {
            core: Arc::new(core),
            workers: Workers::start(&name, workers, queue).map_err(LoadError::Threads)?,
        })
    }
}

impl Application {
    /// Answers one request.
    pub async fn answer(&self, visitor: Visitor, request: Request) -> Answered {
        let (sender, answered) = oneshot::channel();
        let core = Arc::clone(&self.core);
        let before = visitor.jar.clone();
        let taken = self.workers.take(move || {
            // Nobody waits any more: nothing to tell.
            let _ = sender.send(core.answer(visitor, request));
        });
        if !taken {
            return Answered::fault(before, FaultKind::Busy);
        }
        let answered = answered.await;
        answered.unwrap_or_else(|_| Answered::fault(before, FaultKind::Trap))
    }
}

impl Core {
    fn of(
        machine: Arc<Machine>,
        component: &Component,
        portal: Portal,
        options: ApplicationOptions,
    ) -> Result<Self, LoadError> {
        let screens = component.get_export_index(None, interface("screens"));
        let answer = screens
            .and_then(|screens| component.get_export_index(Some(&screens), "answer"))
            .ok_or(LoadError::Shape {
                function: "screens",
                why: "it is not exported".into(),
            })?;
        let mut linker = Linker::new(&machine.engine);
        let failed = |error: wasmtime::Error| LoadError::Compile(error.to_string());
        functions::add_portal(&mut linker).map_err(failed)?;
        if options.secrets {
            functions::add_secrets(&mut linker).map_err(failed)?;
        }
        let ty = component.component_type();
        for (name, _) in ty.imports(component.engine()) {
            let known = ["types", "portal", "secrets"];
            if name == interface("secrets") && !options.secrets {
                return Err(LoadError::Secrets);
            }
            if !known.iter().any(|known| name == interface(known)) {
                let import = one_line(name);
                return Err(LoadError::ApplicationImport { import });
            }
        }
        let pre = linker
            .instantiate_pre(component)
            .map_err(|error| LoadError::NotAComponent(format!("{error:#}")))?;
        Ok(Self {
            machine,
            pre,
            answer,
            portal,
            options,
        })
    }

    fn answer(&self, visitor: Visitor, request: Request) -> Answered {
        let limits = &self.options.limits;
        let visit = Visit {
            room: Room::new(self.options.name.as_str(), limits),
            portal: self.portal.clone(),
            visitor,
            on_grid: false,
        };
        let mut store = Store::new(&self.machine.engine, visit);
        store.limiter(|visit: &mut Visit| &mut visit.room.limiter);
        store.set_hostcall_fuel(limits.output_bytes);
        let fuelled = limits.fuel.map_or(Ok(()), |fuel| store.set_fuel(fuel));
        let _under_way = self.machine.ticker.begin();
        store.set_epoch_deadline(limits.time_ms.saturating_add(1));
        let page = fuelled
            .and_then(|()| self.pre.instantiate(&mut store))
            .map_err(|error| Fault::of_no_instance(&error))
            .and_then(|instance| {
                instance
                    .get_typed_func::<(Request,), (Page,)>(&mut store, self.answer)
                    .and_then(|answer| answer.call(&mut store, (request,)))
                    .map_err(|error| Fault::from(&error))
            })
            .map(|(page,)| page);
        if let Err(fault) = &page {
            tracing::warn!(application = %self.options.name, %fault, "a guest did not answer");
        }
        let visit = store.into_data();
        Answered {
            jar: visit.visitor.jar,
            page,
            on_grid: visit.on_grid,
        }
    }
}
