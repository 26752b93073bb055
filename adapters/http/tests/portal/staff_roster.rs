//! `/staff/roster`: a file is looked at, confirmed once, and never reaches into another school.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use http::header::{CONTENT_TYPE, COOKIE};
use http::{Method, Request, StatusCode};
use narthex_core::model::roster::{Finding, Place, RosterBatch, RosterPerson, Severity};
use narthex_core::model::{Listing, Membership, OrganizationId, Role};
use narthex_core::{LoginId, Policy};
use narthex_http::{
    BODY_BYTES_MAX, ROSTER_BYTES_MAX, ReadRoster, ReadingRoster, RosterReader, RosterUnreadable,
    RosterUpload, Settings,
};
use serde_json::{Value, json};

use crate::common::{Answer, Browser, HOST_NAME, House, ORIGIN_URL, PASSWORD, ada, batch};

/// A format of this host: `number,given name,family name,organization` in each line; `!` ends it all, `?`
/// is a line that cannot be read.
#[derive(Debug)]
struct Lines;

impl RosterReader for Lines {
    fn read(&self, upload: RosterUpload) -> ReadingRoster<'_> {
        Box::pin(async move { read(&upload) })
    }
}

fn read(upload: &RosterUpload) -> Result<ReadRoster, RosterUnreadable> {
    let text = String::from_utf8(upload.bytes.to_vec());
    let text = text.map_err(|_| RosterUnreadable("it is no text".to_owned()))?;
    let place = |line: usize| Place {
        file: upload.file_name.clone(),
        line: line as u64 + 1,
        column: Some("number".to_owned()),
    };
    let (mut people, mut findings) = (Vec::new(), Vec::new());
    for (n, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let [number, given, family, organization] = *cells.as_slice() else {
            let fatal = line.starts_with('!');
            findings.push(Finding {
                severity: if fatal {
                    Severity::Error
                } else {
                    Severity::Warning
                },
                code: "line_unreadable",
                place: place(n),
                value: Some(line.to_owned()),
                message: "this <line> cannot be read".to_owned(),
            });
            continue;
        };
        let organization = OrganizationId::parse(organization).unwrap();
        people.push(RosterPerson {
            source_id: number.to_owned(),
            login_id: LoginId::parse(number).unwrap(),
            given_name: given.to_owned(),
            family_name: family.to_owned(),
            preferred_given_name: None,
            preferred_family_name: None,
            birthdate: None,
            memberships: vec![Membership {
                organization: organization.clone(),
                role: if number == "T-1" {
                    Role::Administrator
                } else {
                    Role::Student
                },
            }],
            default_organization: organization,
            enabled: true,
            place: place(n),
        });
    }
    Ok(ReadRoster {
        batch: RosterBatch {
            source: "test".to_owned(),
            complete: !upload.delta && findings.is_empty(),
            organizations: batch(true).organizations,
            people,
            changes: Vec::new(),
        },
        left_out: findings.len(),
        findings,
    })
}

fn school() -> House {
    let mut settings = Settings::new(ORIGIN_URL).unwrap();
    settings.roster_reader = Some(Arc::new(Lines));
    House::with(settings, Policy::default())
}

/// The principal of the north, logged in.
fn cleo(house: &House) -> Browser<'_> {
    let mut browser = house.browser();
    browser.claim("T-1", "Cleo", "Marsh");
    browser.log_in("T-1");
    browser
}

const BOUNDARY: &str = "a-boundary";

/// `multipart/form-data` as a browser sends it.
fn multipart(fields: &[(&str, &str)], files: &[(&str, &str)]) -> String {
    let mut body = String::new();
    let quote = '"';
    for (name, value) in fields {
        let head = format!("Content-Disposition: form-data; name={quote}{name}{quote}");
        write!(body, "--{BOUNDARY}\r\n{head}\r\n\r\n{value}\r\n").unwrap();
    }
    for (name, text) in files {
        let head = format!(
            "Content-Disposition: form-data; name={quote}file{quote}; filename={quote}{name}{quote}"
        );
        let kind = "Content-Type: text/csv";
        write!(body, "--{BOUNDARY}\r\n{head}\r\n{kind}\r\n\r\n{text}\r\n").unwrap();
    }
    write!(body, "--{BOUNDARY}--\r\n").unwrap();
    body
}

