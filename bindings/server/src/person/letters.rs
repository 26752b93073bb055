//! Letters that bring claim codes: one page of HTML, ready to print and cut.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use jiff::ToSpan as _;
use narthex::core::model::Contact;
use serde::{Deserialize, Serialize};

use super::claim_code::{Code, Issued};
use crate::failure::{Failure, failed};

/// Cut out along the dashed lines; a letter is never broken over two pages.
const STYLE: &str = "\
@page { margin: 1.5cm }
body { font: 12pt/1.45 Georgia, serif; color: #000; background: #fff; margin: 0 auto; max-width: 18cm }
section { border: 1px dashed #666; padding: 1cm; margin: 0 0 1cm; break-inside: avoid }
section:nth-of-type(2n) { break-after: page }
h1 { font-size: 15pt; margin: 0 0 .4cm }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15cm .6cm; margin: .4cm 0 }
dt { font-weight: bold }
dd { margin: 0; overflow-wrap: anywhere }
.code { font: bold 18pt/1.2 ui-monospace, Menlo, Consolas, monospace; letter-spacing: .08em }
ul { margin: 0; padding-left: 1.2em }
";

/// A human to write to.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Human {
    name: String,
    role: String,
    email: Option<String>,
}

impl From<Contact> for Human {
    fn from(contact: Contact) -> Self {
        Self {
            name: contact.name,
            role: contact.role,
            email: contact.email,
        }
    }
}

/// Readable for its owner alone; never written over another file.
pub(super) fn new_file(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map_err(|e| Failure::failed(format!("{}: {e}; no code was issued", path.display())))
}

/// Writes all letters. `help`: whom to write to where an organization names nobody.
pub(super) fn write(
    mut file: File,
    path: &Path,
    issued: &Issued,
    base_url: &str,
    help: &[Contact],
) -> Result<(), Failure> {
    let help: Vec<Human> = help.iter().cloned().map(Human::from).collect();
    let claim_url = format!("{}/claim", base_url.trim_end_matches('/'));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Claim \
         letters</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
    );
    for one in &issued.codes {
        let school = issued.organizations.get(&one.organization);
        let own = school.map_or(&[][..], |school| &school.humans);
        let humans = if own.is_empty() { &help } else { own };
        let name = school.map_or(one.organization.as_str(), |school| &school.name);
        letter(&mut page, one, name, &claim_url, humans);
    }
    page.push_str("</body>\n</html>\n");
    file.write_all(page.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|e| failed(&format!("{} could not be written", path.display()), &e))
}

fn letter(page: &mut String, one: &Code, school: &str, url: &str, humans: &[Human]) {
    let birthdate = if one.needs_birthdate {
        "your birthdate"
    } else {
        "no birthdate: leave it empty"
    };
    let code = one.code.as_deref().unwrap_or_default();
    let until = last_day(one.expires_at_ms);
    let [given, family, number, school, url] = [
        one.given_name.as_str(),
        &one.family_name,
        &one.number,
        school,
        url,
    ]
    .map(escaped);
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "<section>\n<h1>Hello {given} {family}</h1>\n<p>{school} has prepared an account for you. \
         Open this page and choose \u{201c}I have a code\u{201d}:</p>\n<dl>\n<dt>Page</dt><dd>{url}</dd>\n\
         <dt>Student Number</dt><dd>{number}</dd>\n<dt>Code</dt><dd class=\"code\">{}</dd>\n</dl>\n\
         <p>Type your first name, your last name, {birthdate}, the number and the code. Then make a \
         password. The code works once, through {until}. Keep it to yourself: who has it can take \
         your account.</p>\n",
        code
    );
    if !humans.is_empty() {
        page.push_str("<p>Stuck, or too late? Write to:</p>\n<ul>\n");
        for human in humans {
            let email = human.email.as_deref().map(|email| format!(", {email}"));
            let line = format!(
                "{}, {}{}",
                human.name,
                human.role,
                email.unwrap_or_default()
            );
            let _ = writeln!(page, "<li>{}</li>", escaped(&line));
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</section>\n");
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// The last day, in UTC, that a code can be used the whole of.
pub(super) fn last_day(expires_at_ms: u64) -> String {
    let ms = i64::try_from(expires_at_ms).unwrap_or(i64::MAX);
    let day = jiff::Timestamp::from_millisecond(ms)
        .and_then(|at| at.checked_sub(24.hours()))
        .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC));
    match day {
        Ok(day) => day.strftime("%B %-d, %Y").to_string(),
        Err(_) => "the day it is replaced".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_says_how_and_escapes_what_a_roster_holds() {
        let one = Code {
            number: "S-1".to_owned(),
            given_name: "<b>Zo\u{eb}</b>".to_owned(),
            family_name: "O'Neil & Co".to_owned(),
            organization: "north".to_owned(),
            code: Some("CDFGH-JKMNP".to_owned()),
            expires_at_ms: 1_772_438_400_000,
            needs_birthdate: false,
        };
        let office = Human {
            name: "Office".to_owned(),
            role: "Room \"12\"".to_owned(),
            email: Some("office@north.example".to_owned()),
        };
        let mut page = String::new();
        letter(
            &mut page,
            &one,
            "North",
            "https://p.example/claim",
            &[office],
        );
        for part in [
            "Hello &lt;b&gt;Zo\u{eb}&lt;/b&gt; O&#39;Neil &amp; Co",
            "https://p.example/claim",
            "CDFGH-JKMNP",
            "through March 1, 2026",
            "leave it empty",
            "Office, Room &quot;12&quot;, office@north.example",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
}
