//! Installed plugins: the digest that was looked at, grants that were written down, code that was
//! compiled here. Whoever can write the folder can take a plugin away, and nothing else.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use narthex_wasm::{
    AddOptions, AuthorKey, Capability, Digest, Guest, Hook, InstallError, InstallKey, Limits,
    PluginFolder, SIGNATURE_BYTES_MAX, SignatureError, Signed,
};
use support::{Came, ask, code, host, packed, wild};

struct House {
    folder: tempfile::TempDir,
    plugins: PluginFolder,
}

fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let plugins = with_key(folder.path(), 7);
    House { folder, plugins }
}

fn with_key(path: &Path, key: u8) -> PluginFolder {
    PluginFolder::new(
        path.join("plugins"),
        InstallKey::new([key; 32]),
        &["en", "es"],
    )
}

fn options(name: &str, hook: Hook) -> AddOptions {
    AddOptions {
        name: Some(code(name)),
        grants: hook.grantable().to_vec(),
        limits: Limits::default(),
        settings: BTreeMap::new(),
        digest: None,
        signed: None,
    }
}

impl House {
    fn add(&self, name: &str, hook: Hook) {
        let component = packed(hook, &wild(hook));
        self.plugins
            .add(host(), &component, options(name, hook))
            .unwrap();
    }

    fn file(&self, plugin: &str, extension: &str) -> PathBuf {
        let place = self.folder.path().join("plugins").join(plugin);
        let found = fs::read_dir(place).unwrap().map(|e| e.unwrap().path());
        let mut found = found.filter(|p| p.extension().is_some_and(|e| e == extension));
        found.next().unwrap()
    }

    fn load(&self, name: &str) -> Result<Arc<Guest>, InstallError> {
        self.plugins.load(host(), name).map(Arc::new)
    }
}

#[test]
fn a_plugin_is_examined_added_listed_loaded_disabled_and_removed() {
    let house = house();
    let hook = Hook::LogInOpinion;
    let component = packed(hook, &wild(hook));
    let report = PluginFolder::examine(host(), &component, &Limits::default()).unwrap();
    assert_eq!((report.hook, report.asks), (hook, vec![Capability::Log]));
    assert_eq!(report.digest, Digest::of(&component));
    assert_eq!(report.description.summary, "A fixture.");
    assert_eq!(house.plugins.names().unwrap(), []);

    let told = AddOptions {
        name: None,
        ..options("x", hook)
    };
    let manifest = house.plugins.add(host(), &component, told).unwrap();
    assert_eq!(manifest.name.as_str(), "guest", "the name it tells");
    assert_eq!(house.plugins.manifest("guest").unwrap(), manifest);
    let again = house
        .plugins
        .add(host(), &component, options("guest", hook))
        .unwrap_err();
    assert!(matches!(again, InstallError::Exists(_)), "{again}");
    house.add("rule", Hook::PasswordRule);
    let names = house.plugins.names().unwrap();
    assert_eq!(names, [code("guest"), code("rule")]);

    let (hooks, guests) = house.plugins.hooks(host()).unwrap();
    assert_eq!(
        (hooks.log_in_opinions.len(), hooks.password_rules.len()),
        (1, 1)
    );
    assert_eq!(ask(&guests[0], "good"), Came::Good);
    house.plugins.set_disabled("guest", true).unwrap();
    assert!(house.plugins.is_disabled(&code("guest")));
    let (hooks, _) = house.plugins.hooks(host()).unwrap();
    assert_eq!(
        (hooks.log_in_opinions.len(), hooks.password_rules.len()),
        (0, 1)
    );
    house.plugins.set_disabled("guest", false).unwrap();
    house.plugins.set_disabled("guest", false).unwrap();
    house.plugins.remove("guest").unwrap();
    assert_eq!(house.plugins.names().unwrap(), [code("rule")]);
    for name in ["guest", "../rule", "", "No Name", ".rule.new"] {
        let unknown = house.plugins.manifest(name).unwrap_err();
        assert!(
            matches!(unknown, InstallError::Unknown(_)),
            "{name}: {unknown}"
        );
    }
}

