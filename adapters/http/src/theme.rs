//! What an operator, or one organization, may change about how pages look: declared tokens, a logo, a
//! font, links at the foot. Data only: no style sheet and no template of theirs is taken, so that the
//! content policy stays as it is and what must be readable stays readable.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;

/// The largest logo, in bytes.
pub const LOGO_BYTES_MAX: usize = 64 * 1024;
/// The largest font file, in bytes.
pub const FONT_BYTES_MAX: usize = 256 * 1024;
/// The most links at the foot.
pub const FOOTER_LINKS_MAX: usize = 8;
/// The least contrast of text (WCAG 2.2, 1.4.3).
const TEXT_CONTRAST: f64 = 4.5;
/// The least contrast of outlines and focus (WCAG 2.2, 1.4.11).
const OUTLINE_CONTRAST: f64 = 3.0;

/// Tokens a theme may set, with the portal's own colours: light, dark.
const TOKENS: [(&str, &str, &str); 7] = [
    ("ground", "#fbfbf9", "#151a19"),
    ("surface", "#ffffff", "#1d2423"),
    ("ink", "#1d2523", "#ecf0ee"),
    ("quiet", "#55605c", "#a9b5b0"),
    ("accent", "#1b6450", "#7fd1b6"),
    ("accent-ink", "#ffffff", "#0d2019"),
    ("bad", "#a4262c", "#ff9a96"),
];
/// Tokens that no theme sets: light, dark.
const FIXED: [(&str, &str, &str); 2] = [
    ("edge", "#7a8581", "#84908b"),
    ("focus", "#1558d6", "#8ab4ff"),
];
/// What is read on what.
const TEXTS: [(&str, &str); 12] = [
    ("ink", "ground"),
    ("ink", "surface"),
    ("ink", "accent-soft"),
    ("ink", "bad-soft"),
    ("quiet", "ground"),
    ("quiet", "surface"),
    ("accent", "ground"),
    ("accent", "surface"),
    ("accent", "accent-soft"),
    ("accent-ink", "accent"),
    ("bad", "ground"),
    ("bad", "bad-soft"),
];
const OUTLINES: [(&str, &str); 4] = [
    ("edge", "ground"),
    ("edge", "surface"),
    ("focus", "ground"),
    ("focus", "surface"),
];
/// How much of its colour a soft surface has, in hundredths.
const SOFT: u16 = 10;

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// For who prefers light pages, or nothing.
    Light,
    /// For who prefers dark pages.
    Dark,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// A colour, `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Colour([u8; 3]);

impl Colour {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(digits.as_bytes())
            .ok()?;
        bytes.try_into().ok().map(Self)
    }

    fn text(self) -> String {
        format!("#{}", data_encoding::HEXLOWER.encode(&self.0))
    }

    /// `SOFT` hundredths of this on `ground`.
    fn soft_on(self, ground: Self) -> Self {
        let mix = |(own, below): (u8, u8)| {
            let sum = u16::from(own) * SOFT + u16::from(below) * (100 - SOFT);
            u8::try_from(sum / 100).unwrap_or(u8::MAX)
        };
        let [a, b, c] = self.0;
        let [x, y, z] = ground.0;
        Self([mix((a, x)), mix((b, y)), mix((c, z))])
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        let [red, green, blue] = self.0;
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}

/// A link at the foot of every page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FooterLink {
    /// What people read, by language code; who reads another language gets the first.
    pub text: BTreeMap<String, String>,
    /// `https://...` or `mailto:...`.
    pub url: String,
}

/// The kind of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageKind {
    /// SVG.
    Svg,
    /// PNG.
    Png,
}

/// How pages look.
#[derive(Clone, Debug, Default)]
pub struct Theme {
    colours: BTreeMap<(&'static str, &'static str), Colour>,
    logo: Option<(ImageKind, Bytes)>,
    font: Option<String>,
    font_file: Option<Bytes>,
    links: Vec<FooterLink>,
}

