//! Every word a person reads here: `texts/*.toml`, one catalogue per language, made into constants
//! by the build.

use std::time::Duration;

use narthex_core::model::{EndReason, Role};
use narthex_core::rules::password::PasswordRequirement;
use narthex_core::rules::question::SecurityQuestion;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

include!(concat!(env!("OUT_DIR"), "/texts.rs"));

/// A text in whichever language the reader has.
pub(crate) type Text = fn(&Texts) -> &'static str;

/// A text that counts. English and Spanish have two forms (CLDR: one, other).
#[derive(Debug, Serialize)]
pub(crate) struct Plural {
    one: &'static str,
    other: &'static str,
}

impl Plural {
    /// The form for `n`, filled in.
    pub(crate) fn of(&self, n: u64) -> String {
        let form = if n == 1 { self.one } else { self.other };
        fill(form, &[("n", &n.to_string())])
    }
}

/// Texts by a code.
#[derive(Debug)]
pub(crate) struct Words(&'static [(&'static str, &'static str)]);

impl Words {
    /// The text of `code`.
    pub(crate) fn get(&self, code: &str) -> Option<&'static str> {
        let found = self.0.iter().find(|(known, _)| *known == code);
        found.map(|(_, word)| *word)
    }
}

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (code, word) in self.0 {
            map.serialize_entry(code, word)?;
        }
        map.end()
    }
}

impl Texts {
    /// What to say of a session that ended.
    pub(crate) fn end_reason(&self, reason: EndReason) -> &'static str {
        match reason {
            EndReason::AbsoluteTimeout => self.ended_absolute_timeout,
            EndReason::Disabled => self.ended_disabled,
            EndReason::EndedElsewhere => self.ended_ended_elsewhere,
            EndReason::Inactivity => self.ended_inactivity,
            EndReason::LogOut => self.ended_log_out,
            EndReason::LoggedInAgain => self.ended_logged_in_again,
            EndReason::PasswordChanged => self.ended_password_changed,
            EndReason::ReClaimed => self.ended_re_claimed,
            EndReason::Recovered => self.ended_recovered,
            EndReason::StaffReset => self.ended_staff_reset,
        }
    }

    /// Many people of a role, and one of them.
    pub(crate) fn role(&self, role: &Role) -> (&'static str, &'static str) {
        match role {
            Role::Student => (self.role_student, self.role_one_student),
            Role::Teacher => (self.role_teacher, self.role_one_teacher),
            Role::Administrator => (self.role_administrator, self.role_one_administrator),
            Role::Guardian => (self.role_guardian, self.role_one_guardian),
            Role::Other => (self.role_other, self.role_one_other),
        }
    }

    /// The text of a `?notice=` word, and whether it is good news. Unknown words say nothing.
    pub(crate) fn notice(&self, word: &str) -> Option<(&'static str, bool)> {
        Some(match word {
            "claimed" => (self.notice_claimed, true),
            "logged_out" => (self.notice_logged_out, true),
            "password_changed" => (self.notice_password_changed, true),
            "saved" => (self.notice_saved, true),
            "another_person" => (self.notice_another_person, false),
            "membership_lost" => (self.notice_membership_lost, false),
            "claim_expired" => (self.notice_claim_expired, false),
            "already_claimed" => (self.notice_already_claimed, false),
            "recovered" => (self.notice_recovered, true),
            "recovery_expired" => (self.notice_recovery_expired, false),
            "already_recovered" => (self.notice_already_recovered, false),
            "one_ended" => (self.notice_one_ended, true),
            "others_ended" => (self.notice_others_ended, true),
            "hold_confirmed" => (self.notice_hold_confirmed, true),
            "hold_discarded" => (self.notice_hold_discarded, true),
            "hold_gone" => (self.notice_hold_gone, false),
            "started_over" => (self.notice_started_over, true),
            _ => return None,
        })
    }

    /// A stated requirement of a new password.
    pub(crate) fn requirement(&self, requirement: PasswordRequirement) -> String {
        let text = match requirement {
            PasswordRequirement::MinimumLength(n) => {
                return fill(self.requirement_minimum_length, &[("n", &n.to_string())]);
            }
            PasswordRequirement::UpperCase => self.requirement_upper_case,
            PasswordRequirement::LowerCase => self.requirement_lower_case,
            PasswordRequirement::Digit => self.requirement_digit,
            PasswordRequirement::Symbol => self.requirement_symbol,
            PasswordRequirement::NotCommon => self.requirement_not_common,
            PasswordRequirement::NotAboutYou => self.requirement_not_about_you,
            PasswordRequirement::NotTheCurrent => self.requirement_not_the_current,
            PasswordRequirement::Extra(stated) => return stated.text(self.lang).to_owned(),
            PasswordRequirement::Unchecked => self.requirement_unchecked,
        };
        text.to_owned()
    }

    /// Words for suggested passwords: short, plain, fit for children, one per line.
    pub(crate) fn word_list(&self) -> &'static str {
        match self.lang {
            "es" => include_str!("../words/es.txt"),
            _ => include_str!("../words/en.txt"),
        }
    }

    /// A question of the bank.
    pub(crate) fn question(&self, question: &SecurityQuestion) -> &'static str {
        self.questions.get(question.id).unwrap_or(question.text)
    }

    /// What the core says of an input that it cannot take, as a sentence.
    pub(crate) fn invalid(&self, text: &str) -> String {
        sentence(self.inputs.get(text).unwrap_or(text))
    }

    /// A length of time in words: whole days from two on, whole hours, else minutes rounded up.
    pub(crate) fn span(&self, time: Duration) -> String {
        let minutes = time.as_secs().div_ceil(60).max(1);
        let days = minutes / (24 * 60);
        if days >= 2 {
            return self.days.of(days);
        }
        match (minutes / 60, minutes % 60) {
            (hours, 0) if hours > 0 => self.hours.of(hours),
            _ => self.minutes.of(minutes),
        }
    }
}