#[test]
fn another_component_than_the_operator_expects_is_not_installed_and_leaves_nothing() {
    let house = house();
    let hook = Hook::LogInOpinion;
    let component = packed(hook, &wild(hook));
    let expected = AddOptions {
        digest: Some(Digest::of(b"another")),
        ..options("guest", hook)
    };
    let error = house.plugins.add(host(), &component, expected).unwrap_err();
    assert!(matches!(error, InstallError::OtherDigest { .. }), "{error}");
    let ungranted = AddOptions {
        grants: vec![],
        ..options("guest", hook)
    };
    let error = house
        .plugins
        .add(host(), &component, ungranted)
        .unwrap_err();
    assert!(error.to_string().contains("--grant log"), "{error}");
    let settings = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    let settled = AddOptions {
        settings,
        ..options("guest", hook)
    };
    let error = house.plugins.add(host(), &component, settled).unwrap_err();
    assert!(error.to_string().contains("no settings, please"), "{error}");
    let big = BTreeMap::from([("a".to_owned(), "b".repeat(Limits::SETTINGS_BYTES_MAX))]);
    let settled = AddOptions {
        settings: big,
        ..options("guest", hook)
    };
    let error = house.plugins.add(host(), &component, settled).unwrap_err();
    assert!(matches!(error, InstallError::Settings), "{error}");
    assert_eq!(house.plugins.names().unwrap(), []);
    assert!(
        !house.folder.path().join("plugins").exists(),
        "nothing is left"
    );
}

#[cfg(unix)]
#[test]
fn a48_what_is_written_into_the_folder_goes_through_no_link() {
    let house = house();
    house.add("guest", Hook::LogInOpinion);
    let elsewhere = house.folder.path().join("elsewhere");
    fs::write(&elsewhere, "precious").unwrap();
    let place = house.folder.path().join("plugins/guest");
    for name in ["disabled", "plain.cwasm"] {
        std::os::unix::fs::symlink(&elsewhere, place.join(format!("{name}.part"))).unwrap();
    }
    house.plugins.set_disabled("guest", true).unwrap();
    fs::write(place.join("plain.cwasm"), "changed").unwrap();
    house.load("guest").unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "precious");
    assert!(house.plugins.is_disabled(&code("guest")));
    assert!(fs::metadata(place.join("plain.cwasm")).unwrap().len() > 100);
}

/// A key of an author, and what it signs.
struct Author(minisign::KeyPair);

impl Author {
    fn new() -> Self {
        Self(minisign::KeyPair::generate_unencrypted_keypair().unwrap())
    }

    fn key(&self) -> AuthorKey {
        AuthorKey::parse(&self.0.pk.to_base64()).unwrap()
    }

    fn signs(&self, component: &[u8]) -> String {
        let signed = minisign::sign(None, &self.0.sk, component, Some("a plugin"), None);
        signed.unwrap().into_string()
    }
}