fn upload(
    browser: &mut Browser<'_>,
    page: &Answer,
    fields: &[(&str, &str)],
    files: &[(&str, &str)],
) -> Answer {
    let (token, family) = (page.hidden("form_token"), page.hidden("family"));
    let mut all = vec![("form_token", token.as_str()), ("family", family.as_str())];
    all.extend(fields);
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers = [
        ("sec-fetch-site", "same-origin"),
        (CONTENT_TYPE.as_str(), kind.as_str()),
    ];
    let body = multipart(&all, files);
    browser.send(Method::POST, "/staff/roster", &headers, body.as_bytes())
}

fn look(browser: &mut Browser<'_>, text: &str) -> Answer {
    let page = browser.get("/staff/roster");
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    upload(browser, &page, &[], &[("people.csv", text)])
}

fn confirm(browser: &mut Browser<'_>, preview: &Answer) -> Answer {
    let name = preview.hidden("upload");
    browser.submit(preview, "/staff/roster/confirm", &[("upload", &name)])
}

fn listing(house: &House, number: &str) -> Option<Listing> {
    let number = LoginId::parse(number).unwrap();
    let person = block_on(house.portal.person(&number)).unwrap();
    person.map(|person| person.listing)
}

/// The counts of a school on the page: new, changed, as before, ended, waiting, left out.
fn counts(page: &Answer, school: &str) -> Vec<String> {
    let row = page.body.split("<tr>").find(|row| {
        let row = crate::common::unescape(row);
        row.contains(&format!(">{school}<"))
    });
    let cells = row
        .unwrap_or_else(|| panic!("{school} in {}", page.body))
        .split("<td>")
        .skip(1);
    cells
        .map(|cell| cell.split('<').next().unwrap().to_owned())
        .collect()
}

const NORTH: &str = "T-1,Cleo,Marsh,north\nS-4096,Dan,Ekholm,north\nS-5000,Eve,Yamada,north\n";

#[test]
fn a_file_is_looked_at_first_and_brought_in_once_when_it_is_confirmed() {
    let house = school();
    let mut clerk = cleo(&house);
    let before = house.contents();
    let looked = look(&mut clerk, NORTH);
    assert_eq!(looked.status, StatusCode::OK, "{}", looked.body);
    assert!(looked.has("What would change") && looked.has("Nothing is changed yet"));
    // Dan has no birthdate in this file; Ada, who is of the south too, is not the clerk's to end.
    assert_eq!(
        counts(&looked, "All together"),
        ["1", "2", "0", "0", "0", "0"]
    );
    let records = |contents: Vec<String>| -> Vec<String> {
        contents
            .into_iter()
            .filter(|line| line.starts_with("Records"))
            .collect()
    };
    assert_eq!(records(house.contents()), records(before));
    assert_eq!(listing(&house, "S-5000"), None);

    let done = confirm(&mut clerk, &looked);
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert!(done.has("The list is brought in"));
    assert_eq!(
        counts(&done, "North <School> & Co"),
        ["1", "2", "0", "0", "0", "0"]
    );
    assert_eq!(listing(&house, "S-5000"), Some(Listing::Active));
    let again = confirm(&mut clerk, &looked);
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.has("brought in already"), "{}", again.body);
}

