//! What one call has: the data of its store, and its limiter.

use wasmtime::ResourceLimiter;

use crate::fault::{FaultKind, Stopped};
use crate::limits::Limits;

/// The data of a store. Made for one call and dropped after it.
pub(crate) struct Room {
    pub(crate) limiter: Limiter,
    /// Whose lines are logged.
    pub(crate) plugin: String,
    host_calls: u32,
}

impl Room {
    pub(crate) fn new(plugin: &str, limits: &Limits) -> Self {
        Self {
            limiter: Limiter {
                memory_left: limits.memory_bytes,
                elements_left: limits.table_elements,
                instances: limits.instances,
            },
            plugin: plugin.to_owned(),
            host_calls: limits.host_calls,
        }
    }

    /// Counts one call to the host.
    pub(crate) fn call_host(&mut self) -> Result<(), Stopped> {
        match self.host_calls.checked_sub(1) {
            Some(left) => {
                self.host_calls = left;
                Ok(())
            }
            None => Err(Stopped(FaultKind::HostCalls)),
        }
    }
}

/// Counts memory and tables of all instances of the guest together; too much of either ends the call.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_left: usize,
    elements_left: usize,
    instances: usize,
}

fn take(left: &mut usize, current: usize, desired: usize) -> wasmtime::Result<bool> {
    let more = desired.saturating_sub(current);
    match left.checked_sub(more) {
        Some(rest) => {
            *left = rest;
            Ok(true)
        }
        None => Err(wasmtime::Error::new(Stopped(FaultKind::Memory))),
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        take(&mut self.memory_left, current, desired)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        take(&mut self.elements_left, current, desired)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances.saturating_mul(2)
    }

    fn memories(&self) -> usize {
        self.instances
    }
}
