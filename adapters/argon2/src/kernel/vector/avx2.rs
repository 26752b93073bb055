//! Vectors of four words: eight registers at a time.

use std::arch::x86_64::*;

use fearless_simd::prelude::*;
use fearless_simd::{Avx2, u64x4};

use crate::kernel::Words;

macro_rules! xor {
    ($a:expr, $b:expr) => {
        _mm256_xor_si256($a, $b)
    };
}
macro_rules! mix {
    ($a:expr, $b:expr) => {{
        let product = _mm256_mul_epu32($a, $b);
        _mm256_add_epi64(_mm256_add_epi64($a, $b), _mm256_add_epi64(product, product))
    }};
}
macro_rules! rotate_32 {
    ($a:expr) => {
        _mm256_shuffle_epi32::<0b10_11_00_01>($a)
    };
}
macro_rules! rotate_24 {
    ($a:expr) => {
        _mm256_shuffle_epi8($a, bytes!(3 4 5 6 7 0 1 2))
    };
}
macro_rules! rotate_16 {
    ($a:expr) => {
        _mm256_shuffle_epi8($a, bytes!(2 3 4 5 6 7 0 1))
    };
}
macro_rules! rotate_63 {
    ($a:expr) => {{
        let a = $a;
        _mm256_xor_si256(_mm256_srli_epi64::<63>(a), _mm256_add_epi64(a, a))
    }};
}
/// This order of its bytes for every word; a shuffle counts within 16 bytes.
macro_rules! bytes {
    ($($b:literal)*) => {
        _mm256_setr_epi8($($b,)* $(8 + $b,)* $($b,)* $(8 + $b,)*)
    };
}
macro_rules! turn {
    ($order:literal, $a:expr) => {
        _mm256_permute4x64_epi64::<$order>($a)
    };
}
/// The upper half of the first and the lower half of the second, of every 16 bytes.
macro_rules! halves {
    ($first:expr, $second:expr) => {
        _mm256_alignr_epi8::<8>($second, $first)
    };
}

fearless_simd::kernel!(
    pub(super) fn compress(
        token: Avx2,
        state: &mut Words,
        other: &Words,
        out: &mut Words,
        add: bool,
    ) {
        let (state, _) = state.as_chunks_mut::<4>();
        let (other, _) = other.as_chunks::<4>();
        let (out, _) = out.as_chunks_mut::<4>();
        let mut v = [_mm256_setzero_si256(); 32];
        for (((v, state), other), out) in v.iter_mut().zip(&mut *state).zip(other).zip(&mut *out) {
            let sum = u64x4::from_slice(token, state) ^ u64x4::from_slice(token, other);
            *v = sum.into();
            let keep = if add {
                sum ^ u64x4::from_slice(token, out)
            } else {
                sum
            };
            keep.store_slice(out);
        }
        for row in v.as_chunks_mut::<4>().0 {
            let [mut a, mut b, mut c, mut d] = *row;
            round_of_rows!(a b c d);
            *row = [a, b, c, d];
        }
        for at in 0..4 {
            let mut column = [_mm256_setzero_si256(); 8];
            for (word, row) in column.iter_mut().zip(v.as_chunks::<4>().0) {
                if let Some(found) = row.get(at) {
                    *word = *found;
                }
            }
            let [
                mut a0,
                mut a1,
                mut b0,
                mut b1,
                mut c0,
                mut c1,
                mut d0,
                mut d1,
            ] = column;
            round_of_columns!(a0 a1 b0 b1 c0 c1 d0 d1);
            let column = [a0, a1, b0, b1, c0, c1, d0, d1];
            for (word, row) in column.into_iter().zip(v.as_chunks_mut::<4>().0) {
                if let Some(place) = row.get_mut(at) {
                    *place = word;
                }
            }
        }
        for ((v, state), out) in v.into_iter().zip(state).zip(out) {
            let v: u64x4<Avx2> = v.simd_into(token);
            let block = v ^ u64x4::from_slice(token, out);
            block.store_slice(out);
            block.store_slice(state);
        }
    }
);
