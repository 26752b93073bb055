//! `narthex plugin`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use narthex::SystemClock;
use narthex::core::Timestamp;
use narthex::core::hook::Code;
use narthex::core::host::Clock as _;
use narthex::wasm::{
    AddOptions, AuthorKey, Capability, Digest, Host, HostOptions, Limits, Manifest, PluginFolder,
    Report, SIGNATURE_BYTES_MAX, Signed, pack,
};
use serde_json::{Value, json};

use super::installing::{folder_of, unsealed_folder_of};
use super::{Reload, bench, templates, trying};
use crate::cli::plugin::{AddArgs, GrantArg, HookArg, PluginCommand};
use crate::control::Line;
use crate::failure::{Failure, Outcome, failed};
use crate::place::PlaceArgs;

/// Runs a `plugin` command.
pub(crate) async fn run(command: PluginCommand, json: bool) -> Result<Outcome, Failure> {
    match command {
        PluginCommand::New {
            name,
            language,
            into,
        } => templates::write(&name, language, into, json),
        PluginCommand::Pack {
            module,
            hook,
            output,
        } => packed(&module, hook, &output, json),
        PluginCommand::Inspect { plugin, place } => inspect(&plugin, &place, json),
        PluginCommand::Add(args) => add(args, json).await,
        PluginCommand::List { place } => list(&place, json),
        PluginCommand::Test {
            plugin,
            settings,
            place,
        } => trying::run(&plugin, settings, &place, json).await,
        PluginCommand::Bench {
            component,
            calls,
            settings,
        } => bench::run(&component, calls, settings, json).await,
        PluginCommand::Disable { name, place } => {
            unsealed_folder_of(&place)?
                .set_disabled(&name, true)
                .map_err(Failure::failed)?;
            done(
                json,
                &format!("{name} is out of use."),
                json!({ "disabled": name }),
            );
            reload(&place, json).await
        }
        PluginCommand::Enable { name, place } => {
            unsealed_folder_of(&place)?
                .set_disabled(&name, false)
                .map_err(Failure::failed)?;
            done(
                json,
                &format!("{name} is in use again."),
                json!({ "enabled": name }),
            );
            reload(&place, json).await
        }
        PluginCommand::Remove { name, place } => {
            unsealed_folder_of(&place)?
                .remove(&name)
                .map_err(Failure::failed)?;
            done(
                json,
                &format!("{name} was taken away."),
                json!({ "removed": name }),
            );
            reload(&place, json).await
        }
    }
}

/// For questions that nobody asked.
pub(super) fn now() -> Timestamp {
    SystemClock.read().wall
}

pub(super) fn done(as_json: bool, words: &str, told: Value) {
    match as_json {
        true => say!("{told}"),
        false => say!("{words}"),
    }
}

/// Has a running server take what is installed now; where none runs, the next start does.
async fn reload(place: &PlaceArgs, json: bool) -> Result<Outcome, Failure> {
    let Some(line) = Line::running(place).await? else {
        if !json {
            say!("No server runs on this store: it counts from its next start.");
        }
        return Ok(Outcome::Done);
    };
    let reloaded = line.ask(Reload {}).await?;
    if !json {
        crate::control::print(&reloaded, false)?;
    }
    Ok(Outcome::Done)
}

fn packed(module: &Path, hook: HookArg, output: &Path, json: bool) -> Result<Outcome, Failure> {
    let module = PluginFolder::read_component(module).map_err(Failure::failed)?;
    let component = pack(&module, hook.into()).map_err(Failure::failed)?;
    let digest = Digest::of(&component);
    let written = fs::File::create_new(output).and_then(|mut file| file.write_all(&component));
    written.map_err(|error| failed(&output.display().to_string(), &error))?;
    let bytes = component.len();
    let words = format!("{}: {bytes} bytes, {digest}", output.display());
    done(
        json,
        &words,
        json!({ "bytes": bytes, "digest": digest.to_string() }),
    );
    Ok(Outcome::Done)
}

