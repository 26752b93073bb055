#![doc = include_str!("../README.md")]

mod cookie_header;
mod house;
mod record_decoding;
mod return_to;
mod roster_csv;

pub use cookie_header::cookie_header;
pub use record_decoding::record_decoding;
pub use return_to::return_to;
pub use roster_csv::roster_csv;

/// Asserts the properties of one border for one input.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its corpus too.
pub const TARGETS: [(&str, Target); 4] = [
    ("return_to", return_to),
    ("roster_csv", roster_csv),
    ("cookie_header", cookie_header),
    ("record_decoding", record_decoding),
];

/// Runs `target` over the files named on the command line: what a fuzzer found, without the fuzzer.
///
/// # Errors
/// A file cannot be read.
pub fn replay(target: Target) -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        target(&std::fs::read(&path)?);
        println!("{}: holds", path.display());
    }
    Ok(())
}
