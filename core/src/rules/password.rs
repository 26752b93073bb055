//! What a new password must be: *stated requirements*. One datum renders the text a person reads and
//! judges what they type, so that the page cannot say one thing and the engine another.

use crate::hook::ExtraRequirement;
use crate::policy::PasswordProfile;
use crate::rules::text::canonical_name;
use crate::secret::{NewPassword, Password};

/// One stated requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PasswordRequirement {
    /// At least so many characters (code points after normalization).
    MinimumLength(usize),
    /// A letter A to Z.
    UpperCase,
    /// A letter a to z.
    LowerCase,
    /// A digit.
    Digit,
    /// One of [`SYMBOLS`].
    Symbol,
    /// Not among the passwords that are tried first, nor one of them with a few characters added.
    NotCommon,
    /// Not one's own name, number or school, nor little else.
    NotAboutYou,
    /// Another one than now.
    NotTheCurrent,
    /// What a rule of the host's asks for.
    Extra(&'static ExtraRequirement),
    /// Never stated: a rule of the host's gave no verdict, and without one no password is taken.
    Unchecked,
}

/// What a password is missing: the requirement it breaks.
pub type PasswordIssue = PasswordRequirement;

/// The symbols of the classic profile.
pub const SYMBOLS: &str = "!#$%_<=>";

impl PasswordRequirement {
    /// The stable snake_case code.
    pub fn code(self) -> &'static str {
        match self {
            Self::MinimumLength(_) => "minimum_length",
            Self::UpperCase => "upper_case",
            Self::LowerCase => "lower_case",
            Self::Digit => "digit",
            Self::Symbol => "symbol",
            Self::NotCommon => "not_common",
            Self::NotAboutYou => "not_about_you",
            Self::NotTheCurrent => "not_the_current",
            Self::Extra(stated) => stated.code(),
            Self::Unchecked => "unchecked",
        }
    }

    /// What a person reads, in plain English.
    pub fn text(self) -> String {
        match self {
            Self::MinimumLength(n) => format!("At least {n} characters"),
            Self::UpperCase => "A capital letter (A to Z)".into(),
            Self::LowerCase => "A small letter (a to z)".into(),
            Self::Digit => "A digit (0 to 9)".into(),
            Self::Symbol => "One of these signs: ! # $ % _ < = >".into(),
            Self::NotCommon => "Not a password that many people use".into(),
            Self::NotAboutYou => "Not your name, your number or your school".into(),
            Self::NotTheCurrent => "Not the password you have now".into(),
            Self::Extra(stated) => stated.text("en").to_owned(),
            Self::Unchecked => {
                "This password could not be checked just now. Try again in a few minutes".into()
            }
        }
    }
}

/// The stated requirements of all profiles that bind a person, the strictest of each kind.
pub fn requirements(profiles: &[PasswordProfile]) -> Vec<PasswordRequirement> {
    let classic = profiles.contains(&PasswordProfile::Classic);
    let nist = profiles.contains(&PasswordProfile::Nist) || !classic;
    let mut list = vec![PasswordRequirement::MinimumLength(if nist {
        15
    } else {
        8
    })];
    if classic {
        list.extend([
            PasswordRequirement::UpperCase,
            PasswordRequirement::LowerCase,
            PasswordRequirement::Digit,
            PasswordRequirement::Symbol,
        ]);
    }
    list.extend([
        PasswordRequirement::NotCommon,
        PasswordRequirement::NotAboutYou,
    ]);
    list
}

/// Takes `candidate` as a new password if it meets `requirements`.
///
/// `about` is what is known of the person: names, number, organizations, the host's context words.
///
/// # Errors
/// Every requirement it breaks, in the stated order.
pub fn accept(
    candidate: Password,
    requirements: &[PasswordRequirement],
    about: &[&str],
) -> Result<NewPassword, Vec<PasswordIssue>> {
    let text = candidate.expose();
    let issues: Vec<_> = requirements
        .iter()
        .copied()
        .filter(|requirement| !meets(text, *requirement, about))
        .collect();
    if issues.is_empty() {
        Ok(NewPassword::assertion(candidate))
    } else {
        Err(issues)
    }
}

fn meets(text: &str, requirement: PasswordRequirement, about: &[&str]) -> bool {
    match requirement {
        PasswordRequirement::MinimumLength(n) => text.chars().count() >= n,
        PasswordRequirement::UpperCase => text.bytes().any(|b| b.is_ascii_uppercase()),
        PasswordRequirement::LowerCase => text.bytes().any(|b| b.is_ascii_lowercase()),
        PasswordRequirement::Digit => text.bytes().any(|b| b.is_ascii_digit()),
        PasswordRequirement::Symbol => text.chars().any(|c| SYMBOLS.contains(c)),
        PasswordRequirement::NotCommon => !is_common(text),
        PasswordRequirement::NotAboutYou => !is_about(text, about),
        // Judged where the current password is at hand: `Portal::change_password`.
        PasswordRequirement::NotTheCurrent => true,
        // Judged by who stated it: `Portal::extra_issues`.
        PasswordRequirement::Extra(_) | PasswordRequirement::Unchecked => true,
    }
}

static BLOCKLIST: &str = include_str!("password_blocklist.txt");

/// Whether the password, or what is left of it without the digits and signs around it, without
/// repetition and with look-alikes read as letters, is among the passwords that are tried first (PW-07).
pub fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let core = lower.trim_matches(|c: char| !c.is_alphabetic());
    let plain = read_look_alikes(&lower);
    let plain_core = plain.trim_matches(|c: char| !c.is_alphabetic());
    [lower.as_str(), core, &plain, plain_core]
        .into_iter()
        .flat_map(|form| [form, one_period(form)])
        .any(is_listed)
        || lower
            .chars()
            .collect::<std::collections::BTreeSet<_>>()
            .len()
            <= 2
        || is_sequence(&lower)
}

