//! What a browser keeps of the accounts that were logged in to in it: it opens a lane, and proves nobody.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use crate::model::Timestamp;

/// Accounts a browser is known for at a time: brothers and sisters at one computer.
pub const KNOWN_ACCOUNTS_MAX: usize = 4;

const ID_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const MARK_BYTES: usize = ID_BYTES + 8 + TAG_BYTES;

/// One account's mark: a random id that names the lane, when it was earned, and a keyed tag that binds
/// both to the account's entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownMark {
    pub(crate) id: [u8; ID_BYTES],
    pub(crate) earned_at: Timestamp,
    pub(crate) tag: [u8; TAG_BYTES],
}

/// The value of the known-browser cookie: opaque outside of the portal.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KnownBrowser(Vec<KnownMark>);

impl fmt::Debug for KnownBrowser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownBrowser(hidden)")
    }
}

impl KnownBrowser {
    /// From a cookie. Whether a mark was made here is looked at where it is used.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let fits = bytes.len().is_multiple_of(MARK_BYTES)
            && (1..=KNOWN_ACCOUNTS_MAX).contains(&(bytes.len() / MARK_BYTES));
        if !fits {
            return None;
        }
        let marks = bytes.chunks_exact(MARK_BYTES).map(|mark| {
            let (id, rest) = mark.split_first_chunk()?;
            let (at, rest) = rest.split_first_chunk()?;
            let (tag, _) = rest.split_first_chunk()?;
            Some(KnownMark {
                id: *id,
                earned_at: Timestamp::from_millis(u64::from_le_bytes(*at)),
                tag: *tag,
            })
        });
        marks.collect::<Option<_>>().map(Self)
    }

    /// For the cookie, and for nothing else.
    pub fn expose(&self) -> String {
        let mut bytes = Vec::with_capacity(self.0.len() * MARK_BYTES);
        for mark in &self.0 {
            bytes.extend_from_slice(&mark.id);
            bytes.extend_from_slice(&mark.earned_at.as_millis().to_le_bytes());
            bytes.extend_from_slice(&mark.tag);
        }
        BASE64URL_NOPAD.encode(&bytes)
    }

    pub(crate) fn marks(&self) -> &[KnownMark] {
        &self.0
    }

    /// With `mark` first, instead of `replaced`; the oldest leave.
    pub(crate) fn with(&self, mark: KnownMark, replaced: Option<&KnownMark>) -> Self {
        let others = self.0.iter().filter(|other| Some(*other) != replaced);
        let marks = std::iter::once(&mark).chain(others);
        Self(marks.take(KNOWN_ACCOUNTS_MAX).copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(fill: u8) -> KnownMark {
        KnownMark {
            id: [fill; 16],
            earned_at: Timestamp::from_millis(u64::from(fill)),
            tag: [fill; 16],
        }
    }

    #[test]
    fn the_newest_accounts_are_kept_and_each_once() {
        let mut known = KnownBrowser::default();
        for n in 1..=6 {
            known = known.with(mark(n), None);
        }
        assert!(known.marks() == [mark(6), mark(5), mark(4), mark(3)]);
        let renewed = known.with(mark(9), Some(&mark(4)));
        assert!(renewed.marks() == [mark(9), mark(6), mark(5), mark(3)]);
        assert_eq!(KnownBrowser::parse(&renewed.expose()), Some(renewed));
    }

    #[test]
    fn what_is_no_cookie_of_ours_is_none() {
        let one = KnownBrowser::default().with(mark(1), None).expose();
        for wrong in ["", "abc", &one[1..], &format!("{one}A"), &one.repeat(5)] {
            assert_eq!(KnownBrowser::parse(wrong), None, "{wrong}");
        }
    }
}
