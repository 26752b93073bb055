//! A contender runs in a process of its own, so that no allocator remembers what another did, and
//! works only when it is told to, so that contenders can take turns.
//!
//! The parent starts its own executable again with `--contender` and the contender's words. The
//! child writes one line when it is ready (a proof of what it computes), then answers each line `n`
//! on its input, after `n` operations, with `wall_ns cpu_ns faults`. It ends with its input.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::machine::{Cost, cost};

/// What benchmarks fail with.
pub type Failure = Box<dyn Error + Send + Sync>;

const FLAG: &str = "--contender";

/// A child process that waits for its turn.
#[derive(Debug)]
pub struct Contender {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What the child said when it was ready.
    pub proof: String,
}

impl Contender {
    /// Starts this executable as the contender that `words` describe, with `environment` added.
    ///
    /// # Errors
    /// The process could not be started, or ended before it was ready.
    pub fn start(words: &[String], environment: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(FLAG)
            .args(words)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take();
        let answers = child.stdout.take().ok_or("the child has no output")?;
        let mut contender = Self {
            child,
            orders,
            answers: BufReader::new(answers),
            proof: String::new(),
        };
        contender.proof = contender.line()?;
        Ok(contender)
    }

    /// Lets it do `operations`, and says what they cost together.
    ///
    /// # Errors
    /// The child failed.
    pub fn run(&mut self, operations: u32) -> Result<Cost, Failure> {
        let orders = self.orders.as_mut().ok_or("the child has no input")?;
        writeln!(orders, "{operations}")?;
        orders.flush()?;
        let line = self.line()?;
        let mut numbers = line.split(' ').map(str::parse::<u64>);
        let mut next = || numbers.next().ok_or("the child's answer is cut short");
        Ok(Cost {
            wall: Duration::from_nanos(next()??),
            cpu: Duration::from_nanos(next()??),
            faults: next()??,
        })
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("a contender ended early".into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        // The end of its input is its end. What it exits with is of no interest any more.
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

/// The words after `--contender`, if this process is one.
pub fn words() -> Option<Vec<String>> {
    let mut arguments = std::env::args().skip(1);
    arguments.next().filter(|first| first == FLAG)?;
    Some(arguments.collect())
}

/// The child's side: says `proof`, then works on order until its input ends.
///
/// # Errors
/// `operation` failed, or the parent is gone.
pub fn serve(
    proof: &str,
    mut operation: impl FnMut() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{proof}")?;
    output.flush()?;
    for line in std::io::stdin().lock().lines() {
        let operations = line?.parse::<u32>()?;
        let Cost { wall, cpu, faults } = cost(|| (0..operations).try_for_each(|_| operation()))?;
        writeln!(output, "{} {} {faults}", wall.as_nanos(), cpu.as_nanos())?;
        output.flush()?;
    }
    Ok(())
}
