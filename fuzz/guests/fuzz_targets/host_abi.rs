//! The fuzzer of what guests hand to their host. Built as usual, it runs the files named on the command
//! line. The properties are those of `adapters/wasm/tests/abi.rs`, which runs the corpus too.
#![cfg_attr(fuzzing, no_main)]

#[path = "../../../adapters/wasm/tests/support/mod.rs"]
mod support;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| support::border::host_abi(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        support::border::host_abi(&std::fs::read(&path)?);
        println!("{}: holds", path.display());
    }
    Ok(())
}
