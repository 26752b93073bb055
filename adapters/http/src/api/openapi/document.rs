//! The document, made of the route table and the descriptions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use narthex_core::{EndReason, Refusal};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::description::{Operation, Success, operation};
use crate::problem::{Document as ProblemDocument, Problem};
use crate::routes::{Action, BodyKind, ROUTES, Route, Who};

/// A server that turns a request away before it has read it says so in a line of text.
const SAID_BY_THE_SOCKET_TOO: [u16; 3] = [413, 431, 503];

const PREFIX: &str = "/api/v1";

/// Which codes each status may carry.
type Refusals = BTreeMap<u16, BTreeSet<&'static str>>;

fn described() -> impl Iterator<Item = (&'static Route, Operation)> {
    ROUTES.iter().filter(|route| route.is_api()).map(|route| {
        let operation = operation(route.action);
        (
            route,
            operation.unwrap_or_else(|| panic!("describe {route:?}")),
        )
    })
}

fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for (route, operation) in described() {
        let path = route.pattern.strip_prefix(PREFIX).unwrap();
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[route.method.as_str().to_lowercase()] =
            operation_object(route, &operation, &mut generator);
    }
    let problem = generator.subschema_for::<ProblemDocument<'static>>();
    let responses = json!({
        "Problem": {
            "description": "What did not work (RFC 9457), with a stable `code`.",
            "content": { "application/problem+json": { "schema": problem } },
        }
    });
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "narthex",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The portal for programs. A request that changes something and carries \
                            one of our cookies needs `Sec-Fetch-Site: same-origin`, or an `Origin` \
                            equal to the portal's base URL.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        // Relative to this document, wherever the portal is mounted.
        "servers": [{ "url": "." }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-narthex",
                    "description": "Set by a log-in. On plain http over loopback: `narthex`.",
                }
            },
        },
    })
}

fn operation_object(
    route: &Route,
    operation: &Operation,
    generator: &mut SchemaGenerator,
) -> Value {
    let mut object = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters(route),
        "responses": responses(route, operation, generator),
    });
    if route.who == Who::Person {
        object["security"] = json!([{ "session": [] }]);
    }
    if route.body == BodyKind::File {
        let file = json!({ "schema": { "type": "string", "format": "binary" } });
        object["requestBody"] = json!({
            "required": true,
            "description": "A zip of OneRoster or School Data Sync files, or one CSV file; at most 16 MiB.",
            "content": { "application/zip": file, "text/csv": file },
        });
    }
    if let Some(body) = operation.body {
        object["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": body(generator) } },
        });
    }
    object
}

fn parameters(route: &Route) -> Vec<Value> {
    let names = route.pattern.split('/').filter_map(|part| {
        part.strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
    });
    let asked = (route.action == Action::ApiSession).then(|| {
        json!({
            "name": "return_to",
            "in": "query",
            "description": "A location: the answer then has its tag, `for`.",
            "schema": { "type": "string", "maxLength": 2048 },
        })
    });
    let of_files = (route.body == BodyKind::File).then(of_files);
    names
        .map(|name| {
            json!({
                "name": name,
                "in": "path",
                "required": true,
                "schema": { "type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$" },
            })
        })
        .chain(asked)
        .chain(of_files.into_iter().flatten())
        .collect()
}

/// What may be said of a file that comes as a body of its own.
fn of_files() -> [Value; 5] {
    let said = |name, description, schema| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    let line = json!({ "type": "string", "maxLength": 255 });
    [
        said(
            "file_name",
            "Of a CSV file: stands in findings, with its first 80 characters.",
            line.clone(),
        ),
        said(
            "delta",
            "`true`: the file has only what changed.",
            json!({ "type": "string", "enum": ["true", "false"] }),
        ),
        said(
            "dates",
            "How the file writes dates, where it does not make it plain.",
            json!({ "type": "string", "enum": ["mdy", "dmy"] }),
        ),
        said(
            "number_column",
            "The column with the numbers of people, where it is not plain.",
            line.clone(),
        ),
        said(
            "organization",
            "Everybody of a CSV file belongs to this organization.",
            line,
        ),
    ]
}

fn responses(route: &Route, operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let document = |schema: Value, kind: &str, text: &str| json!({ "description": text, "content": { kind: { "schema": schema } } });
    match &operation.success {
        Success::Document(status, schema) => {
            let schema = serde_json::to_value(schema(generator)).unwrap();
            let answer = document(schema, "application/json", "Done.");
            responses.insert(status.to_string(), answer);
        }
        Success::OpenApi => {
            let schema = json!({ "type": "object" });
            let answer = document(schema, "application/json", "This document.");
            responses.insert("200".into(), answer);
        }
        Success::Events => {
            let answer =
                json!({ "description": "The stream.", "content": { "text/event-stream": {} } });
            responses.insert("200".into(), answer);
        }
        Success::Nothing => {}
    }
    if matches!(operation.success, Success::Nothing | Success::Events) {
        responses.insert(
            "204".into(),
            json!({ "description": "Done; nothing to say." }),
        );
    }
    for (status, codes) in refusals(route, operation) {
        let codes: Vec<_> = codes.into_iter().map(|code| format!("`{code}`")).collect();
        let schema = generator.subschema_for::<ProblemDocument<'static>>();
        let mut content = json!({ "application/problem+json": { "schema": schema } });
        if SAID_BY_THE_SOCKET_TOO.contains(&status) {
            content["text/plain"] = json!({});
        }
        let mut description = codes.join(", ");
        if status == 431 {
            description += ". Where the headers do not fit into what the server reads at once, it says \
                            so without a document.";
        }
        let answer = json!({ "description": description, "content": content });
        responses.insert(status.to_string(), answer);
    }
    Value::Object(responses)
}

