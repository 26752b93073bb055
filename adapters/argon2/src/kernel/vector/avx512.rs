//! Vectors of eight words: the whole block in sixteen registers.

use std::arch::x86_64::*;

use fearless_simd::prelude::*;
use fearless_simd::{Avx512, u64x8};

use crate::kernel::Words;

macro_rules! xor {
    ($a:expr, $b:expr) => {
        _mm512_xor_si512($a, $b)
    };
}
macro_rules! mix {
    ($a:expr, $b:expr) => {{
        let product = _mm512_mul_epu32($a, $b);
        _mm512_add_epi64(_mm512_add_epi64($a, $b), _mm512_add_epi64(product, product))
    }};
}
macro_rules! rotate_32 {
    ($a:expr) => {
        _mm512_ror_epi64::<32>($a)
    };
}
macro_rules! rotate_24 {
    ($a:expr) => {
        _mm512_ror_epi64::<24>($a)
    };
}
macro_rules! rotate_16 {
    ($a:expr) => {
        _mm512_ror_epi64::<16>($a)
    };
}
macro_rules! rotate_63 {
    ($a:expr) => {
        _mm512_ror_epi64::<63>($a)
    };
}
macro_rules! turn {
    ($order:literal, $a:expr) => {
        _mm512_permutex_epi64::<$order>($a)
    };
}
// The upper half of the first and the lower half of the second, of every 16 bytes.
macro_rules! halves {
    ($first:expr, $second:expr) => {
        _mm512_alignr_epi8::<8>($second, $first)
    };
}
macro_rules! join {
    ($half:ident, $a:expr, $b:expr) => {
        _mm512_shuffle_i64x2::<$half>($a, $b)
    };
}

const LOWER: i32 = 0b01_00_01_00;
const UPPER: i32 = 0b11_10_11_10;

/// Two rows at once: four words of each make a vector.
macro_rules! two_rows {
    ($p0:ident $p1:ident $q0:ident $q1:ident) => {
        let (mut a, mut b) = (join!(LOWER, $p0, $q0), join!(UPPER, $p0, $q0));
        let (mut c, mut d) = (join!(LOWER, $p1, $q1), join!(UPPER, $p1, $q1));
        round_of_rows!(a b c d);
        ($p0, $q0) = (join!(LOWER, a, b), join!(UPPER, a, b));
        ($p1, $q1) = (join!(LOWER, c, d), join!(UPPER, c, d));
    };
}

fearless_simd::kernel!(
    pub(super) fn compress(
        token: Avx512,
        state: &mut Words,
        other: &Words,
        out: &mut Words,
        add: bool,
    ) {
        let (state, _) = state.as_chunks_mut::<8>();
        let (other, _) = other.as_chunks::<8>();
        let (out, _) = out.as_chunks_mut::<8>();
        let mut v = [_mm512_setzero_si512(); 16];
        for (((v, state), other), out) in v.iter_mut().zip(&mut *state).zip(other).zip(&mut *out) {
            let sum = u64x8::from_slice(token, state) ^ u64x8::from_slice(token, other);
            *v = sum.into();
            let keep = if add {
                sum ^ u64x8::from_slice(token, out)
            } else {
                sum
            };
            keep.store_slice(out);
        }
        let [
            mut v0,
            mut v1,
            mut v2,
            mut v3,
            mut v4,
            mut v5,
            mut v6,
            mut v7,
            mut v8,
            mut v9,
            mut va,
            mut vb,
            mut vc,
            mut vd,
            mut ve,
            mut vf,
        ] = v;
        two_rows!(v0 v1 v2 v3);
        two_rows!(v4 v5 v6 v7);
        two_rows!(v8 v9 va vb);
        two_rows!(vc vd ve vf);
        round_of_columns!(v0 v2 v4 v6 v8 va vc ve);
        round_of_columns!(v1 v3 v5 v7 v9 vb vd vf);
        let v = [
            v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, va, vb, vc, vd, ve, vf,
        ];
        for ((v, state), out) in v.into_iter().zip(state).zip(out) {
            let v: u64x8<Avx512> = v.simd_into(token);
            let block = v ^ u64x8::from_slice(token, out);
            block.store_slice(out);
            block.store_slice(state);
        }
    }
);
