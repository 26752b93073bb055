//! `narthex plugin new`: the templates of `examples/plugins`, which the tests build.

use std::fs;
use std::path::PathBuf;

use narthex::core::hook::Code;
use narthex::wasm::wit_files;
use serde_json::json;

use super::commands::done;
use crate::cli::plugin::TemplateLanguage;
use crate::failure::{Failure, Outcome, failed};

type Files = &'static [(&'static str, &'static str)];

macro_rules! files {
    ($folder:literal: $($name:literal)*) => {
        &[$((
            $name,
            include_str!(concat!("../../../../examples/plugins/", $folder, "/", $name)),
        ),)*]
    };
}

const SDK_MANIFEST: &str = "narthex-guest/Cargo.toml";
/// Where its last lines begin.
const OWN_WORKSPACE: &str = "\n# A workspace of its own";

const SDK: Files = &[
    (SDK_MANIFEST, include_str!("../../../guest-rust/Cargo.toml")),
    (
        "narthex-guest/src/lib.rs",
        include_str!("../../../guest-rust/src/lib.rs"),
    ),
];

fn files(language: TemplateLanguage) -> Files {
    match language {
        TemplateLanguage::Rust => files!("rust": "README.md" "Cargo.toml" "src/lib.rs"),
        TemplateLanguage::C => files!("c": "README.md" "no_mascot.c"),
        TemplateLanguage::Javascript => {
            files!("javascript": "README.md" "package.json" "no_mascot.js")
        }
        TemplateLanguage::Python => files!("python": "README.md" "no_mascot.py"),
    }
}

pub(super) fn write(
    name: &str,
    language: TemplateLanguage,
    into: Option<PathBuf>,
    json: bool,
) -> Result<Outcome, Failure> {
    let name = Code::parse(name).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    let folder = into.unwrap_or_else(|| PathBuf::from(name.as_str()));
    if folder.exists() {
        let folder = folder.display();
        return Err(Failure::usage(format!(
            "{folder} is there already: say another with --into"
        )));
    }
    let sdk = match language {
        TemplateLanguage::Rust => SDK,
        _ => &[],
    };
    let wit = wit_files().map(|(file, text)| (format!("wit/{file}"), text.to_owned()));
    let own = files(language).iter().chain(sdk).map(|(file, text)| {
        let text = text
            .replace("../../../bindings/guest-rust", "narthex-guest")
            .replace("../../../bindings/wit/0.1.0", "wit")
            .replace("../wit/0.1.0", "../wit")
            .replace("no_mascot", name.as_str());
        // Beside the plugin the SDK is of its workspace; here it has one of its own.
        let text = match *file == SDK_MANIFEST {
            true => text
                .split(OWN_WORKSPACE)
                .next()
                .unwrap_or_default()
                .to_owned(),
            false => text,
        };
        (file.replace("no_mascot", name.as_str()), text)
    });
    for (file, text) in wit.into_iter().chain(own) {
        let path = folder.join(file);
        let parent = path.parent().unwrap_or(&folder);
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, text));
        written.map_err(|error| failed(&path.display().to_string(), &error))?;
    }
    let folder = folder.display();
    done(
        json,
        &format!("{folder}/README.md says how it is built."),
        json!({ "folder": folder.to_string() }),
    );
    Ok(Outcome::Done)
}
