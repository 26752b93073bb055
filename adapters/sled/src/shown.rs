//! What readers are shown: the tree as it was when it was flushed last.
//!
//! sled shows a transaction to everybody as soon as it is applied, flushed or not. So the writer notes,
//! before it applies a group, what each key of the group was; a reader that meets such a key takes the
//! note instead of the tree. After the flush the notes go.

use std::collections::BTreeMap;
use std::ops::Bound;

use sled::{IVec, Tree};

/// What keys were at an earlier moment; `None`: not there.
pub(crate) type Notes = BTreeMap<Vec<u8>, Option<IVec>>;

/// The value of `key` at the moment of the notes.
pub(crate) fn get(tree: &Tree, notes: &Notes, key: &[u8]) -> Result<Option<IVec>, sled::Error> {
    match notes.get(key) {
        Some(noted) => Ok(noted.clone()),
        None => tree.get(key),
    }
}

/// Keys and values that begin with `prefix`, in order, at the moment of the notes: those of the tree
/// and those of the notes, where a note counts before the tree.
pub(crate) fn range<'a>(
    tree: &Tree,
    notes: &'a Notes,
    prefix: &'a [u8],
    after: Option<&[u8]>,
) -> impl Iterator<Item = Result<(IVec, IVec), sled::Error>> + 'a {
    let from = match after {
        Some(after) if after >= prefix => Bound::Excluded(after.to_vec()),
        _ => Bound::Included(prefix.to_vec()),
    };
    let mut kept = tree
        .range((from.clone(), Bound::Unbounded))
        .take_while(move |found| {
            found
                .as_ref()
                .map_or(true, |(key, _)| key.starts_with(prefix))
        })
        .peekable();
    let mut noted = notes
        .range((from, Bound::Unbounded))
        .take_while(move |(key, _)| key.starts_with(prefix))
        .peekable();
    std::iter::from_fn(move || {
        loop {
            let Some((key, was)) = noted.peek() else {
                return kept.next();
            };
            match kept.peek() {
                Some(Ok((next, _))) if next.as_ref() < key.as_slice() => return kept.next(),
                Some(Err(_)) => return kept.next(),
                Some(Ok((next, _))) if next.as_ref() == key.as_slice() => {
                    kept.next();
                }
                _ => {}
            }
            let shown = Option::clone(was).map(|value| (IVec::from(key.as_slice()), value));
            noted.next();
            if let Some(shown) = shown {
                return Some(Ok(shown));
            }
        }
    })
}
