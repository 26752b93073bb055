//! A question at the terminal, before something that cannot be taken back.

use std::io::{BufRead, IsTerminal, Write};

use crate::failure::{Failure, failed};

/// Whether the person at the terminal says yes.
pub(crate) fn agreed(question: &str) -> Result<bool, Failure> {
    let answer = ask(&format!("{question} [y/N] "), "--yes")?;
    Ok(matches!(answer.as_str(), "y" | "Y" | "yes"))
}

/// What the person at the terminal types; `flag` says it where nobody is there.
pub(crate) fn answer(question: &str, flag: &str) -> Result<String, Failure> {
    ask(&format!("{question} "), flag)
}

fn ask(question: &str, flag: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "nobody is there to ask: say {flag}"
        )));
    }
    let mut terminal = std::io::stderr();
    let asked = write!(terminal, "{question}").and_then(|()| terminal.flush());
    let mut answer = String::new();
    asked
        .and_then(|()| std::io::stdin().lock().read_line(&mut answer))
        .map_err(|e| failed("the terminal could not be read", &e))?;
    Ok(answer.trim().to_owned())
}
