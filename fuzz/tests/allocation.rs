//! A damaged length costs nothing: decoding allocates by what is there, not by what is promised.

mod common;

use common::seeds;
use narthex_fuzz::record_decoding;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// For 11 kinds of records, each decoded, encoded, compared and decoded again.
const BYTES_PER_BYTE_MAX: usize = 200;
const BYTES_MAX: usize = 16 << 10;

// Alone in its process: other tests would be counted too.
#[test]
fn a_length_that_promises_gigabytes_allocates_nothing() {
    let mut region = Region::new(ALLOCATOR);
    for seed in seeds("record_decoding") {
        for at in 0..seed.bytes.len().saturating_sub(3) {
            for length in [u32::MAX, 1 << 31, 1 << 24] {
                let mut bytes = seed.bytes.clone();
                bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
                region.reset();
                record_decoding(&bytes);
                let allocated = region.change().bytes_allocated;
                let allowed = BYTES_MAX + BYTES_PER_BYTE_MAX * bytes.len();
                assert!(
                    allocated <= allowed,
                    "{allocated} bytes for {} with {length} at {at}",
                    seed.name
                );
            }
        }
    }
}
