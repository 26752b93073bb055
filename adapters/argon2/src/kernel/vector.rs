//! The block function G (RFC 9106, 3.5) on vectors.
//!
//! A block is 8 rows of 16 words. G is BLAKE2b's round without message, with a multiplication in
//! it, over each row and then over each column, where a column is two words wide. The rounds are
//! written once, as macros over the operations `mix`, `xor`, `rotate_*`, `turn` and `halves`, which
//! each instruction set has under other names.

use fearless_simd::{Avx2, Avx512, Level};

use super::Words;

/// The inner step on four vectors: each word of `a` with the words of `b`, `c`, `d` at its place.
macro_rules! step {
    ($a:ident $b:ident $c:ident $d:ident) => {
        $a = mix!($a, $b);
        $d = rotate_32!(xor!($d, $a));
        $c = mix!($c, $d);
        $b = rotate_24!(xor!($b, $c));
        $a = mix!($a, $b);
        $d = rotate_16!(xor!($d, $a));
        $c = mix!($c, $d);
        $b = rotate_63!(xor!($b, $c));
    };
}

/// The round on rows: a vector has four words of a row, and as many rows as fit. Columns of the
/// 4 by 4 square first, then its diagonals, brought below each other by turning.
macro_rules! round_of_rows {
    ($a:ident $b:ident $c:ident $d:ident) => {
        step!($a $b $c $d);
        $b = turn!(0b00_11_10_01, $b);
        $c = turn!(0b01_00_11_10, $c);
        $d = turn!(0b10_01_00_11, $d);
        step!($a $b $c $d);
        $b = turn!(0b10_01_00_11, $b);
        $c = turn!(0b01_00_11_10, $c);
        $d = turn!(0b00_11_10_01, $d);
    };
}

/// The round on columns: a vector has two words of a column, and as many columns as fit; so each
/// letter takes two vectors, and a diagonal is the neighbours' halves.
macro_rules! round_of_columns {
    ($a0:ident $a1:ident $b0:ident $b1:ident $c0:ident $c1:ident $d0:ident $d1:ident) => {
        step!($a0 $b0 $c0 $d0);
        step!($a1 $b1 $c1 $d1);
        let (mut e0, mut e1) = (halves!($b0, $b1), halves!($b1, $b0));
        let (mut f0, mut f1) = (halves!($d1, $d0), halves!($d0, $d1));
        step!($a0 e0 $c1 f0);
        step!($a1 e1 $c0 f1);
        ($b0, $b1) = (halves!(e1, e0), halves!(e0, e1));
        ($d0, $d1) = (halves!(f0, f1), halves!(f1, f0));
    };
}

mod avx2;
mod avx512;

/// A vector unit that this machine has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compress {
    Avx512(Avx512),
    Avx2(Avx2),
}

impl Compress {
    /// What this machine has, best first.
    pub(crate) fn of_this_machine() -> impl Iterator<Item = Self> {
        let level = Level::new();
        let wide = level.as_avx512().map(Self::Avx512);
        wide.into_iter().chain(level.as_avx2().map(Self::Avx2))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Avx512(_) => "AVX-512",
            Self::Avx2(_) => "AVX2",
        }
    }

    /// `state` = `out` = G(`state`, `other`), to which the old `out` is added if `add`.
    #[inline]
    pub(super) fn run(self, state: &mut Words, other: &Words, out: &mut Words, add: bool) {
        match self {
            Self::Avx512(token) => avx512::compress(token, state, other, out, add),
            Self::Avx2(token) => avx2::compress(token, state, other, out, add),
        }
    }
}
