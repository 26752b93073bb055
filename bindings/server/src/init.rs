//! `narthex init`: a configuration and a place for the data, and what comes next.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::config::{ClaimPolicyArg, InitArgs};
use crate::config::Config;
use crate::config_command::TEMPLATE;
use crate::confirm;
use crate::failure::{Failure, Outcome, failed};
use crate::place::{CONFIG_FILE, DATA_FOLDER, DataFolder};

const WHERE: &str = "Where will people find the portal? https://host[/path], or http://127.0.0.1:8080 to \
    try it on this machine:";
const POLICIES: &str = "\
What must a person prove to claim an account?
  facts       names, number and birthdate. Quick; but classmates know them, and a birthdate of a
              known year is one of 365.
  facts+code  also the code of a letter that the office prints and hands out.
facts or facts+code?";

/// Writes both, or nothing.
pub(crate) fn run(args: InitArgs, json: bool) -> Result<Outcome, Failure> {
    let config = args.config.unwrap_or_else(|| CONFIG_FILE.into());
    let config = std::path::absolute(&config).map_err(|e| failed("the configuration", &e))?;
    let data = DataFolder::at(&args.data.unwrap_or_else(|| DATA_FOLDER.into()))?;
    for there in [&config, &data.store()] {
        if there.exists() {
            return Err(is_there(there));
        }
    }
    let base_url = match args.base_url {
        Some(url) => url,
        None => answer(WHERE, "--base-url URL")?,
    };
    let policy = match args.claim_policy {
        Some(policy) => policy,
        None => match answer(POLICIES, "--claim-policy facts, or facts+code")?.as_str() {
            "facts" => ClaimPolicyArg::Facts,
            "facts+code" => ClaimPolicyArg::FactsCode,
            _ => return Err(Failure::usage("say facts or facts+code")),
        },
    };
    write(&config, &filled(&base_url, policy, &data)?)?;
    for folder in [data.store(), data.keys()] {
        let folder = folder.parent().unwrap_or(data.path());
        make_folder(folder).map_err(|e| failed(&folder.display().to_string(), &e))?;
    }
    let keys = data.keys();
    if json {
        let told = json!({
            "config": config,
            "data": data.path(),
            "store": data.store(),
            "keys": keys,
            "claim_policy": policy.code(),
        });
        say!("{told}");
    } else {
        tell(&config, &data, policy);
    }
    Ok(Outcome::Done)
}

fn tell(config: &Path, data: &DataFolder, policy: ClaimPolicyArg) {
    let (config, keys) = (config.display(), data.keys());
    say!("Written: {config}, every setting with what it does.");
    say!(
        "Made:    {}, for the store and, apart from it, its keys.",
        data.path().display()
    );
    say!("");
    say!("Next:");
    say!(
        "  narthex roster import export.zip --dry-run --config {config}    then without --dry-run"
    );
    say!("  narthex person create NUMBER --given-name ... --family-name ... --org ORGANIZATION \\");
    say!("    --role administrator --config {config}");
    if policy == ClaimPolicyArg::FactsCode {
        say!("  narthex person claim-code --org ORGANIZATION --unclaimed --print letters.html \\");
        say!("    --config {config}");
    }
    say!("  narthex serve --config {config}");
    say!("  narthex doctor --config {config}");
    say!(
        "Under systemd: narthex config unit > /etc/systemd/system/narthex.service; its steps are at"
    );
    say!(
        "the top. The user that runs it owns {}.",
        data.path().display()
    );
    say!(
        "Back up {} once it is there, apart from the store's backups.",
        keys.display()
    );
}

fn is_there(path: &Path) -> Failure {
    Failure::failed(format!(
        "{} is there already, and was left as it is: move it away, or say another place with \
         --config and --data",
        path.display()
    ))
}

fn answer(question: &str, flag: &str) -> Result<String, Failure> {
    confirm::answer(question, flag)
}

/// The template with what is this school's.
fn filled(base_url: &str, policy: ClaimPolicyArg, data: &DataFolder) -> Result<String, Failure> {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let path = |path: PathBuf| {
        let text = path.to_str().map(str::to_owned);
        text.ok_or_else(|| Failure::usage("the folder's name is not Unicode: say another --data"))
    };
    let store = format!("redb://{}", path(data.store())?);
    let keys = path(data.keys())?;
    let mut text = TEMPLATE.to_owned();
    for (line, filled) in [
        (
            "base_url = \"https://portal.school.example\"",
            format!("base_url = {}", quoted(base_url)),
        ),
        (
            "url = \"redb:///var/lib/narthex/portal.redb\"",
            format!("url = {}", quoted(&store)),
        ),
        (
            "# keys = \"/etc/narthex/portal.keys\"",
            format!("keys = {}", quoted(&keys)),
        ),
        (
            "policy = \"facts+code\"",
            format!("policy = \"{}\"", policy.code()),
        ),
    ] {
        if !text.lines().any(|found| found == line) {
            return Err(Failure::failed(format!(
                "the template has no line `{line}`"
            )));
        }
        text = text.replacen(&format!("\n{line}\n"), &format!("\n{filled}\n"), 1);
    }
    Ok(text)
}

/// Under its name only once it is known to be good; never in the place of another.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let told = |error: std::io::Error| failed(&path.display().to_string(), &error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(told)?;
    }
    let unfinished = path.with_added_extension("unfinished");
    let _ = fs::remove_file(&unfinished);
    let written = fs::File::create_new(&unfinished).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let named = written.map_err(told).and_then(|()| {
        let config = Config::load(Some(&unfinished), Vec::new())?;
        config.options()?;
        config.settings()?;
        // A link, not a rename: it fails where a rename would replace.
        fs::hard_link(&unfinished, path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => is_there(path),
            _ => told(error),
        })
    });
    let _ = fs::remove_file(&unfinished);
    named
}

/// For its owner alone.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