#[test]
fn findings_say_where_and_never_more_than_the_file_does() {
    let house = school();
    let mut clerk = cleo(&house);
    let looked = look(&mut clerk, &format!("{NORTH}?\nS-2048,Ben,Okoro,north\n"));
    assert!(looked.has("people.csv, line 4, number"), "{}", looked.body);
    assert!(looked.has("this <line> cannot be read") && !looked.body.contains("<line>"));
    assert!(looked.has("people.csv, line 5"), "Ben is of the south");
    assert_eq!(
        counts(&looked, "All together"),
        ["1", "2", "0", "0", "0", "2"]
    );
    let stopped = look(&mut clerk, &format!("{NORTH}!\n"));
    assert_eq!(stopped.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(stopped.has("the file has errors") && !stopped.has("Bring it in"));
    let unreadable = {
        let page = clerk.get("/staff/roster");
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let headers = [
            ("sec-fetch-site", "same-origin"),
            (CONTENT_TYPE.as_str(), kind.as_str()),
        ];
        let (token, family) = (page.hidden("form_token"), page.hidden("family"));
        let fields = [("form_token", token.as_str()), ("family", family.as_str())];
        let body = multipart(&fields, &[("people.csv", "\u{1}")]);
        let mut body = body.into_bytes();
        let at = body.iter().position(|byte| *byte == 1).unwrap();
        body[at] = 0xff;
        clerk.send(Method::POST, "/staff/roster", &headers, &body)
    };
    assert_eq!(unreadable.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        unreadable.has("could not be read: it is no text"),
        "{}",
        unreadable.body
    );
}

#[test]
fn az01_a_file_and_its_confirmation_are_for_staff_and_for_who_brought_it() {
    let house = school();
    let mut pupil = ada(&house);
    assert_eq!(pupil.get("/staff/roster").status, StatusCode::FORBIDDEN);
    assert_eq!(pupil.get("/staff/statistics").status, StatusCode::FORBIDDEN);
    let page = pupil.get("/account");
    let refused = upload(&mut pupil, &page, &[], &[("people.csv", NORTH)]);
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let mut clerk = cleo(&house);
    // Whether a file can be read is told to staff: nobody else has one read.
    for (browser, told) in [
        (&mut pupil, "not_permitted"),
        (&mut clerk, "invalid_fields"),
    ] {
        let answer = program(browser, "/api/v1/staff/roster", "text/csv", b"\xff");
        assert_eq!(answer.code(), told, "{}", answer.body);
    }
    let looked = look(&mut clerk, NORTH);
    let name = looked.hidden("upload");
    let refused = pupil.submit(&page, "/staff/roster/confirm", &[("upload", &name)]);
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    // The same person in another browser is another session.
    let mut elsewhere = house.browser();
    elsewhere.log_in("T-1");
    let page = elsewhere.get("/staff/roster");
    let refused = elsewhere.submit(&page, "/staff/roster/confirm", &[("upload", &name)]);
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(listing(&house, "S-5000"), None);
    house.advance(Duration::from_secs(14 * 60));
    let done = confirm(&mut clerk, &looked);
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
}

#[test]
fn se13_a_log_in_that_is_not_fresh_is_asked_for_the_password_before_anything_is_brought_in() {
    let house = school();
    let mut clerk = cleo(&house);
    house.advance(Duration::from_secs(10 * 60));
    let looked = look(&mut clerk, NORTH);
    house.advance(Duration::from_secs(6 * 60));
    let asked = confirm(&mut clerk, &looked);
    assert_eq!(
        asked.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        asked.body
    );
    assert!(asked.has("name=\"current\"") && listing(&house, "S-5000").is_none());
    let page = clerk.get("/staff/roster");
    assert!(page.has("name=\"current\"") && !page.has("type=\"file\""));
    let refused = upload(&mut clerk, &page, &[], &[("people.csv", NORTH)]);
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.has("choose the file again"));
    let name = asked.hidden("upload");
    let fields = [("upload", name.as_str()), ("current", PASSWORD)];
    let done = clerk.submit(&asked, "/staff/roster/confirm", &fields);
    assert!(done.has("The list is brought in"), "{}", done.body);
    assert!(
        clerk.get("/staff/roster").has("type=\"file\""),
        "fresh again"
    );

    house.advance(Duration::from_secs(16 * 60));
    let page = clerk.get("/staff/roster");
    let opened = clerk.submit(&page, "/staff/roster/holds", &[("current", PASSWORD)]);
    assert_eq!(opened.status, StatusCode::SEE_OTHER);
    assert!(
        clerk.get("/staff/roster").has("type=\"file\""),
        "by the password alone"
    );
}

/// Thirty people of the north of whom the next list has ten.
fn held(house: &House) {
    let line = |n: usize| format!("S-{},Given,Family{n},north\n", 6000 + n);
    let list = |n: usize| format!("{NORTH}{}", (0..n).map(line).collect::<String>());
    let mut clerk = cleo(house);
    for n in [30, 10] {
        let looked = look(&mut clerk, &list(n));
        let done = confirm(&mut clerk, &looked);
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    }
}

#[test]
fn who_is_missing_by_many_waits_and_staff_decide() {
    for (decision, notice, after) in [
        ("confirm", "They are ended now", Listing::Inactive),
        ("discard", "They stay as they are", Listing::Active),
    ] {
        let house = school();
        held(&house);
        let mut clerk = house.browser();
        clerk.log_in("T-1");
        let page = clerk.get("/staff/roster");
        assert!(page.has("20 of 33 people are missing"), "{}", page.body);
        assert_eq!(listing(&house, "S-6020"), Some(Listing::Active));
        let fields = [
            ("source", "test"),
            ("organization", "north"),
            ("decision", decision),
        ];
        let settled = clerk.submit(&page, "/staff/roster/holds", &fields);
        assert_eq!(settled.status, StatusCode::SEE_OTHER, "{}", settled.body);
        let location = settled.location().to_owned();
        let page = clerk.get(&location);
        assert!(
            page.has(notice) && !page.has("Waiting for you"),
            "{}",
            page.body
        );
        assert_eq!(listing(&house, "S-6020"), Some(after));
        let again = clerk.submit(&page, "/staff/roster/holds", &fields);
        assert_eq!(again.location(), "/staff/roster?notice=hold_gone");
    }
}

