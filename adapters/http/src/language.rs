//! Which language a page speaks: what was asked for on the page, else what this browser was told
//! before, else what the browser prefers (RFC 9110 §12.5.4), else the portal's own.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

use crate::texts::{EN, ES, LANGUAGES, Texts};

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Spanish.
    Spanish,
}

impl Language {
    /// From its code, `en` or `es` (ISO 639-1).
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::English, Self::Spanish]
            .into_iter()
            .find(|language| language.texts().lang == code)
    }

    /// Its code, `en` or `es` (ISO 639-1).
    pub fn code(self) -> &'static str {
        self.texts().lang
    }

    pub(crate) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &EN,
            Self::Spanish => &ES,
        }
    }
}

/// Ranges of an `Accept-Language` that are looked at.
const RANGES_MAX: usize = 20;

/// The texts of a language code, if it is one of ours.
pub(crate) fn known(code: &str) -> Option<&'static Texts> {
    LANGUAGES.into_iter().find(|t| t.lang == code)
}

/// The best of our languages for a browser: by weight, then as written.
pub(crate) fn preferred(headers: &HeaderMap) -> Option<&'static Texts> {
    let mut best: Option<(u16, &'static Texts)> = None;
    let lines = headers.get_all(ACCEPT_LANGUAGE).iter();
    let ranges = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .take(RANGES_MAX);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
        let primary = tag.split('-').next().unwrap_or_default();
        let weight = parts.next().map_or(Some(1000), weight);
        if let (Some(t), Some(weight)) = (known(primary), weight)
            && weight > best.map_or(0, |(most, _)| most)
        {
            best = Some((weight, t));
        }
    }
    best.map(|(_, t)| t)
}

/// `q=0.5` in thousandths.
fn weight(text: &str) -> Option<u16> {
    let value = text.strip_prefix("q=")?;
    let (whole, rest) = value.split_once('.').unwrap_or((value, ""));
    let digits = rest.len() <= 3 && rest.bytes().all(|b| b.is_ascii_digit());
    let thousandths: u16 = format!("{rest:0<3}").parse().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_language_a_browser_likes_best_among_ours_is_taken() {
        for (said, expected) in [
            ("es", Some("es")),
            ("es-MX,es;q=0.9,en;q=0.8", Some("es")),
            ("fr-FR, es;q=0.3, en;q=0.4", Some("en")),
            ("EN-us", Some("en")),
            ("en;q=0, es;q=0.001", Some("es")),
            ("de, *;q=0.5", None),
            ("es;q=2", None),
            ("es;q=0.1234", None),
            ("es;level=1", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(said));
            assert_eq!(preferred(&headers).map(|t| t.lang), expected, "{said}");
        }
        assert!(preferred(&HeaderMap::new()).is_none());
    }

    #[test]
    fn an_endless_list_of_languages_is_not_read_to_its_end() {
        let mut headers = HeaderMap::new();
        let long = format!("{}es", "fr,".repeat(RANGES_MAX));
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(&long).unwrap());
        assert!(preferred(&headers).is_none());
    }
}