/// What is wrong with a theme, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ThemeError {
    /// Not a token that a theme may set.
    #[error(
        "{0:?} is no colour of a theme: ground, surface, ink, quiet, accent, accent-ink or bad"
    )]
    Token(String),
    /// Not `#rrggbb`.
    #[error("{0:?} is no colour: write it like #1b6450")]
    Colour(String),
    /// Two colours that meet are too alike.
    #[error(
        "{scheme}: {front} {front_colour} on {back} {back_colour} has a contrast of {ratio:.2}; at \
         least {least} is needed to read it. Make one of them lighter or darker"
    )]
    Contrast {
        /// `light` or `dark`.
        scheme: &'static str,
        /// The token in front.
        front: &'static str,
        /// Its colour.
        front_colour: String,
        /// The token behind.
        back: &'static str,
        /// Its colour.
        back_colour: String,
        /// What it is.
        ratio: f64,
        /// What it must be.
        least: f64,
    },
    /// Too large, or not what it says it is.
    #[error("the logo must be an SVG or PNG of at most {LOGO_BYTES_MAX} bytes")]
    Logo,
    /// Too large, or not what it says it is.
    #[error("the font file must be a WOFF2 of at most {FONT_BYTES_MAX} bytes")]
    FontFile,
    /// A character that no name of a font has.
    #[error("{0:?} is no list of fonts: letters, digits, spaces, commas and - only")]
    Font(String),
    /// A link that leads to neither https nor mail, or too many.
    #[error(
        "{0:?} is neither https:// nor mailto:, or there are more than {FOOTER_LINKS_MAX} links"
    )]
    Link(String),
}

impl Theme {
    /// Sets a colour.
    ///
    /// # Errors
    /// No such token, or not `#rrggbb`.
    pub fn colour(&mut self, scheme: Scheme, token: &str, text: &str) -> Result<(), ThemeError> {
        let known = TOKENS.iter().find(|(name, ..)| *name == token);
        let (name, ..) = known.ok_or_else(|| ThemeError::Token(token.to_owned()))?;
        let colour = Colour::parse(text).ok_or_else(|| ThemeError::Colour(text.to_owned()))?;
        self.colours.insert((scheme.name(), name), colour);
        Ok(())
    }

    /// Sets the logo beside the name of the site.
    ///
    /// # Errors
    /// Too large, or neither SVG nor PNG.
    pub fn logo(&mut self, content: impl Into<Bytes>) -> Result<(), ThemeError> {
        let content = content.into();
        let kind = if content.starts_with(b"\x89PNG\r\n\x1a\n") {
            ImageKind::Png
        } else if std::str::from_utf8(&content).is_ok_and(|text| text.contains("<svg")) {
            ImageKind::Svg
        } else {
            return Err(ThemeError::Logo);
        };
        if content.len() > LOGO_BYTES_MAX {
            return Err(ThemeError::Logo);
        }
        self.logo = Some((kind, content));
        Ok(())
    }

