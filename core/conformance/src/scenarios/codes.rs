//! Recovery codes of a scenario: they are drawn while it runs, so that its file can only say which.

use std::collections::BTreeMap;

use super::format::Action;

/// The codes that were shown so far: by kind and person, the sets in order.
#[derive(Clone, Debug, Default)]
pub struct Codes(BTreeMap<(&'static str, String), Vec<Vec<String>>>);

impl Codes {
    /// Remembers what an action showed.
    pub fn remember(&mut self, action: &Action, shown: &[String]) {
        let (kind, who) = match action {
            Action::IssueRecoveryCode { who } => ("issued", who),
            Action::RenewRecoveryCodes { who } => ("saved", who),
            _ => return,
        };
        if !shown.is_empty() {
            let sets = self.0.entry((kind, who.clone())).or_default();
            sets.push(shown.to_vec());
        }
    }

    /// `issued`: the last one from staff; `saved 3`: the third of the last set; `issued before`,
    /// `saved before 3`: of the set before that; everything else: as it stands.
    ///
    /// # Errors
    /// No such code was shown.
    pub fn find(&self, who: &str, code: &str) -> Result<String, String> {
        let mut words = code.split(' ');
        let kind = match words.next() {
            Some("issued") => "issued",
            Some("saved") => "saved",
            _ => return Ok(code.to_owned()),
        };
        let mut words = words.peekable();
        let back = usize::from(words.next_if_eq(&"before").is_some());
        let number: usize = words
            .next()
            .map_or(Ok(1), str::parse)
            .map_err(|_| format!("{code:?}: which code?"))?;
        let sets = self.0.get(&(kind, who.to_owned()));
        let set = sets.and_then(|sets| sets.iter().rev().nth(back));
        set.and_then(|set| set.get(number.checked_sub(1)?))
            .cloned()
            .ok_or_else(|| format!("{who} was shown no code {code:?}"))
    }
}
