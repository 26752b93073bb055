//! The fuzzer of `cookie_header`. Built as usual, it runs the files named on the command line.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| narthex_fuzz::cookie_header(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    narthex_fuzz::replay(narthex_fuzz::cookie_header)
}
