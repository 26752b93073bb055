//! Turns the catalogues `texts/*.toml` into constants: one struct with a field per text, one value
//! of it per language. A text that a language lacks, or has alone, does not compile.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use toml::{Table, Value};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=texts");
    let mut languages = BTreeMap::new();
    for entry in fs::read_dir("texts")? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str());
        let name = name.ok_or("the name of a catalogue is a language code")?;
        let texts: Table = fs::read_to_string(&path)?
            .parse()
            .map_err(|error| format!("{}: {error}", path.display()))?;
        languages.insert(name.to_uppercase(), texts);
    }
    let english = languages.get("EN").ok_or("texts/en.toml is missing")?;

    let mut code = String::from(
        "/// Every word of one language.\n#[derive(Debug, Serialize)]\npub(crate) struct Texts {\n",
    );
    for (key, value) in english {
        writeln!(code, "    pub(crate) {key}: {},", kind(value))?;
    }
    code.push_str("}\n");
    for (name, texts) in &languages {
        writeln!(code, "\npub(crate) static {name}: Texts = Texts {{")?;
        for (key, value) in texts {
            writeln!(code, "    {key}: {},", constant(value)?)?;
        }
        code.push_str("};\n");
    }
    let all: Vec<String> = languages.keys().map(|name| format!("&{name}")).collect();
    writeln!(code, "\n/// All languages, by code.")?;
    writeln!(
        code,
        "pub(crate) static LANGUAGES: [&Texts; {}] = [{}];",
        all.len(),
        all.join(", ")
    )?;
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(Path::new(&out).join("texts.rs"), code)?;
    Ok(())
}

/// A table with `one` and `other` is counted; any other table holds words by a code.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Table(forms) if forms.contains_key("other") => "Plural",
        Value::Table(_) => "Words",
        Value::Array(_) => "&'static [&'static str]",
        _ => "&'static str",
    }
}

fn constant(value: &Value) -> Result<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(format!("{text:?}")),
        other => Err(format!("a text is a string, not {other}")),
    };
    match value {
        Value::Table(forms) if forms.contains_key("other") => {
            let form = |name: &str| {
                let form = forms.get(name);
                text(form.ok_or_else(|| format!("no form {name:?} in {forms}"))?)
            };
            let (one, other) = (form("one")?, form("other")?);
            Ok(format!("Plural {{ one: {one}, other: {other} }}"))
        }
        Value::Table(words) => {
            let pair = |(code, word)| Ok(format!("({code:?}, {})", text(word)?));
            let pairs: Result<Vec<String>, String> = words.iter().map(pair).collect();
            Ok(format!("Words(&[{}])", pairs?.join(", ")))
        }
        Value::Array(items) => {
            let items: Result<Vec<String>, String> = items.iter().map(text).collect();
            Ok(format!("&[{}]", items?.join(", ")))
        }
        _ => text(value),
    }
}
