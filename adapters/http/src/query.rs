//! Percent-encoding, strictly: for queries and for form bodies.

use zeroize::Zeroizing;

/// Decodes one name or value of `application/x-www-form-urlencoded`. `None`: a broken escape, bytes
/// that are no UTF-8, or a control character other than line breaks and tabs (A44).
pub(crate) fn decode(text: &[u8]) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    loop {
        match rest {
            [] => break,
            [b'%', high, low, tail @ ..] => {
                let (high, low) = (hex(*high)?, hex(*low)?);
                bytes.push(high << 4 | low);
                rest = tail;
            }
            [b'%', ..] => return None,
            [b'+', tail @ ..] => {
                bytes.push(b' ');
                rest = tail;
            }
            [byte, tail @ ..] => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    plain(&bytes)
}

/// Plain text: UTF-8, and no control character other than line breaks and tabs (A44).
pub(crate) fn plain(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars()
        .all(plain)
        .then(|| Zeroizing::new(text.to_owned()))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
}

/// Encodes a value for a query: everything but letters, digits and `- . _ ~ /`.
pub(crate) fn encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&data_encoding::HEXUPPER.encode(&[byte]));
        }
    }
    out
}

/// The value of `name` in a query: the only one, or nothing (WB-18: two values are as good as
/// none).
pub(crate) fn value(query: Option<&str>, name: &str) -> Option<String> {
    let mut found = None;
    for pair in query?.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if key == name {
            if found.is_some() {
                return None;
            }
            found = decode(value.as_bytes()).map(|text| text.to_string());
        }
    }
    found
}

/// The query without the parameters in `names`; `None` when nothing is left.
pub(crate) fn without(query: Option<&str>, names: &[&str]) -> Option<String> {
    let kept: Vec<&str> = query?
        .split('&')
        .filter(|pair| {
            let key = pair.split('=').next().unwrap_or("");
            !key.is_empty() && !names.contains(&key)
        })
        .collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_is_strict_and_encoding_round_trips() {
        for (text, plain) in [
            ("a+b%20c", "a b c"),
            ("%C3%A9", "é"),
            ("", ""),
            ("a%0Ab", "a\nb"),
        ] {
            assert_eq!(decode(text.as_bytes()).unwrap().as_str(), plain);
        }
        for broken in ["%", "%2", "%zz", "%ff", "%C3", "%00", "%1b", "%+1"] {
            assert!(decode(broken.as_bytes()).is_none(), "{broken}");
        }
        let odd = "/o/1/?tab=ü&x=%#frag";
        assert_eq!(decode(encode(odd).as_bytes()).unwrap().as_str(), odd);
    }

    #[test]
    fn wb18_a_parameter_given_twice_is_not_given() {
        assert_eq!(value(Some("a=1&b=2"), "b").as_deref(), Some("2"));
        assert_eq!(value(Some("a=1&a=1"), "a"), None);
        assert_eq!(value(None, "a"), None);
        assert_eq!(
            without(Some("a=1&notice=x&b"), &["notice"]).as_deref(),
            Some("a=1&b")
        );
        assert_eq!(without(Some("notice=x"), &["notice"]), None);
    }
}
