//! How every store judges a change set: all operations against the state, before any is applied.

use super::{Cell, Change, ChangeSet, Commit, Expected, Key, Version};

/// What a store must be able to say of its state.
pub trait State {
    /// Why it could not.
    type Error;

    /// The version of a record that is there.
    ///
    /// # Errors
    /// It could not be read.
    fn version(&self, key: &Key) -> Result<Option<Version>, Self::Error>;

    /// Whether the event is there.
    ///
    /// # Errors
    /// It could not be read.
    fn has_event(&self, key: &Key) -> Result<bool, Self::Error>;

    /// The cell's value; 0 if it was never written.
    ///
    /// # Errors
    /// It could not be read.
    fn cell(&self, cell: &Cell) -> Result<u64, Self::Error>;
}

/// Why `changes` may not be applied to `state`; `None` if nothing speaks against them. First every
/// expectation is looked at, then every cap.
///
/// # Errors
/// The state could not be read.
pub fn refusal<S: State>(changes: &ChangeSet, state: &S) -> Result<Option<Commit>, S::Error> {
    for change in changes.changes() {
        if !is_as_expected(change, state)? {
            return Ok(Some(Commit::Conflict));
        }
    }
    for change in changes.changes() {
        if let Some(cell) = cell_above_cap(change, state)? {
            return Ok(Some(Commit::CapReached(cell.clone())));
        }
    }
    Ok(None)
}

fn is_as_expected<S: State>(change: &Change, state: &S) -> Result<bool, S::Error> {
    Ok(match change {
        Change::Put {
            key,
            expected: Expected::Absent,
            ..
        } => state.version(key)?.is_none(),
        Change::Put {
            key,
            expected: Expected::At(version),
            ..
        }
        | Change::Delete { key, version }
        | Change::Expect { key, version } => state.version(key)? == Some(*version),
        Change::Append { key, .. } => !state.has_event(key)?,
        Change::Add { .. }
        | Change::Raise { .. }
        | Change::DropCell { .. }
        | Change::DropEvent { .. } => true,
    })
}

fn cell_above_cap<'a, S: State>(
    change: &'a Change,
    state: &S,
) -> Result<Option<&'a Cell>, S::Error> {
    Ok(match change {
        Change::Add {
            cell,
            n,
            cap: Some(cap),
        } if *n > 0 && state.cell(cell)?.saturating_add_signed(*n) > *cap => Some(cell),
        _ => None,
    })
}
