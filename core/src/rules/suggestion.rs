//! A new password for who asks for one: a few words by chance, made to meet the stated requirements.
//!
//! Four words of a list of 2,048 are 44 bits: more than anybody guesses at a log-in that counts tries.
//! A capital letter, a digit or a sign that a profile asks for adds length, and no bit is counted for it.

use zeroize::Zeroizing;

use crate::rules::password::PasswordRequirement;

/// Chance in one word, in bits.
pub const WORD_BITS: u32 = 11;
/// Words that a list has: each is drawn as often as any other.
pub const LIST_WORDS: usize = 1 << WORD_BITS;
/// Words of a suggestion; more where they are too short for the stated length.
pub const SUGGESTED_WORDS: usize = 4;

/// Words that one suggestion can have.
const WORDS_MAX: usize = 8;

/// Randomness for one suggestion, in bytes: two for each word, one for the digit.
pub const SUGGESTION_BYTES: usize = 2 * WORDS_MAX + 1;

/// Makes a password of words of `list` that meets `requirements`.
///
/// `None`: the list is shorter than [`LIST_WORDS`], or its words are too short for the stated length.
pub fn suggest(
    list: &[&str],
    requirements: &[PasswordRequirement],
    random: &[u8; SUGGESTION_BYTES],
) -> Option<Zeroizing<String>> {
    let asks = |wanted| requirements.contains(&wanted);
    let joint = if asks(PasswordRequirement::Symbol) {
        '_'
    } else {
        '-'
    };
    let length = requirements.iter().map(|requirement| match requirement {
        PasswordRequirement::MinimumLength(n) => *n,
        _ => 0,
    });
    let length = length.max().unwrap_or(0);
    let mut text = Zeroizing::new(String::with_capacity(128));
    let (words, digit) = random.split_at(2 * WORDS_MAX);
    for (i, bytes) in words.chunks_exact(2).enumerate() {
        if i >= SUGGESTED_WORDS && text.chars().count() >= length {
            break;
        }
        let [low, high] = bytes.try_into().ok()?;
        let word = list.get(usize::from(u16::from_le_bytes([low, high])) % LIST_WORDS)?;
        if i > 0 {
            text.push(joint);
        }
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if i == 0 && asks(PasswordRequirement::UpperCase) => {
                text.extend(first.to_uppercase());
            }
            first => text.extend(first),
        }
        text.push_str(letters.as_str());
    }
    if asks(PasswordRequirement::Digit) {
        let digit = digit.first().map_or(0, |byte| byte % 10);
        text.push(char::from(b'0' + digit));
    }
    (text.chars().count() >= length).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PasswordProfile;
    use crate::rules::password::{accept, requirements};
    use crate::secret::Password;

    /// `aaa`, `aab`, ...: the shortest words a list may have.
    fn list() -> Vec<String> {
        let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
        let word = |n: usize| {
            [letter(n / 676), letter(n / 26), letter(n)]
                .iter()
                .collect()
        };
        (0..LIST_WORDS).map(word).collect()
    }

    #[test]
    fn pw_every_suggestion_meets_the_stated_requirements() {
        let list = list();
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        for profiles in [
            &[PasswordProfile::Nist][..],
            &[PasswordProfile::Classic],
            &[PasswordProfile::Nist, PasswordProfile::Classic],
        ] {
            let stated = requirements(profiles);
            for seed in 1_u16..500 {
                let random = std::array::from_fn(|i| {
                    let mixed = seed
                        .wrapping_mul(40_503)
                        .rotate_left(u32::try_from(i).unwrap());
                    mixed.to_le_bytes()[i % 2]
                });
                let said = suggest(&list, &stated, &random).unwrap();
                let password = Password::parse(&said).unwrap();
                assert!(accept(password, &stated, &[]).is_ok(), "{}", *said);
                assert!(said.split(['-', '_']).count() >= SUGGESTED_WORDS);
            }
        }
    }

    #[test]
    fn what_is_drawn_decides_every_word_and_each_word_of_the_list_can_come() {
        let list = list();
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..u16::try_from(LIST_WORDS).unwrap() {
            let mut random = [0; SUGGESTION_BYTES];
            random[..2].copy_from_slice(&n.to_le_bytes());
            let said = suggest(&list, &[], &random).unwrap();
            seen.insert(said.split('-').next().unwrap().to_owned());
        }
        assert_eq!(seen.len(), LIST_WORDS);
    }

    #[test]
    fn a_short_list_suggests_nothing() {
        let random = [0xff; SUGGESTION_BYTES];
        assert!(suggest(&["only", "four", "words", "here"], &[], &random).is_none());
    }
}
