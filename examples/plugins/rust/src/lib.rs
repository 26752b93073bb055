//! No password has the school's mascot in it.

use narthex_guest::{PasswordRule, Requirement, Settings, Verdict};

struct NoMascot {
    /// In small letters.
    words: Vec<String>,
}

impl PasswordRule for NoMascot {
    const NAME: &'static str = "no_mascot";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "No password has the school's mascot in it.";

    fn configure(settings: &Settings) -> Result<Self, String> {
        let words = settings.list("words");
        if words.is_empty() {
            return Err("say which words: --set words=tiger,tigers".into());
        }
        let words = words.into_iter().map(str::to_lowercase).collect();
        Ok(Self { words })
    }

    fn requirements(&self, language: &str) -> Vec<Requirement> {
        let text = match language {
            "es" => "Sin la mascota de la escuela",
            _ => "Not our school's mascot",
        };
        vec![Requirement::new("no_mascot", text)]
    }

    fn check(&self, candidate: &str) -> Verdict {
        let candidate = candidate.to_lowercase();
        match self.words.iter().any(|word| candidate.contains(word)) {
            true => Verdict::breaks("no_mascot"),
            false => Verdict::Meets,
        }
    }
}

narthex_guest::password_rule!(NoMascot);