/// What every route answers, what its kind answers, and what it says of itself.
fn refusals(route: &Route, operation: &Operation) -> Refusals {
    let mut refusals = Refusals::new();
    let mut may = |status: u16, code: &'static str| {
        refusals.entry(status).or_default().insert(code);
    };
    may(400, "duplicate_cookie");
    may(400, "malformed_request");
    may(413, "body_too_large");
    may(414, "location_too_long");
    may(421, "wrong_host");
    may(431, "headers_too_large");
    may(500, "internal");
    may(503, "busy");
    may(503, "contended");
    may(503, "unavailable");
    if route.is_unsafe() {
        may(403, "cross_site");
    }
    if route.body == BodyKind::File {
        // Where the host reads no files.
        may(404, "not_found");
    }
    if matches!(route.body, BodyKind::Json(_) | BodyKind::File) {
        may(415, "unsupported_media_type");
        may(422, "invalid_fields");
    }
    if route.pattern.contains('{') {
        may(404, "not_found");
    }
    if route.who == Who::Person {
        may(409, "family_mismatch");
        for code in ["not_logged_in", "session_ended", "token_replaced"] {
            may(401, code);
        }
    }
    for code in operation.refusals {
        may(status_of(code), code);
    }
    refusals
}

/// The status that `crate::problem` gives a code.
fn status_of(code: &str) -> u16 {
    if code == "family_mismatch" {
        return crate::guard::family_mismatch().status.as_u16();
    }
    let refusal = samples().into_iter().find(|refusal| refusal.code() == code);
    let refusal = refusal.unwrap_or_else(|| panic!("{code} is no refusal"));
    Problem::from(&refusal).status.as_u16()
}

fn samples() -> Vec<Refusal> {
    vec![
        Refusal::AlreadyClaimed,
        Refusal::AlreadyRecovered,
        Refusal::AnswersNotMatched,
        Refusal::AnswersUnacceptable(Vec::new()),
        Refusal::ClaimExpired,
        Refusal::ClaimNotMatched,
        Refusal::ClaimStepMissing,
        Refusal::LoginFailed,
        Refusal::NotLoggedIn,
        Refusal::NotPermitted,
        Refusal::PasswordUnacceptable(Vec::new()),
        Refusal::ReauthenticationNeeded,
        Refusal::RecoveryExpired,
        Refusal::RecoveryFailed,
        Refusal::RecoveryStepMissing,
        Refusal::SessionEnded {
            reason: EndReason::LogOut,
            account: None,
        },
        Refusal::Throttled {
            retry_after: Duration::from_secs(1),
        },
        Refusal::TokenReplaced,
    ]
}

#[test]
fn openapi_is_the_document_of_this_code() {
    let mut made = serde_json::to_string_pretty(&document()).unwrap();
    made.push('\n');
    // Not as it should be? `UPDATE_EXPECT=1 cargo test -p narthex-http openapi` writes it.
    expect_test::expect_file!["../../../openapi.json"].assert_eq(&made);
}

#[test]
fn openapi_names_the_members_that_the_route_table_reads() {
    for (route, operation) in described() {
        let mut generator = SchemaGenerator::default();
        let said: BTreeSet<String> = match operation.body {
            None => BTreeSet::new(),
            Some(body) => {
                let reference = body(&mut generator);
                let name = reference.as_value()["$ref"].as_str().unwrap();
                let name = name.rsplit('/').next().unwrap();
                let schemas = generator.take_definitions(true);
                let properties = schemas[name]["properties"].as_object().unwrap();
                properties.keys().cloned().collect()
            }
        };
        let read: BTreeSet<String> = match route.body {
            BodyKind::Json(members) => members.iter().map(|m| (*m).to_owned()).collect(),
            _ => BTreeSet::new(),
        };
        assert_eq!(said, read, "{} {}", route.method, route.pattern);
    }
}

#[test]
fn openapi_knows_every_refusal() {
    let codes: Vec<_> = samples().iter().map(Refusal::code).collect();
    let known: BTreeSet<_> = codes.iter().copied().collect();
    assert_eq!(known, Refusal::CODES.into_iter().collect());
}

#[test]
fn openapi_operations_have_names_of_their_own() {
    let mut seen = BTreeSet::new();
    for (route, operation) in described() {
        assert!(seen.insert(operation.id), "{} twice", operation.id);
        let takes = matches!(route.body, BodyKind::Json(_));
        assert_eq!(operation.body.is_some(), takes, "{route:?}");
    }
}
