//! What a guest may use, and the most that an operator may let it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one call of a guest may use. [`Limits::HARD`] are the caps; a guest that asks for more is
/// stopped, which is a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Time of one call, from its start to its answer, in milliseconds. Kept by an epoch that goes on
    /// every millisecond.
    pub time_ms: u64,
    /// Instructions, about; absent: time alone counts. The same input then always stops at the same
    /// place, and calls are somewhat slower.
    pub fuel: Option<u64>,
    /// Linear memory, all of the guest's together, in bytes.
    pub memory_bytes: usize,
    /// Elements of tables, all of the guest's together.
    pub table_elements: usize,
    /// Core instances: one for most guests, about 40 for one in Python.
    pub instances: usize,
    /// What the guest hands out in one call, in bytes: its answer and the arguments of its host calls.
    pub output_bytes: usize,
    /// Calls to granted imports in one call.
    pub host_calls: u32,
    /// Calls under way at a time, each on a thread of the guest's own.
    pub workers: usize,
    /// Calls that wait for a thread; one more is a fault at once.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time_ms: 100,
            fuel: None,
            memory_bytes: 16 << 20,
            table_elements: 20_000,
            instances: 4,
            output_bytes: 64 << 10,
            host_calls: 1_000,
            workers: 2,
            queue: 64,
        }
    }
}

/// A limit that is 0 or above its cap.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the limit {name} is {value}: it must be 1 to {cap}")]
pub struct LimitsError {
    /// Which.
    pub name: &'static str,
    /// What was asked for.
    pub value: u64,
    /// The most.
    pub cap: u64,
}

impl Limits {
    /// The caps: no operator can allow more.
    pub const HARD: Self = Self {
        time_ms: 5_000,
        fuel: Some(10_000_000_000),
        memory_bytes: 128 << 20,
        table_elements: 200_000,
        instances: 64,
        output_bytes: 1 << 20,
        host_calls: 100_000,
        workers: 16,
        queue: 1_024,
    };
    /// The largest component that is installed, in bytes: one in Python has 18 MB.
    pub const COMPONENT_BYTES_MAX: u64 = 64 << 20;
    /// All settings of one guest together, in bytes.
    pub const SETTINGS_BYTES_MAX: usize = 64 << 10;
    /// The stack of a guest, in bytes.
    pub(crate) const STACK_BYTES: usize = 512 << 10;

    /// Whether every limit is within its cap.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), LimitsError> {
        let wide = |n: usize| n as u64;
        let hard = Self::HARD;
        for (name, value, cap) in [
            ("time_ms", self.time_ms, hard.time_ms),
            ("fuel", self.fuel.unwrap_or(1), hard.fuel.unwrap_or(1)),
            (
                "memory_bytes",
                wide(self.memory_bytes),
                wide(hard.memory_bytes),
            ),
            (
                "table_elements",
                wide(self.table_elements),
                wide(hard.table_elements),
            ),
            ("instances", wide(self.instances), wide(hard.instances)),
            (
                "output_bytes",
                wide(self.output_bytes),
                wide(hard.output_bytes),
            ),
            ("host_calls", self.host_calls.into(), hard.host_calls.into()),
            ("workers", wide(self.workers), wide(hard.workers)),
            ("queue", wide(self.queue), wide(hard.queue)),
        ] {
            if value == 0 || value > cap {
                return Err(LimitsError { name, value, cap });
            }
        }
        Ok(())
    }

    /// The time of one call.
    pub fn time(&self) -> Duration {
        Duration::from_millis(self.time_ms)
    }
}
