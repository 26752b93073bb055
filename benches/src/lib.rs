//! Shared parts of the benchmarks: what is read from the machine, how rounds are taken together,
//! how a result is shown. The benchmarks themselves are in `benches/`; `README.md` has the
//! commands.

pub mod contender;
pub mod figures;
pub mod machine;
pub mod sessions;
pub mod table;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// A few rounds: shows that the benchmark works, not how fast anything is.
    Quick,
    /// Enough rounds for medians to hold still.
    Full,
}

impl Effort {
    /// Full under `cargo bench` (which passes `--bench`), unless `--quick` is among the arguments
    /// or `NARTHEX_BENCH_QUICK` is set; quick otherwise.
    pub fn of_this_run() -> Self {
        let given = |flag: &str| std::env::args().any(|argument| argument == flag);
        let quick = given("--quick") || std::env::var_os("NARTHEX_BENCH_QUICK").is_some();
        if given("--bench") && !quick {
            Self::Full
        } else {
            Self::Quick
        }
    }

    /// One of two numbers.
    pub fn choose<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}
