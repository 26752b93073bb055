//! The capability `log`.

use wasmtime::component::{ComponentType, Lift, Linker};

use crate::hook::{Capability, interface};
use crate::room::Room;

/// The longest line that is written, in bytes.
const LINE_BYTES_MAX: usize = 512;

#[expect(dead_code, reason = "only guests make one")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
enum Level {
    #[component(name = "info")]
    Info,
    #[component(name = "warning")]
    Warning,
    #[component(name = "error")]
    Error,
}

/// Puts `narthex:portal/log` into the linker.
pub(crate) fn add(linker: &mut Linker<Room>) -> wasmtime::Result<()> {
    let mut instance = linker.instance(&interface(Capability::Log.code()))?;
    instance.func_wrap("write", |mut store, (level, line): (Level, String)| {
        let room = store.data_mut();
        room.call_host()?;
        let (plugin, line) = (room.plugin.as_str(), plain(&line));
        match level {
            Level::Info => tracing::info!(target: "narthex::plugin", plugin, "{line}"),
            Level::Warning => tracing::warn!(target: "narthex::plugin", plugin, "{line}"),
            Level::Error => tracing::error!(target: "narthex::plugin", plugin, "{line}"),
        }
        Ok(())
    })
}

/// One line, whatever was given (LG-04).
fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len().min(LINE_BYTES_MAX));
    for c in line.chars() {
        if plain.len() + c.len_utf8() > LINE_BYTES_MAX {
            break;
        }
        plain.push(if c.is_control() { ' ' } else { c });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lg04_a_line_of_a_guest_is_one_line_and_not_too_long() {
        assert_eq!(plain("a\r\nb\u{1b}[31m\tc"), "a  b [31m c");
        assert_eq!(plain(&"é".repeat(400)).len(), 512);
    }
}
