//! Keys: printable ASCII paths in one of three spaces.

use std::fmt;

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 512;

/// Which kind of thing a key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Versioned values.
    Records,
    /// `u64` without a version.
    Cells,
    /// Appended once.
    Events,
}

/// Names a record or an event (or, in a scan, a cell).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    space: Space,
    path: String,
}

impl Key {
    /// The key `path` in `space`.
    pub fn new(space: Space, path: impl Into<String>) -> Self {
        Self {
            space,
            path: path.into(),
        }
    }

    /// The key of a record.
    pub fn record(path: impl Into<String>) -> Self {
        Self::new(Space::Records, path)
    }

    /// The key of an event.
    pub fn event(path: impl Into<String>) -> Self {
        Self::new(Space::Events, path)
    }

    /// The space.
    pub fn space(&self) -> Space {
        self.space
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// 1 to [`KEY_BYTES_MAX`] bytes of printable ASCII without spaces.
    pub fn is_valid(&self) -> bool {
        path_is_valid(&self.path)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{}", self.space, self.path)
    }
}

/// Names a cell.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell(String);

impl Cell {
    /// The cell at `path`.
    pub fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.0
    }

    /// As for [`Key::is_valid`].
    pub fn is_valid(&self) -> bool {
        path_is_valid(&self.0)
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell:{}", self.0)
    }
}

fn path_is_valid(path: &str) -> bool {
    (1..=KEY_BYTES_MAX).contains(&path.len()) && path.bytes().all(|b| b.is_ascii_graphic())
}
