//! The machine that guests run on: one engine for guests without fuel, one for those with.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::Component;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::fault::LoadError;
use crate::limits::Limits;
use crate::ticker::Ticker;

/// Calls of all guests under way at a time, in the pool.
const CALLS_MAX: u32 = 128;
/// What stays in place of a memory or table between two calls, at most.
const KEPT_BYTES: usize = 256 << 10;
/// Memories in the pool: most guests have one.
const MEMORIES_MAX: u32 = 192;
const CORE_INSTANCES_MAX: u32 = 1_024;

/// How guests are run.
#[derive(Clone, Copy, Debug)]
pub struct HostOptions {
    /// Instances from a pool that is laid out beforehand: about 24 GiB of *virtual* memory. Where the
    /// system gives no such room (`ulimit -v`), and if this is off, each is made on demand; a call then
    /// takes some microseconds more.
    pub pool: bool,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self { pool: true }
    }
}

/// No guest can be run.
#[derive(Debug, thiserror::Error)]
#[error("the WASM engine did not start: {0}")]
pub struct HostError(String);

/// Runs guests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Host(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: HostOptions,
    plain: Arc<Machine>,
    with_fuel: Mutex<Option<Arc<Machine>>>,
}

/// An engine and what moves its epoch.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    pooled: bool,
    fuel: bool,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Machine(pooled: {})", self.pooled)
    }
}

impl Host {
    /// Starts the engine.
    ///
    /// # Errors
    /// The machine or the system is not one that wasmtime runs on.
    pub fn start(options: HostOptions) -> Result<Self, HostError> {
        Ok(Self(Arc::new(Inner {
            options,
            plain: Arc::new(Machine::start(options, false)?),
            with_fuel: Mutex::default(),
        })))
    }

    /// Whether instances come from the pool.
    pub fn is_pooled(&self) -> bool {
        self.0.plain.pooled
    }

    /// The machine for guests under these limits.
    pub(crate) fn machine(&self, limits: &Limits) -> Result<Arc<Machine>, HostError> {
        if limits.fuel.is_none() {
            return Ok(Arc::clone(&self.0.plain));
        }
        let mut place = self
            .0
            .with_fuel
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(machine) = &*place {
            return Ok(Arc::clone(machine));
        }
        let machine = Arc::new(Machine::start(self.0.options, true)?);
        Ok(Arc::clone(place.insert(machine)))
    }
}

impl Machine {
    fn start(options: HostOptions, fuel: bool) -> Result<Self, HostError> {
        let pooled = match options.pool {
            true => Engine::new(config(fuel).allocation_strategy(pool())).ok(),
            false => None,
        };
        let is_pooled = pooled.is_some();
        let engine = match pooled {
            Some(engine) => engine,
            None => Engine::new(&config(fuel)).map_err(|error| HostError(error.to_string()))?,
        };
        let ticker = Ticker::start(&engine).map_err(|error| HostError(error.to_string()))?;
        Ok(Self {
            engine,
            ticker,
            pooled: is_pooled,
            fuel,
        })
    }

    /// What code compiled for it is called. A build without a compiler knows it too.
    pub(crate) fn kind(&self) -> &'static str {
        match self.fuel {
            false => "plain",
            true => "with-fuel",
        }
    }

    /// Machine code of a component.
    #[cfg(feature = "compile")]
    pub(crate) fn compile(&self, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        self.engine
            .precompile_component(component)
            .map_err(|error| LoadError::Compile(format!("{error:#}")))
    }

    /// A component of its source.
    #[cfg(feature = "compile")]
    pub(crate) fn component(&self, source: &[u8]) -> Result<Component, LoadError> {
        Component::from_binary(&self.engine, source)
            .map_err(|error| LoadError::NotAComponent(format!("{error:#}")))
    }

    #[cfg(not(feature = "compile"))]
    pub(crate) fn component(&self, _source: &[u8]) -> Result<Component, LoadError> {
        Err(LoadError::NoCompiler)
    }
}

/// What compiled code depends on is the same with and without the pool.
fn config(fuel: bool) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(fuel)
        .max_wasm_stack(Limits::STACK_BYTES)
        .wasm_memory64(false)
        // Room for the hard cap and no more: not 4 GiB for each memory.
        .memory_reservation(Limits::HARD.memory_bytes as u64)
        .memory_reservation_for_growth(0)
        .memory_may_move(false)
        .memory_guard_size(64 << 10);
    config
}

fn pool() -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    let per_component = u32::try_from(Limits::HARD.instances).unwrap_or(u32::MAX);
    pool.total_component_instances(CALLS_MAX)
        .total_core_instances(CORE_INSTANCES_MAX)
        .total_memories(MEMORIES_MAX)
        .total_tables(CORE_INSTANCES_MAX)
        .max_core_instances_per_component(per_component)
        .max_memories_per_component(8)
        .max_tables_per_component(per_component)
        .max_memory_size(Limits::HARD.memory_bytes)
        .table_elements(Limits::HARD.table_elements)
        .max_unused_warm_slots(4);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        // What a call has written is written over when it ends, page by page: sooner than giving pages back
        // and being given new ones, and as clean. A kernel that does not tell which pages those are (before
        // Linux 6.7) would have all of them written over.
        pool.pagemap_scan(Enabled::Auto)
            .linear_memory_keep_resident(KEPT_BYTES)
            .table_keep_resident(KEPT_BYTES);
    }
    InstanceAllocationStrategy::Pooling(pool)
}
