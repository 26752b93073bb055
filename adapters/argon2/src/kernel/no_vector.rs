//! No vector unit is known for this architecture: crate `argon2` does the work.

use super::Words;

/// There is none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compress {}

impl Compress {
    pub(crate) fn of_this_machine() -> impl Iterator<Item = Self> {
        std::iter::empty()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {}
    }

    pub(super) fn run(self, _: &mut Words, _: &Words, _: &mut Words, _: bool) {
        match self {}
    }
}