    /// Sets the font: names of families, the first that a computer has is used.
    ///
    /// # Errors
    /// A character that no name of a font has.
    pub fn font(&mut self, families: &str) -> Result<(), ThemeError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || " ,-".contains(c);
        if families.trim().is_empty() || families.len() > 200 || !families.chars().all(plain) {
            return Err(ThemeError::Font(families.to_owned()));
        }
        self.font = Some(families.to_owned());
        Ok(())
    }

    /// A font file for the first family of [`Theme::font`].
    ///
    /// # Errors
    /// Too large, or no WOFF2.
    pub fn font_file(&mut self, content: impl Into<Bytes>) -> Result<(), ThemeError> {
        let content = content.into();
        if content.len() > FONT_BYTES_MAX || !content.starts_with(b"wOF2") {
            return Err(ThemeError::FontFile);
        }
        self.font_file = Some(content);
        Ok(())
    }

    /// Adds a link at the foot.
    ///
    /// # Errors
    /// Neither https nor mail, without words, or too many.
    pub fn link(&mut self, link: FooterLink) -> Result<(), ThemeError> {
        let leads = link.url.starts_with("https://") || link.url.starts_with("mailto:");
        let says = link.text.values().all(|text| !text.trim().is_empty());
        if !leads || !says || link.text.is_empty() || self.links.len() >= FOOTER_LINKS_MAX {
            return Err(ThemeError::Link(link.url));
        }
        self.links.push(link);
        Ok(())
    }

    /// This theme on top of `below`: what it does not set is as there.
    #[must_use]
    pub fn over(mut self, below: &Self) -> Self {
        for (token, colour) in &below.colours {
            self.colours.entry(*token).or_insert(*colour);
        }
        if self.font.is_none() {
            self.font.clone_from(&below.font);
            self.font_file.clone_from(&below.font_file);
        }
        self.logo = self.logo.or_else(|| below.logo.clone());
        if self.links.is_empty() {
            self.links.clone_from(&below.links);
        }
        self
    }

    /// Whether everything can be read.
    ///
    /// # Errors
    /// The first two colours that meet and are too alike.
    pub fn check(&self) -> Result<(), ThemeError> {
        for scheme in [Scheme::Light, Scheme::Dark] {
            let palette = self.palette(scheme);
            let colour = |token| palette.get(token).copied().unwrap_or(Colour([0; 3]));
            let texts = TEXTS.iter().map(|pair| (pair, TEXT_CONTRAST));
            let outlines = OUTLINES.iter().map(|pair| (pair, OUTLINE_CONTRAST));
            for ((front, back), least) in texts.chain(outlines) {
                let ratio = colour(front).contrast(colour(back));
                if ratio < least {
                    return Err(ThemeError::Contrast {
                        scheme: scheme.name(),
                        front,
                        front_colour: colour(front).text(),
                        back,
                        back_colour: colour(back).text(),
                        ratio,
                        least,
                    });
                }
            }
        }
        Ok(())
    }

    /// All colours in force.
    fn palette(&self, scheme: Scheme) -> BTreeMap<&'static str, Colour> {
        let mut palette = BTreeMap::new();
        for (token, light, dark) in TOKENS.into_iter().chain(FIXED) {
            let own = match scheme {
                Scheme::Light => light,
                Scheme::Dark => dark,
            };
            let set = self.colours.get(&(scheme.name(), token)).copied();
            palette.extend(
                set.or_else(|| Colour::parse(own))
                    .map(|colour| (token, colour)),
            );
        }
        for (soft, own) in [("accent-soft", "accent"), ("bad-soft", "bad")] {
            if let (Some(colour), Some(surface)) = (palette.get(own), palette.get("surface")) {
                palette.insert(soft, colour.soft_on(*surface));
            }
        }
        palette
    }

    /// The style sheet; `font` is the name of the font file beside it.
    pub(crate) fn css(&self, font: Option<&str>) -> String {
        let rules = |scheme| {
            let palette = self.palette(scheme);
            let fixed = |token: &str| FIXED.iter().any(|(name, ..)| *name == token);
            let set = palette.iter().filter(|(token, _)| !fixed(token));
            set.fold(String::new(), |mut rules, (token, colour)| {
                // Writing to a `String` does not fail.
                let _ = write!(rules, "--{token}:{};", colour.text());
                rules
            })
        };
        let mut css = format!(
            ":root{{{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n",
            rules(Scheme::Light),
            rules(Scheme::Dark)
        );
        if let Some(families) = &self.font {
            let names: Vec<String> = families
                .split(',')
                .map(|name| format!("\"{}\"", name.trim()))
                .collect();
            if let (Some(file), Some(first)) = (font, names.first()) {
                let face = format!(
                    "@font-face{{font-family:{first};src:url(\"{file}\") format(\"woff2\");\
                     font-display:swap}}\n"
                );
                css.push_str(&face);
            }
            let body = format!(
                "body{{font-family:{},system-ui,sans-serif}}\n",
                names.join(",")
            );
            css.push_str(&body);
        }
        css
    }

    pub(crate) fn logo_file(&self) -> Option<(ImageKind, &Bytes)> {
        self.logo.as_ref().map(|(kind, content)| (*kind, content))
    }

    pub(crate) fn font_content(&self) -> Option<&Bytes> {
        self.font_file.as_ref()
    }

    pub(crate) fn links(&self) -> &[FooterLink] {
        &self.links
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portals_own_colours_are_those_of_its_style_sheet_and_can_be_read() {
        let css = include_str!("assets/portal.css");
        let (light, dark) = css.split_once("prefers-color-scheme: dark").unwrap();
        for (token, own, own_dark) in TOKENS.into_iter().chain(FIXED) {
            assert!(light.contains(&format!("--{token}: {own};")), "{token}");
            assert!(dark.contains(&format!("--{token}: {own_dark};")), "{token}");
        }
        Theme::default().check().unwrap();
    }

    #[test]
    fn contrast_is_the_one_of_wcag() {
        let contrast = |a, b| {
            Colour::parse(a)
                .unwrap()
                .contrast(Colour::parse(b).unwrap())
        };
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.001);
        assert!((contrast("#777777", "#ffffff") - 4.478).abs() < 0.001);
        assert!((contrast("#767676", "#ffffff") - 4.542).abs() < 0.001);
        for wrong in ["1b6450", "#1b645", "#1b64500", "#gggggg", "red", ""] {
            assert!(Colour::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn colours_that_cannot_be_read_are_refused_with_both_names_and_the_figure() {
        let mut theme = Theme::default();
        theme.colour(Scheme::Light, "accent", "#8fd3ff").unwrap();
        let said = theme.check().unwrap_err().to_string();
        for part in ["light: accent #8fd3ff on", "contrast of 1.", "at least 4.5"] {
            assert!(said.contains(part), "{said}");
        }
        let mut theme = Theme::default();
        theme.colour(Scheme::Dark, "surface", "#7a8581").unwrap();
        assert!(theme.check().is_err());
        let unknown = theme.colour(Scheme::Light, "focus", "#000000");
        assert_eq!(unknown, Err(ThemeError::Token("focus".to_owned())));
    }

    #[test]
    fn an_organizations_theme_stands_on_the_operators() {
        let mut site = Theme::default();
        site.colour(Scheme::Light, "accent", "#0b5394").unwrap();
        site.font("Lexend, Verdana").unwrap();
        let mut own = Theme::default();
        own.colour(Scheme::Light, "ink", "#000000").unwrap();
        let css = own.over(&site).css(None);
        for part in [
            "--accent:#0b5394;",
            "--ink:#000000;",
            "\"Lexend\",\"Verdana\",system-ui",
        ] {
            assert!(css.contains(part), "{css}");
        }
    }

    #[test]
    fn only_data_gets_in() {
        let mut theme = Theme::default();
        for font in ["x;}body{display:none", "\"", "", "a\\b", "url(x)"] {
            assert!(theme.font(font).is_err(), "{font}");
        }
        assert!(theme.logo(&b"GIF89a"[..]).is_err());
        assert!(
            theme
                .logo(&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..])
                .is_ok()
        );
        assert!(
            theme
                .logo([b"<svg/>".to_vec(), vec![b' '; LOGO_BYTES_MAX]].concat())
                .is_err()
        );
        assert!(theme.font_file(&b"OTTO"[..]).is_err());
        let link = |url: &str, text: &str| FooterLink {
            text: BTreeMap::from([("en".to_owned(), text.to_owned())]),
            url: url.to_owned(),
        };
        for (url, text) in [("javascript:x", "x"), ("http://x", "x"), ("https://x", " ")] {
            assert!(theme.link(link(url, text)).is_err(), "{url}");
        }
        for _ in 0..FOOTER_LINKS_MAX {
            theme
                .link(link("https://school.example", "School"))
                .unwrap();
        }
        assert!(
            theme
                .link(link("https://school.example", "School"))
                .is_err()
        );
    }
}