#[test]
fn az04_a_signature_is_the_authors_own_and_of_this_component_or_nothing_is_installed() {
    let house = house();
    let hook = Hook::LogInOpinion;
    let component = packed(hook, &wild(hook));
    let (author, other) = (Author::new(), Author::new());
    let signature = author.signs(&component);
    let add = |component: &[u8], key: AuthorKey, signature: &str| {
        let signature = signature.to_owned();
        let signed = Some(Signed { key, signature });
        let options = AddOptions {
            signed,
            ..options("guest", hook)
        };
        house.plugins.add(host(), component, options)
    };
    let refused = |added: Result<_, InstallError>| match added {
        Err(InstallError::Signature(error)) => Some(error),
        _ => None,
    };
    let mut changed = component.clone();
    *changed.last_mut().unwrap() ^= 1;
    let told = refused(add(&changed, author.key(), &signature));
    assert_eq!(told, Some(SignatureError::Wrong));
    let told = refused(add(&component, other.key(), &signature));
    assert_eq!(told, Some(SignatureError::OtherKey));
    // A comment that its author did not write.
    let commented = signature.replace("a plugin", "a pl\u{fc}gin");
    let told = refused(add(&component, author.key(), &commented));
    assert_eq!(told, Some(SignatureError::Wrong));
    for unreadable in [
        "",
        "RWQ",
        &signature[..90],
        &"x".repeat(SIGNATURE_BYTES_MAX + 1),
    ] {
        let told = refused(add(&component, author.key(), unreadable));
        assert_eq!(told, Some(SignatureError::Unreadable), "{unreadable:.20}");
    }
    assert_eq!(house.plugins.names().unwrap(), []);
    let added = add(&component, author.key(), &signature).unwrap();
    assert_eq!(added.signed_by, Some(author.key().to_string()));
    assert_eq!(house.plugins.manifest("guest").unwrap(), added);
    assert_eq!(ask(&house.load("guest").unwrap(), "good"), Came::Good);
    for none in ["", "RWQ", "untrusted comment: a key"] {
        assert_eq!(AuthorKey::parse(none).unwrap_err(), SignatureError::Key);
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at % bytes.len();
    *bytes.get_mut(at).unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a48_compiled_code_that_was_changed_is_never_run() {
    let house = house();
    house.add("guest", Hook::PasswordRule);
    let compiled = house.file("guest", "cwasm");
    let whole = fs::read(&compiled).unwrap();
    for at in [0, 31, 32, 40, whole.len() / 2, whole.len() - 1] {
        flip(&compiled, at);
        let changed = fs::read(&compiled).unwrap();
        // Compiled again of the component whose digest is pinned; the changed file is replaced.
        let guest = house.load("guest").unwrap();
        assert_eq!(ask(&guest, "trap"), Came::Fault("trap".into()), "{at}");
        assert_ne!(fs::read(&compiled).unwrap(), changed, "{at}");
    }
    for junk in [&b""[..], &whole[..20], &whole[..whole.len() - 1]] {
        fs::write(&compiled, junk).unwrap();
        house.load("guest").unwrap();
        assert_eq!(fs::read(&compiled).unwrap().len(), whole.len());
    }
    // Whole, sealed, and of another plugin: the seal names the component.
    let hook = Hook::PasswordRule;
    let other = wild(hook).replace("(unreachable)", "(nop) (unreachable)");
    house
        .plugins
        .add(host(), &packed(hook, &other), options("other", hook))
        .unwrap();
    fs::copy(house.file("other", "cwasm"), &compiled).unwrap();
    house.load("guest").unwrap();
    assert_eq!(fs::read(&compiled).unwrap().len(), whole.len());
    // And where the component was changed too, there is nothing to fall back to.
    flip(&compiled, 50);
    flip(&house.file("guest", "wasm"), 50);
    let error = house.load("guest").unwrap_err();
    assert!(
        matches!(
            error,
            InstallError::Changed {
                what: "plugin.wasm",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a48_nobody_without_the_key_changes_what_was_written_down() {
    let house = house();
    house.add("guest", Hook::LogInOpinion);
    let manifest = house.file("guest", "toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let seal = text.rfind("# seal").unwrap();
    for changed in [
        text.replace("time_ms = 100", "time_ms = 5000"),
        text.replace("grants = [\"log\"]", "grants = []"),
        text[..seal].to_owned(),
        format!("{}# seal \n", &text[..seal]),
        format!("{}# seal {}\n", &text[..seal], "00".repeat(32)),
        String::new(),
    ] {
        assert_ne!(changed, text);
        fs::write(&manifest, &changed).unwrap();
        let error = house.load("guest").unwrap_err();
        assert!(
            matches!(
                error,
                InstallError::Changed {
                    what: "plugin.toml",
                    ..
                }
            ),
            "{error}"
        );
        assert!(
            house.plugins.hooks(host()).is_err(),
            "the portal is not opened without it"
        );
    }
    fs::write(&manifest, &text).unwrap();
    house.load("guest").unwrap();
    // A folder that was renamed or copied is not that plugin.
    let plugins = house.folder.path().join("plugins");
    fs::rename(plugins.join("guest"), plugins.join("rule")).unwrap();
    let error = house.load("rule").unwrap_err();
    assert!(matches!(error, InstallError::Changed { .. }), "{error}");
    fs::rename(plugins.join("rule"), plugins.join("guest")).unwrap();
    // What another key sealed is nothing here; but anybody can put a plugin out.
    let other = with_key(house.folder.path(), 8);
    assert!(matches!(
        other.load(host(), "guest"),
        Err(InstallError::Changed { .. })
    ));
    other.set_disabled("guest", true).unwrap();
    assert!(house.plugins.hooks(host()).unwrap().1.is_empty());
}
