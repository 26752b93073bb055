//! Text from outside: names as people write them, and values as findings show them.

use crate::date::looks_like_date;

/// Longest name that is taken, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 200;
/// Longest value a finding shows, in characters.
const SHOWN_CHARS_MAX: usize = 80;
/// What stands in the place of a secret value.
pub(crate) const MASK: &str = "****";

/// A name after tidying.
pub(crate) struct Tidied {
    /// Trimmed, runs of white space made one space, characters that do not print taken out.
    pub(crate) text: String,
    /// Whether characters were taken out.
    pub(crate) stripped: bool,
}

/// Keeps a name as written, but for white space and for characters that hide or reorder text.
pub(crate) fn tidy(text: &str) -> Tidied {
    let mut tidied = String::with_capacity(text.len());
    let mut stripped = false;
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = true;
        } else if is_hidden(c) {
            stripped = true;
        } else {
            if gap && !tidied.is_empty() {
                tidied.push(' ');
            }
            gap = false;
            tidied.push(c);
        }
    }
    Tidied {
        text: tidied,
        stripped,
    }
}

/// Characters with no place in a name: controls, marks that reorder text, invisible fillers and
/// tags. The two joiners U+200C and U+200D stay: Persian and Indic names are spelled with them.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A value fit for a terminal and a log: hidden characters escaped, cut, dates masked.
pub(crate) fn shown(text: &str) -> String {
    if looks_like_date(text) {
        return MASK.to_owned();
    }
    let mut shown = String::new();
    let mut length = 0;
    for c in text.chars() {
        let piece: String = if is_hidden(c) {
            c.escape_unicode().collect()
        } else {
            c.into()
        };
        length += piece.chars().count();
        if length > SHOWN_CHARS_MAX {
            return cut(&shown);
        }
        shown.push_str(&piece);
    }
    shown
}

fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(SHOWN_CHARS_MAX - 1).collect();
    cut.push('…');
    cut
}

/// A mail address that can be shown to people; no promise that it exists.
pub(crate) fn is_mail_address(text: &str) -> bool {
    let printable = |c: char| !c.is_whitespace() && !is_hidden(c) && !"<>\"".contains(c);
    text.len() <= 254
        && text.chars().all(printable)
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}

/// Header names and words compared without case, spaces and punctuation.
pub(crate) fn folded(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_as_written_with_white_space_tidied() {
        for name in [
            "DE LA GARZA QUIROZ",
            "O'Neil-Smith",
            "Łucja",
            "ni\u{f1}o",
            "می\u{200c}خواهم",
        ] {
            assert_eq!(tidy(name).text, name);
            assert!(!tidy(name).stripped);
        }
        assert_eq!(tidy("  Ora \t\r\n Mae\u{a0}").text, "Ora Mae");
    }

    #[test]
    fn controls_bidi_marks_and_fillers_are_taken_out_of_names() {
        for hidden in [
            '\0',
            '\u{1b}',
            '\u{7f}',
            '\u{202e}',
            '\u{2066}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            let tidied = tidy(&format!("Or{hidden}a"));
            assert_eq!(tidied.text, "Ora");
            assert!(tidied.stripped);
        }
        assert_eq!(tidy("\u{202e}\0").text, "");
    }

    #[test]
    fn shown_values_are_escaped_cut_at_80_and_never_dates() {
        assert_eq!(shown("a\u{1b}[31m"), "a\\u{1b}[31m");
        assert_eq!(shown("born 4/2/2000"), MASK);
        let long = shown(&"x".repeat(81));
        assert_eq!(long.chars().count(), 80);
        assert!(long.ends_with('…'));
        assert_eq!(shown(&"x".repeat(80)), "x".repeat(80));
        assert!(shown(&"\0".repeat(500)).chars().count() <= 80);
    }

    #[test]
    fn a_mail_address_has_one_at_sign_and_nothing_that_hides() {
        assert!(is_mail_address("a.roebuck@school.example"));
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a@b@c",
            "a@b\u{202e}",
            "<a@b>",
        ] {
            assert!(!is_mail_address(bad), "{bad}");
        }
    }
}
