//! The canonical form of what people type about themselves.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use zeroize::Zeroizing;

/// A name without what people write differently: NFKC, lower case, no accents, hyphens, apostrophes,
/// full stops or spaces. Letters that are not an accented form of another are spelled out (ß as ss, ø as
/// o), as keyboards and older student systems do.
pub fn canonical_name(text: &str) -> Zeroizing<String> {
    canonical(text, |c| c.is_alphanumeric())
}

/// An answer without what nobody remembers: as a name.
pub fn canonical_answer(text: &str) -> Zeroizing<String> {
    canonical_name(text)
}

fn canonical(text: &str, keep: impl Fn(char) -> bool) -> Zeroizing<String> {
    // Reserved beforehand: a growing string would leave copies of its beginnings behind.
    let mut out = Zeroizing::new(String::with_capacity(4 * text.len() + 64));
    for c in text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
    {
        match c {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ø' => out.push('o'),
            'đ' | 'ð' => out.push('d'),
            'ł' => out.push('l'),
            'ħ' => out.push('h'),
            'ı' => out.push('i'),
            'þ' => out.push_str("th"),
            // Lower-casing İ leaves a combining dot behind.
            c if keep(c) && !is_combining_mark(c) => out.push(c),
            _ => {}
        }
    }
    out
}

/// `text` with white space at the ends taken off, runs of it made one space, and characters that nobody
/// can see (controls, bidirectional overrides) taken out (A44).
pub fn tidy(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .collect();
    visible
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cl08_case_accents_hyphens_apostrophes_and_spaces_do_not_matter() {
        for (typed, listed) in [
            ("josé", "JOSE"),
            ("Mary Ann", "mary-ann"),
            ("O’Brien", "o'brien"),
            ("DE LA GARZA QUIROZ", "de la Garza-Quiroz"),
            ("Łukasz", "lukasz"),
            ("Strauß", "STRAUSS"),
            ("İpek", "ipek"),
            ("ﬁona", "Fiona"),
            (" St. John ", "St John"),
        ] {
            assert_eq!(
                canonical_name(typed),
                canonical_name(listed),
                "{typed} / {listed}"
            );
        }
    }

    #[test]
    fn different_names_stay_different() {
        for (a, b) in [
            ("Ann", "Anna"),
            ("Lee", "Li"),
            ("张伟", "张炜"),
            ("Иван", "Ivan"),
        ] {
            assert_ne!(canonical_name(a), canonical_name(b));
        }
        assert!(canonical_name("-- ' .").is_empty());
    }

    #[test]
    fn a44_what_nobody_can_see_is_taken_out() {
        assert_eq!(tidy(" Ada\u{202e}\u{0}\tByron \u{200b} "), "Ada Byron");
    }
}