fn inspect(plugin: &str, place: &PlaceArgs, json: bool) -> Result<Outcome, Failure> {
    let path = Path::new(plugin);
    if !path.exists() && Code::parse(plugin).is_ok() {
        let manifest = folder_of(place)?
            .manifest(plugin)
            .map_err(Failure::failed)?;
        tell_manifest(&manifest, false, json);
        return Ok(Outcome::Done);
    }
    let component = PluginFolder::read_component(path).map_err(Failure::failed)?;
    let host = Host::start(HostOptions::default()).map_err(Failure::failed)?;
    let report = PluginFolder::examine(&host, &component, &generous()).map_err(Failure::failed)?;
    tell_report(
        &report,
        Some(signature_beside(path)).filter(|path| path.exists()),
        json,
    );
    Ok(Outcome::Done)
}

/// For looking at a component: a guest of an interpreted language takes its time and room to begin.
pub(super) fn generous() -> Limits {
    Limits {
        time_ms: 2_000,
        memory_bytes: 64 << 20,
        instances: 64,
        ..Limits::default()
    }
}

fn tell_report(report: &Report, signature: Option<PathBuf>, json: bool) {
    let asks: Vec<&str> = report.asks.iter().map(|one| one.code()).collect();
    if json {
        say!(
            "{}",
            json!({
                "name": report.description.name.as_str(),
                "hook": report.hook.code(),
                "version": report.description.version,
                "summary": report.description.summary,
                "digest": report.digest.to_string(),
                "asks": asks,
                "signature": signature,
            })
        );
        return;
    }
    let told = &report.description;
    say!("{} {}: {}", told.name, told.version, told.summary);
    say!("  hook     {}", report.hook);
    say!("  digest   {}", report.digest);
    match signature {
        Some(path) => say!(
            "  signed   see {}: whose it is shows when it is added (--signed-by KEY)",
            path.display()
        ),
        None => say!("  signed   by nobody"),
    }
    match report.asks.is_empty() {
        true => say!("  asks for nothing"),
        false => {
            for ask in &report.asks {
                say!("  asks to  {} (--grant {ask})", ask.means());
            }
        }
    }
    say!("  a fault  {}", fault_means(report.hook.fault_denies()));
}

fn fault_means(denies: bool) -> &'static str {
    match denies {
        true => "is a no: nobody is let in while it does not answer",
        false => "leaves it out: nobody is refused by it",
    }
}

fn tell_manifest(manifest: &Manifest, disabled: bool, json: bool) {
    if json {
        say!("{}", manifest_json(manifest, disabled));
        return;
    }
    let state = if disabled { " (out of use)" } else { "" };
    say!(
        "{} {}{state}: {}",
        manifest.name,
        manifest.version,
        manifest.summary
    );
    say!("  hook     {}", manifest.hook);
    say!("  digest   {}", manifest.digest);
    let grants: Vec<&str> = manifest.grants.iter().map(|one| one.code()).collect();
    let grants = if grants.is_empty() {
        "nothing".to_owned()
    } else {
        grants.join(", ")
    };
    let signed_by = manifest.signed_by.as_deref().unwrap_or("nobody");
    say!("  signed   by {signed_by}");
    say!("  granted  {grants}");
    let limits = &manifest.limits;
    let memory = limits.memory_bytes >> 20;
    say!(
        "  limits   {} ms, {memory} MiB, {} host calls",
        limits.time_ms,
        limits.host_calls
    );
    for (name, value) in &manifest.settings {
        say!("  setting  {name} = {value}");
    }
}

fn manifest_json(manifest: &Manifest, disabled: bool) -> Value {
    json!({
        "name": manifest.name.as_str(),
        "hook": manifest.hook.code(),
        "version": manifest.version,
        "summary": manifest.summary,
        "digest": manifest.digest.to_string(),
        "grants": manifest.grants,
        "limits": manifest.limits,
        "settings": manifest.settings,
        "disabled": disabled,
        "signed_by": manifest.signed_by,
    })
}