fn program(browser: &mut Browser<'_>, target: &str, kind: &str, body: &[u8]) -> Answer {
    let headers = [
        ("sec-fetch-site", "same-origin"),
        (CONTENT_TYPE.as_str(), kind),
    ];
    browser.send(Method::POST, target, &headers, body)
}

#[test]
fn a_program_is_told_of_a_word_that_nobody_knows() {
    let house = school();
    let mut clerk = cleo(&house);
    for wrong in ["delta=yes", "dates=ymd"] {
        let target = format!("/api/v1/staff/roster?{wrong}");
        let refused = program(&mut clerk, &target, "text/csv", NORTH.as_bytes());
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        let (field, _) = wrong.split_once('=').unwrap();
        assert_eq!(refused.json()["issues"][0]["field"], field);
    }
}

#[test]
fn programs_look_confirm_and_settle_as_people_do() {
    let house = school();
    let mut clerk = cleo(&house);
    let target = "/api/v1/staff/roster?file_name=people.csv";
    let bad = program(
        &mut clerk,
        target,
        "text/csv",
        format!("{NORTH}?\n").as_bytes(),
    );
    let document = bad.json();
    assert_eq!(document["findings"][0]["line"], 4, "{document}");
    assert_eq!(document["findings"][0]["severity"], "warning");
    let looked = program(
        &mut clerk,
        target,
        "text/csv; charset=utf-8",
        NORTH.as_bytes(),
    )
    .json();
    assert_eq!(looked["stopped"], false);
    assert_eq!(looked["organizations"][0]["added"], 1, "{looked}");
    assert_eq!(listing(&house, "S-5000"), None);
    let body = json!({ "upload": looked["upload"] }).to_string();
    let done = clerk.json(Method::POST, "/api/v1/staff/roster/confirm", &body);
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(done.json()["organizations"][0]["added"], 1);
    assert_eq!(done.json()["upload"], Value::Null);
    assert_eq!(listing(&house, "S-5000"), Some(Listing::Active));
    let again = clerk.json(Method::POST, "/api/v1/staff/roster/confirm", &body);
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(again.json()["issues"][0]["code"], "upload_gone");
    for (kind, body, status) in [("application/json", NORTH, 415), ("text/csv", "", 422)] {
        let refused = program(&mut clerk, target, kind, body.as_bytes());
        assert_eq!(refused.status.as_u16(), status, "{}", refused.body);
    }

    let house = school();
    held(&house);
    let mut clerk = house.browser();
    clerk.log_in("T-1");
    let holds = clerk.fetch("/api/v1/staff/roster/holds").json();
    assert_eq!(holds["holds"][0]["missing"], 20, "{holds}");
    let decide = |decision: &str| {
        json!({ "source": "test", "organization": "north", "decision": decision }).to_string()
    };
    let target = "/api/v1/staff/roster/holds";
    let odd = clerk.json(Method::POST, target, &decide("perhaps"));
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    let settled = clerk.json(Method::POST, target, &decide("confirm"));
    assert_eq!(settled.json()["ended"], 20, "{}", settled.body);
    let again = clerk.json(Method::POST, target, &decide("confirm"));
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    let numbers = clerk
        .fetch("/api/v1/staff/organizations/north/statistics")
        .json();
    assert_eq!(numbers["people"][0]["role"], "student", "{numbers}");
    assert_eq!(numbers["claims"].as_array().unwrap().len(), 28);
    let south = clerk.fetch("/api/v1/staff/organizations/south/statistics");
    assert_eq!(south.code(), "not_permitted");

    house.advance(Duration::from_secs(16 * 60));
    let stale = program(
        &mut clerk,
        "/api/v1/staff/roster",
        "text/csv",
        NORTH.as_bytes(),
    );
    assert_eq!(stale.code(), "reauthentication_needed");
    let stale = clerk.json(Method::POST, target, &decide("confirm"));
    assert_eq!(stale.code(), "reauthentication_needed");
    let mut pupil = ada(&house);
    assert_eq!(
        pupil.fetch("/api/v1/staff/roster/holds").code(),
        "not_permitted"
    );
    let refused = program(
        &mut pupil,
        "/api/v1/staff/roster",
        "text/csv",
        NORTH.as_bytes(),
    );
    assert_eq!(refused.code(), "not_permitted");
}

