//! A theme folder: `theme.toml`, and the files it names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use narthex::http::{FooterLink, Scheme, Theme, ThemeError};
use serde::Deserialize;
use toml::Spanned;

use super::layer::{at, in_file};
use crate::failure::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    #[serde(default)]
    light: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    dark: BTreeMap<String, Spanned<String>>,
    logo: Option<Spanned<PathBuf>>,
    font: Option<Spanned<String>>,
    font_file: Option<Spanned<PathBuf>>,
    #[serde(default)]
    links: Vec<LinkFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkFile {
    text: Words,
    url: Spanned<String>,
}

/// `text = "Privacy"`, or `text = { en = "Privacy", es = "Privacidad" }`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Each(BTreeMap<String, String>),
}

/// Reads the theme of a folder. Whatever is wrong is told with its place.
pub(super) fn load(folder: &Path) -> Result<Theme, Failure> {
    let path = folder.join("theme.toml");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    let file: ThemeFile = toml::from_str(&text).map_err(|error| in_file(&path, &text, &error))?;
    let told = |offset: usize, what: &str| {
        let place = at(&path, &text, offset);
        Failure::usage(format!("{place}: {what}"))
    };
    let wrong = |offset: usize| move |error: ThemeError| (offset, error.to_string());
    let mut theme = Theme::default();
    let mut take = || -> Result<(), (usize, String)> {
        for (scheme, colours) in [(Scheme::Light, &file.light), (Scheme::Dark, &file.dark)] {
            for (token, colour) in colours {
                let set = theme.colour(scheme, token, colour.get_ref());
                set.map_err(wrong(colour.span().start))?;
            }
        }
        if let Some(font) = &file.font {
            theme
                .font(font.get_ref())
                .map_err(wrong(font.span().start))?;
        }
        if let Some(logo) = &file.logo {
            let content = beside(folder, logo)?;
            theme.logo(content).map_err(wrong(logo.span().start))?;
        }
        if let Some(font) = &file.font_file {
            let content = beside(folder, font)?;
            theme.font_file(content).map_err(wrong(font.span().start))?;
        }
        for link in &file.links {
            let text = match &link.text {
                Words::One(text) => BTreeMap::from([("en".to_owned(), text.clone())]),
                Words::Each(words) => words.clone(),
            };
            let url = link.url.get_ref().clone();
            theme
                .link(FooterLink { text, url })
                .map_err(wrong(link.url.span().start))?;
        }
        Ok(())
    };
    take().map_err(|(offset, what)| told(offset, &what))?;
    theme
        .check()
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    Ok(theme)
}

/// The content of a file in the folder, by its plain name.
fn beside(folder: &Path, name: &Spanned<PathBuf>) -> Result<Vec<u8>, (usize, String)> {
    let start = name.span().start;
    let name = name.get_ref();
    if name.file_name() != Some(name.as_os_str()) {
        let told = format!(
            "{} is not the name of a file in this folder",
            name.display()
        );
        return Err((start, told));
    }
    let path = folder.join(name);
    std::fs::read(&path).map_err(|error| (start, format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(theme: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("theme.toml"), theme).unwrap();
        std::fs::write(folder.path().join("logo.svg"), "<svg/>").unwrap();
        folder
    }

    #[test]
    fn a_theme_folder_is_read() {
        let text = "logo = \"logo.svg\"\nfont = \"Lexend\"\n[light]\naccent = \"#0b5394\"\n\
                    [[links]]\ntext = { en = \"Privacy\", es = \"Privacidad\" }\n\
                    url = \"https://school.example\"\n";
        let folder = folder(text);
        let theme = load(folder.path()).unwrap();
        assert!(format!("{theme:?}").contains("Privacidad"));
    }

    #[test]
    fn what_is_wrong_with_a_theme_is_told_with_its_place() {
        for (theme, told) in [
            (
                "[light]\naccent = \"teal\"\n",
                "theme.toml:2:10: \"teal\" is no colour",
            ),
            (
                "[light]\nlink = \"#000000\"\n",
                "theme.toml:2:8: \"link\" is no colour of a",
            ),
            (
                "[dark]\naccent = \"#203020\"\n",
                "theme.toml: dark: accent #203020 on",
            ),
            (
                "logo = \"../logo.svg\"\n",
                "theme.toml:1:8: ../logo.svg is not the name",
            ),
            ("logo = \"missing.svg\"\n", "theme.toml:1:8: "),
            ("css = \"x\"\n", "theme.toml:1:1: "),
            (
                "[[links]]\ntext = \"x\"\nurl = \"http://x\"\n",
                "theme.toml:3:7: \"http://x\"",
            ),
        ] {
            let folder = folder(theme);
            let said = format!("{:?}", load(folder.path()).unwrap_err()).replace("\\\"", "\"");
            assert!(said.contains(told), "{said}");
        }
        let nowhere = format!("{:?}", load(Path::new("/nowhere")).unwrap_err());
        assert!(nowhere.contains("/nowhere/theme.toml"), "{nowhere}");
    }
}