fn list(place: &PlaceArgs, json: bool) -> Result<Outcome, Failure> {
    let names = unsealed_folder_of(place)?
        .names()
        .map_err(Failure::failed)?;
    if names.is_empty() {
        let told = "No plugin is installed. Begin one: narthex plugin new NAME";
        done(json, told, json!([]));
        return Ok(Outcome::Done);
    }
    let folder = folder_of(place)?;
    let mut listed = Vec::new();
    let mut whole = true;
    for name in names {
        let disabled = folder.is_disabled(&name);
        match folder.manifest(name.as_str()) {
            Ok(manifest) if json => listed.push(manifest_json(&manifest, disabled)),
            Ok(manifest) => tell_manifest(&manifest, disabled, false),
            Err(error) => {
                whole = false;
                let told = json!({ "name": name.as_str(), "error": error.to_string() });
                match json {
                    true => listed.push(told),
                    false => say!("{error}"),
                }
            }
        }
    }
    if json {
        say!("{}", Value::Array(listed));
    }
    Ok(Outcome::yes(whole))
}

async fn add(args: AddArgs, json: bool) -> Result<Outcome, Failure> {
    let folder = folder_of(&args.place)?;
    let component = PluginFolder::read_component(&args.component).map_err(Failure::failed)?;
    let name = args.name.as_deref().map(Code::parse).transpose();
    let digest = args.digest.as_deref().map(Digest::parse).transpose();
    let options = AddOptions {
        name: name.map_err(|error| Failure::usage(format!("--name: {error}")))?,
        grants: args
            .grants
            .iter()
            .map(|grant| match grant {
                GrantArg::Log => Capability::Log,
            })
            .collect(),
        limits: limits(&args.limits)?,
        signed: signed(&args)?,
        settings: settings(args.settings)?,
        digest: digest.map_err(|error| Failure::usage(format!("--digest: {error}")))?,
    };
    // Compiling takes from milliseconds (Rust, C) to some ten seconds (JavaScript, Python).
    let adding = tokio::task::spawn_blocking(move || {
        let host = Host::start(HostOptions::default()).map_err(Failure::failed)?;
        folder
            .add(&host, &component, options)
            .map_err(Failure::failed)
    });
    let manifest = adding.await.map_err(Failure::failed)??;
    tell_manifest(&manifest, false, json);
    if !json {
        say!("  a fault  {}", fault_means(manifest.hook.fault_denies()));
    }
    reload(&args.place, json).await
}

/// The signature that `--signed-by` asks for.
fn signed(args: &AddArgs) -> Result<Option<Signed>, Failure> {
    let Some(key) = &args.signed_by else {
        return Ok(None);
    };
    let key = AuthorKey::parse(key);
    let key = key.map_err(|error| Failure::usage(format!("--signed-by: {error}")))?;
    let path = args.signature.clone();
    let path = path.unwrap_or_else(|| signature_beside(&args.component));
    let told = |error: &io::Error| failed(&path.display().to_string(), error);
    let file = fs::File::open(&path).map_err(|error| told(&error))?;
    let mut signature = String::new();
    let mut most = file.take(SIGNATURE_BYTES_MAX as u64 + 1);
    let read = most.read_to_string(&mut signature);
    read.map_err(|error| told(&error))?;
    Ok(Some(Signed { key, signature }))
}

fn signature_beside(component: &Path) -> PathBuf {
    component.with_added_extension("minisig")
}

/// Settings as given, each name once.
pub(super) fn settings(pairs: Vec<(String, String)>) -> Result<BTreeMap<String, String>, Failure> {
    let mut settings = BTreeMap::new();
    for (name, value) in pairs {
        if settings.insert(name.clone(), value).is_some() {
            return Err(Failure::usage(format!("--set {name}: given twice")));
        }
    }
    Ok(settings)
}

fn limits(pairs: &[(String, String)]) -> Result<Limits, Failure> {
    let mut limits = toml::Table::try_from(Limits::default()).map_err(Failure::failed)?;
    for (name, value) in pairs {
        let number: i64 = value
            .parse()
            .map_err(|_| Failure::usage(format!("--limit {name}: {value} is no number")))?;
        limits.insert(name.clone(), toml::Value::Integer(number));
    }
    let limits: Limits = limits.try_into().map_err(|error: toml::de::Error| {
        Failure::usage(format!("--limit: {}", error.message()))
    })?;
    limits.check().map_err(Failure::usage)?;
    Ok(limits)
}
