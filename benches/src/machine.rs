//! What the machine says of this process.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// What a stretch of work cost this process, all its threads together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// By the clock on the wall.
    pub wall: Duration,
    /// CPU time, user and system.
    pub cpu: Duration,
    /// Minor page faults; zero where the kernel does not tell.
    pub faults: u64,
}

/// Runs `work` and says what it cost.
///
/// # Errors
/// `work` failed.
pub fn cost<E>(work: impl FnOnce() -> Result<(), E>) -> Result<Cost, E> {
    let (wall, cpu, faults) = (wall(), cpu(), faults());
    work()?;
    Ok(Cost {
        faults: crate::machine::faults().saturating_sub(faults),
        cpu: crate::machine::cpu().saturating_sub(cpu),
        wall: crate::machine::wall().saturating_sub(wall),
    })
}

/// A clock that only goes forward.
pub fn wall() -> Duration {
    read(ClockId::Monotonic)
}

/// The CPU time of this process so far.
pub fn cpu() -> Duration {
    read(ClockId::ProcessCPUTime)
}

/// Bytes of this process that are in memory, if the kernel tells (Linux).
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace()
        .next()?
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

/// Field 10 of `/proc/self/stat`; the name in field 2 may hold spaces, so count from its end.
fn faults() -> u64 {
    std::fs::read_to_string("/proc/self/stat")
        .ok()
        .and_then(|stat| {
            let (_, rest) = stat.rsplit_once(')')?;
            rest.split_whitespace().nth(7)?.parse().ok()
        })
        .unwrap_or(0)
}

fn read(clock: ClockId) -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
    let seconds = u64::try_from(tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_fresh_memory_costs_time_and_faults() {
        let cost = cost(|| {
            std::hint::black_box(vec![1_u8; 64 << 20]);
            Ok::<(), ()>(())
        });
        let cost = cost.unwrap();
        assert!(cost.wall > Duration::ZERO && cost.cpu > Duration::ZERO);
        if cfg!(target_os = "linux") {
            assert!(cost.faults > 0);
            assert!(resident_bytes() > Some(1 << 20));
        }
    }
}