fn is_listed(word: &str) -> bool {
    static SORTED: std::sync::OnceLock<Vec<&str>> = std::sync::OnceLock::new();
    let sorted = SORTED.get_or_init(|| {
        let mut words: Vec<_> = BLOCKLIST
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        words.sort_unstable();
        words
    });
    sorted.binary_search(&word).is_ok()
}

fn read_look_alikes(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect()
}

/// The shortest piece that `text` is a repetition of; itself if it is none.
fn one_period(text: &str) -> &str {
    let length = text.len();
    (1..=length / 2)
        .filter(|n| length.is_multiple_of(*n))
        .filter_map(|n| text.get(..n))
        .find(|piece| text.split(piece).all(str::is_empty))
        .unwrap_or(text)
}

/// A run along the alphabet, the digits or a keyboard row, once or again and again.
fn is_sequence(text: &str) -> bool {
    const RUNS: [&str; 6] = [
        "abcdefghijklmnopqrstuvwxyz",
        "01234567890123456789",
        "qwertyuiopasdfghjklzxcvbnm",
        "zyxwvutsrqponmlkjihgfedcba",
        "98765432109876543210",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    ];
    let piece = one_period(text);
    piece.len() >= 3 && RUNS.iter().any(|run| run.contains(piece))
}

/// Whether the password is one of the words about the person, or one of them with fewer than six
/// other letters or digits (PW-09).
pub fn is_about(password: &str, about: &[&str]) -> bool {
    const REST_MIN: usize = 6;
    let mut rest = canonical_name(password).to_string();
    let mut found = false;
    let mut words: Vec<_> = about.iter().map(|word| canonical_name(word)).collect();
    words.extend(
        about
            .iter()
            .flat_map(|text| text.split_whitespace().map(canonical_name)),
    );
    words.retain(|word| word.chars().count() >= 3);
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
    for word in &words {
        if rest.contains(word.as_str()) {
            found = true;
            rest = rest.replace(word.as_str(), "");
        }
    }
    let left = rest.chars().count();
    zeroize::Zeroize::zeroize(&mut rest);
    found && left < REST_MIN
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn issues(text: &str, profiles: &[PasswordProfile]) -> Vec<&'static str> {
        let about = ["Ada", "Byron", "S-1024", "Contoso High School"];
        accept(
            Password::parse(text).unwrap(),
            &requirements(profiles),
            &about,
        )
        .err()
        .unwrap_or_default()
        .into_iter()
        .map(PasswordRequirement::code)
        .collect()
    }

    const NIST: &[PasswordProfile] = &[PasswordProfile::Nist];
    const CLASSIC: &[PasswordProfile] = &[PasswordProfile::Classic];

    #[test]
    fn nist_asks_for_fifteen_characters_and_no_classes() {
        assert_eq!(issues("seven leagues o", NIST), [""; 0]);
        assert_eq!(issues("seven leagues ", NIST), ["minimum_length"]);
        // PW-04: one per code point.
        assert_eq!(
            issues("\u{1f600}\u{1f601}\u{1f602}sevenleagues", NIST),
            [""; 0]
        );
    }

    #[test]
    fn classic_asks_for_eight_characters_of_four_kinds() {
        assert_eq!(issues("Zebra#42", CLASSIC), [""; 0]);
        assert_eq!(issues("zebra 42", CLASSIC), ["upper_case", "symbol"]);
        assert_eq!(
            issues("ZEBRA", CLASSIC),
            ["minimum_length", "lower_case", "digit", "symbol"]
        );
    }

    #[test]
    fn who_belongs_to_both_meets_both() {
        let both = [PasswordProfile::Nist, PasswordProfile::Classic];
        assert_eq!(issues("Zebra#42", &both), ["minimum_length"]);
        assert_eq!(issues("Zebra#42 leagues", &both), [""; 0]);
    }

    #[test]
    fn pw07_every_listed_password_that_meets_the_length_is_refused() {
        let words: Vec<_> = BLOCKLIST
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert!(words.len() >= 3_000, "{}", words.len());
        for word in words {
            assert!(is_common(word), "{word} was taken");
        }
    }

    #[test]
    fn pw07_a_common_password_with_decoration_is_still_common() {
        for text in [
            "passwordpassword",
            "Password1234567",
            "P@ssw0rd!2026!!!",
            "qwertyuiopasdfghj",
            "aaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "123456789012345",
            "iloveyou iloveyou",
            "football#2026##",
        ] {
            assert!(
                is_common(text) || is_common(&text.replace(' ', "")),
                "{text} was taken"
            );
        }
        for text in [
            "seven leagues of lace",
            "correct horse battery",
            "tortoise under lamp",
        ] {
            assert!(!is_common(text), "{text} was refused");
        }
    }

    #[test]
    fn pw09_a_password_about_oneself_is_refused() {
        for text in [
            "S-1024 S-1024 2009",
            "adabyron adabyron",
            "Contoso High School",
            "ByronAda2012!!!",
        ] {
            assert_eq!(issues(text, NIST).last(), Some(&"not_about_you"), "{text}");
        }
        assert_eq!(issues("byron crossed the hellespont", NIST), [""; 0]);
    }

    proptest! {
        #[test]
        fn pw01_length_alone_decides_on_length(text in "[a-z]{1,40}") {
            let short = issues(&text, NIST).contains(&"minimum_length");
            prop_assert_eq!(short, text.len() < 15);
        }

        #[test]
        fn judging_never_panics(text in "\\PC{1,200}") {
            let _ = issues(&text, &[PasswordProfile::Nist, PasswordProfile::Classic]);
        }
    }
}