#[test]
fn a_host_that_reads_no_files_says_what_to_do_instead() {
    let house = House::new();
    let mut clerk = cleo(&house);
    let page = clerk.get("/staff/roster");
    assert!(page.has("narthex roster import") && !page.has("type=\"file\""));
    let none = program(
        &mut clerk,
        "/api/v1/staff/roster",
        "text/csv",
        NORTH.as_bytes(),
    );
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[test]
fn dp04_a_long_body_is_for_staff_with_a_roster_and_is_capped_before_it_is_unpacked() {
    let house = school();
    let clerk = cleo(&house);
    let pupil = ada(&house);
    let most = |browser: Option<&Browser<'_>>, method: Method, target: &str| {
        let mut request = Request::builder().method(method).uri(target);
        request = request.header("host", HOST_NAME);
        if let Some(browser) = browser {
            let pairs = browser.cookies.iter().map(|(n, v)| format!("{n}={v}"));
            request = request.header(COOKIE, pairs.collect::<Vec<_>>().join("; "));
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        block_on(house.service.body_bytes_max(&head))
    };
    for target in ["/staff/roster", "/api/v1/staff/roster"] {
        assert_eq!(most(Some(&clerk), Method::POST, target), ROSTER_BYTES_MAX);
        assert_eq!(most(Some(&clerk), Method::GET, target), BODY_BYTES_MAX);
        assert_eq!(most(Some(&pupil), Method::POST, target), BODY_BYTES_MAX);
        assert_eq!(most(None, Method::POST, target), BODY_BYTES_MAX);
    }
    assert_eq!(most(Some(&clerk), Method::POST, "/staff"), BODY_BYTES_MAX);
    let mut clerk = clerk;
    let body = vec![b'x'; ROSTER_BYTES_MAX + 1];
    let refused = program(&mut clerk, "/api/v1/staff/roster", "text/csv", &body);
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    let refused = program(&mut clerk, "/staff", "text/csv", &body[..=BODY_BYTES_MAX]);
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[test]
fn wb17_what_a_form_with_a_file_does_not_have_is_refused() {
    let house = school();
    let mut clerk = cleo(&house);
    let page = clerk.get("/staff/roster");
    let file = ("people.csv", NORTH);
    for (fields, files, status) in [
        (&[("admin", "1")][..], &[file][..], 400),
        (&[("delta", "on"), ("delta", "on")], &[file], 400),
        (&[], &[file, file], 400),
        (&[], &[], 422),
        (&[("delta", "on")], &[file], 200),
    ] {
        let answer = upload(&mut clerk, &page, fields, files);
        assert_eq!(answer.status.as_u16(), status, "{fields:?} {}", answer.body);
    }
    let (token, family) = (page.hidden("form_token"), page.hidden("family"));
    for (token, family, status) in [
        ("not-it", family.as_str(), 403),
        (token.as_str(), "not-it", 303),
    ] {
        let body = multipart(&[("form_token", token), ("family", family)], &[file]);
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let refused = program(&mut clerk, "/staff/roster", &kind, body.as_bytes());
        assert_eq!(refused.status.as_u16(), status, "{}", refused.body);
    }
    for kind in [
        "text/csv",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
    ] {
        let refused = program(&mut clerk, "/staff/roster", kind, NORTH.as_bytes());
        assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
    assert_eq!(listing(&house, "S-5000"), None);
}

#[test]
fn numbers_are_drawn_with_their_table_and_for_the_schools_of_staff_alone() {
    let house = school();
    let mut clerk = cleo(&house);
    let page = clerk.get("/staff/statistics");
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert_eq!(page.body.matches("role=\"img\"").count(), 3);
    assert_eq!(page.body.matches("<details class=\"behind\">").count(), 3);
    assert!(
        page.has("<tr><th scope=\"row\">2023-11-14</th><td>1</td></tr>"),
        "{}",
        page.body
    );
    assert!(page.has("From 2023-10-18 to 2023-11-14: 1 in all, 1 at most, 1 at the end."));
    assert!(!page.has("style=\"") && !page.has("South"));
    assert!(page.has("of 3 on the list (33 %)"));
    let south = clerk.get("/staff/statistics?organization=south");
    assert_eq!(south.status, StatusCode::FORBIDDEN);
}