/// `text` with every `{name}` of `values` filled in.
pub(crate) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        let value = values
            .iter()
            .find(|(n, _)| *n == name)
            .map_or("", |(_, v)| v);
        out.push_str(value);
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// First letter made a capital, a full stop at the end: for messages of the core beside fields.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    let stop = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{stop}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use narthex_core::rules::suggestion::LIST_WORDS;

    use super::*;

    #[test]
    fn every_reason_and_role_has_words() {
        for t in LANGUAGES {
            for reason in EndReason::ALL {
                assert!(t.end_reason(reason).len() > 10);
            }
            assert!(t.notice("nonsense").is_none());
        }
        assert_eq!(EN.role(&Role::Student), ("Students", "student"));
    }

    #[test]
    fn every_language_has_2048_words_for_suggestions_that_any_keyboard_has() {
        let mut lists = BTreeSet::new();
        for t in LANGUAGES {
            let words: Vec<&str> = t.word_list().lines().collect();
            assert_eq!(words.len(), LIST_WORDS, "{}", t.lang);
            assert!(words.is_sorted_by(|a, b| a < b), "{}: each once", t.lang);
            for word in words {
                let plain = word.bytes().all(|b| b.is_ascii_lowercase());
                assert!(plain && (3..=9).contains(&word.len()), "{word}");
            }
            lists.insert(t.word_list());
        }
        assert_eq!(lists.len(), LANGUAGES.len(), "a list of its own for each");
    }

    #[test]
    fn texts_are_filled_in_and_spans_are_plain() {
        assert_eq!(fill("a {b} c {d}", &[("b", "x"), ("d", "y")]), "a x c y");
        assert_eq!(fill("no braces", &[]), "no braces");
        for (seconds, english, spanish) in [
            (4 * 3600, "4 hours", "4 horas"),
            (20 * 60, "20 minutes", "20 minutos"),
            (3600, "1 hour", "1 hora"),
            (61, "2 minutes", "2 minutos"),
            (21 * 24 * 3600, "21 days", "21 días"),
            (3 * 24 * 3600 - 61, "2 days", "2 días"),
            (24 * 3600, "24 hours", "24 horas"),
            (1, "1 minute", "1 minuto"),
        ] {
            assert_eq!(EN.span(Duration::from_secs(seconds)), english);
            assert_eq!(ES.span(Duration::from_secs(seconds)), spanish);
        }
        assert_eq!(sentence("please type it"), "Please type it.");
    }

    #[test]
    fn every_refusal_of_log_in_and_claim_says_the_three_ways_on() {
        let ways = [
            (&EN, ["too many tries", "wait an hour", "write to"]),
            (&ES, ["demasiados intentos", "espera una hora", "escribe a"]),
        ];
        for (t, parts) in ways {
            for text in [
                t.login_failed,
                t.claim_not_matched,
                t.current_password_wrong,
                t.throttled,
            ] {
                for part in parts {
                    assert!(text.to_lowercase().contains(part), "{text}");
                }
            }
        }
    }
}
