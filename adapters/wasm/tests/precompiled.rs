//! A host without a compiler runs what a host with one has installed: two builds, one folder between
//! them. `cargo xtask test wasm` runs the first, then the second without the feature `compile`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use narthex_wasm::{Host, HostOptions, InstallKey, PluginFolder};

const NAMES: [&str; 2] = ["no_mascot", "with_fuel"];

fn folder() -> PluginFolder {
    let path = PathBuf::from(std::env::var("NARTHEX_GUESTS").unwrap()).join("precompiled");
    PluginFolder::new(path, InstallKey::new([7; 32]), &["en", "es"])
}

fn host() -> Host {
    Host::start(HostOptions::default()).unwrap()
}

#[cfg(feature = "compile")]
#[test]
#[ignore = "needs built guests: cargo xtask test wasm"]
fn first_a_host_with_a_compiler_installs() {
    use narthex_core::hook::Code;
    use narthex_wasm::{AddOptions, Hook, Limits, pack};

    let guests = PathBuf::from(std::env::var("NARTHEX_GUESTS").unwrap());
    let module = PluginFolder::read_component(&guests.join("rust.wasm")).unwrap();
    let component = pack(&module, Hook::PasswordRule).unwrap();
    let folder = folder();
    for name in NAMES {
        if folder.manifest(name).is_ok() {
            folder.remove(name).unwrap();
        }
        let limits = Limits {
            fuel: (name == "with_fuel").then_some(50_000_000),
            ..Limits::default()
        };
        let options = AddOptions {
            name: Some(Code::parse(name).unwrap()),
            grants: vec![],
            limits,
            settings: [("words".to_owned(), "griffin".to_owned())].into(),
            digest: None,
            signed: None,
        };
        folder.add(&host(), &component, options).unwrap();
    }
}

#[cfg(not(feature = "compile"))]
#[test]
#[ignore = "needs what the first build installed: cargo xtask test wasm"]
fn then_a_host_without_one_runs_it_and_takes_nothing_else() {
    use futures_executor::block_on;
    use narthex_core::hook::{Candidate, PasswordRule as _, PasswordVerdict};
    use narthex_wasm::{GuestOptions, InstallError, LoadError};

    let (folder, host) = (folder(), host());
    let place = PathBuf::from(std::env::var("NARTHEX_GUESTS").unwrap()).join("precompiled");
    for (name, kind) in NAMES.into_iter().zip(["plain", "with-fuel"]) {
        let guest = folder.load(&host, name).unwrap();
        let said = |text| block_on(guest.check(Candidate::new(text))).unwrap();
        assert_eq!(said("a tortoise under the lamp"), PasswordVerdict::Meets);
        assert_ne!(said("the griffin was here"), PasswordVerdict::Meets);

        // One byte of the code is another: it is not run, and there is nothing to make it anew with.
        let compiled = place.join(name).join(format!("{kind}.cwasm"));
        let mut code = std::fs::read(&compiled).unwrap();
        let middle = code.len() / 2;
        code[middle] ^= 1;
        std::fs::write(&compiled, code).unwrap();
        let refused = folder.load(&host, name).unwrap_err();
        assert!(
            matches!(
                &refused,
                InstallError::Guest {
                    source: LoadError::Compiled,
                    ..
                }
            ),
            "{refused}"
        );
    }
    let component = std::fs::read(place.join(NAMES[0]).join("plugin.wasm")).unwrap();
    let name = folder.names().unwrap().remove(0);
    let uncompiled = host.load(&component, GuestOptions::new(name)).unwrap_err();
    assert!(matches!(uncompiled, LoadError::NoCompiler), "{uncompiled}");
}
