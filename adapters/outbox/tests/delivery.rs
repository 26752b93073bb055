//! The outbox of a real portal; a mail server and a webhook that listen on sockets.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

#[cfg(test)]
mod mail_server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use narthex_conformance::{ManualClock, TestEntropy, TestHasher};
use narthex_core::host::KeyRing;
use narthex_core::model::roster::{Place, RosterBatch, RosterOrganization, RosterPerson};
use narthex_core::model::{Membership, OrganizationKind};
use narthex_core::portal::{ImportOptions, LogIn};
use narthex_core::rules::claim::ClaimEvidence;
use narthex_core::rules::details::{DetailsChange, DetailsField};
use narthex_core::rules::question::SecurityAnswers;
use narthex_core::store::MemoryStore;
use narthex_core::{
    Asker, Birthdate, BrowserSecret, Doors, LoginId, OrganizationId, Password, Policy, Portal,
    Role, SessionToken, Timestamp,
};
use narthex_outbox::{
    Channels, Mail, MailSettings, SIGNATURE_HEADER, Webhook, WebhookSettings, deliver,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

const PASSWORD: &str = "seven leagues of lace";

async fn portal() -> Portal {
    let entropy = TestEntropy::seeded(11);
    let mut policy = Policy::default();
    policy.messages.deliver = true;
    let doors = Doors {
        store: Arc::new(MemoryStore::new()),
        clock: Arc::new(ManualClock::at(Timestamp::from_millis(1_767_225_600_000))),
        hasher: Arc::new(TestHasher::new(16)),
        keys: KeyRing::generate(&entropy).unwrap(),
        entropy: Arc::new(entropy),
    };
    let portal = Portal::open(doors, policy).await.unwrap();
    let organization = OrganizationId::parse("north").unwrap();
    let batch = RosterBatch {
        source: "test".to_owned(),
        complete: true,
        organizations: vec![RosterOrganization {
            id: organization.clone(),
            name: "North School".to_owned(),
            kind: OrganizationKind::School,
            parent: None,
            contacts: Vec::new(),
        }],
        people: vec![RosterPerson {
            source_id: "1".to_owned(),
            login_id: LoginId::parse("S-1").unwrap(),
            given_name: "Ada".to_owned(),
            family_name: "Byron".to_owned(),
            preferred_given_name: None,
            preferred_family_name: None,
            birthdate: Some(Birthdate::parse("2012-12-10").unwrap()),
            memberships: vec![Membership {
                organization: organization.clone(),
                role: Role::Student,
            }],
            default_organization: organization,
            enabled: true,
            place: Place::default(),
        }],
        ..RosterBatch::default()
    };
    let import = portal.import_roster(batch, ImportOptions::default(), &|_| ());
    import.await.unwrap();
    portal
}

async fn claim(portal: &Portal) {
    let text = data_encoding::BASE64URL_NOPAD.encode(&portal.random::<32>().unwrap());
    let (browser, asker) = (BrowserSecret::parse(&text).unwrap(), Asker::default());
    let evidence = ClaimEvidence::parse("Ada", "Byron", "2012-12-10", "S-1").unwrap();
    let ticket = portal
        .begin_claim(evidence, &browser, &asker)
        .await
        .unwrap();
    let password = Password::parse(PASSWORD).unwrap();
    let ticket = portal
        .set_claim_password(&ticket, &browser, password)
        .await
        .unwrap();
    let answers = SecurityAnswers::new()
        .with("first_toy", "Vellum")
        .with("story", "Zeno and the lane");
    portal
        .finish_claim(&ticket, &browser, answers, &asker)
        .await
        .unwrap();
}

async fn log_in(portal: &Portal) -> SessionToken {
    let request = LogIn {
        login_id: LoginId::parse("S-1").unwrap(),
        password: Password::parse(PASSWORD).unwrap(),
        shared_computer: false,
        presented: None,
    };
    portal
        .log_in(request, &Asker::default())
        .await
        .unwrap()
        .token
}

/// Answers each request with the next of `statuses` (the last one for ever), and keeps what came.
async fn hook(statuses: &'static [u16]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/told", listener.local_addr().unwrap());
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&heard);
    tokio::spawn(async move {
        for turn in 0.. {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !is_whole(&request) {
                let mut part = [0; 4096];
                let read = socket.read(&mut part).await.unwrap();
                request.extend(part.iter().take(read));
            }
            kept.lock()
                .unwrap()
                .push(String::from_utf8(request).unwrap());
            let status = statuses.get(turn).or(statuses.last()).unwrap();
            let answer =
                format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, heard)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_lowercase();
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    length.is_some_and(|length| length.parse() == Ok(body.len()))
}

async fn eventually(what: &str, mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(done().await, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_reaches_the_webhook_signed_and_the_person_at_the_next_log_in() {
    let portal = portal().await;
    claim(&portal).await;
    let (url, heard) = hook(&[200]).await;
    let settings = WebhookSettings {
        url,
        secret: Zeroizing::new("shared".to_owned()),
    };
    let channels = Channels {
        webhook: Some(Webhook::new(settings).unwrap()),
        mail: None,
    };
    let delivering = tokio::spawn(deliver(portal.clone(), channels));
    eventually("the outbox is empty", async || {
        portal.outbox(None).await.unwrap().is_empty()
    })
    .await;
    delivering.abort();
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 1, "{heard:?}");
    let request = heard.first().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.to_lowercase()
            .contains(&format!("{SIGNATURE_HEADER}: sha256="))
    );
    let told: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(told.get("kind").unwrap(), "claimed");
    assert_eq!(told.get("at").unwrap(), "2026-01-01T00:00:00Z");
    assert_eq!(
        told.get("organizations").unwrap(),
        &serde_json::json!(["north"])
    );
    for secret in ["Ada", "Byron", "S-1", "2012", PASSWORD, "Vellum"] {
        assert!(!request.contains(secret), "{secret} in {request}");
    }
    // No address is known: the person reads it on the landing page.
    let session = portal.verify_session(&log_in(&portal).await).await.unwrap();
    assert_eq!(portal.messages(&session).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_fails_hears_it_again_under_the_same_id_and_nothing_is_lost() {
    let portal = portal().await;
    claim(&portal).await;
    let (url, heard) = hook(&[500, 302, 200]).await;
    let new = || {
        let secret = Zeroizing::new("shared".to_owned());
        let settings = WebhookSettings {
            url: url.clone(),
            secret,
        };
        Channels {
            webhook: Some(Webhook::new(settings).unwrap()),
            mail: None,
        }
    };
    // Each start tries at once; the wait in between is tried with a clock that tests move.
    for expected in 1..=3 {
        let delivering = tokio::spawn(deliver(portal.clone(), new()));
        eventually("it was tried", async || {
            heard.lock().unwrap().len() >= expected
        })
        .await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        delivering.abort();
        let left = portal.outbox(None).await.unwrap().len();
        assert_eq!(left, usize::from(expected < 3), "after try {expected}");
    }
    let ids: std::collections::BTreeSet<String> = heard
        .lock()
        .unwrap()
        .iter()
        .map(|request| {
            let body = request.split_once("\r\n\r\n").unwrap().1;
            let told: serde_json::Value = serde_json::from_str(body).unwrap();
            told.get("id").unwrap().as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gave_an_address_gets_a_letter_in_their_language_and_no_message_at_the_log_in() {
    let portal = portal().await;
    claim(&portal).await;
    let session = portal.verify_session(&log_in(&portal).await).await.unwrap();
    let mut change = DetailsChange::default();
    change.set(DetailsField::Email, "ada@home.example").unwrap();
    change.set(DetailsField::Language, "es-MX").unwrap();
    let asker = Asker::default();
    portal
        .change_details(&session, &change, &asker)
        .await
        .unwrap();
    let (server, talk) = mail_server::server("250 ok\r\n").await;
    let settings = MailSettings {
        server,
        login: None,
        from: "School Portal <portal@school.example>".to_owned(),
        site_name: "School Portal".to_owned(),
        language: "en".to_owned(),
    };
    let channels = Channels {
        webhook: None,
        mail: Some(Mail::new(settings).unwrap()),
    };
    let delivering = tokio::spawn(deliver(portal.clone(), channels));
    eventually("the outbox is empty", async || {
        portal.outbox(None).await.unwrap().is_empty()
    })
    .await;
    delivering.abort();
    let _ = delivering.await;
    let said = talk.await.unwrap().replace("=\n", "");
    for part in [
        "RCPT TO:<ada@home.example>",
        "Subject: School Portal: Tu cuenta fue reclamada",
        "Hola, Ada",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(portal.messages(&session).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_down_keeps_no_letter_back() {
    let portal = portal().await;
    claim(&portal).await;
    let session = portal.verify_session(&log_in(&portal).await).await.unwrap();
    let mut change = DetailsChange::default();
    change.set(DetailsField::Email, "ada@home.example").unwrap();
    let asker = Asker::default();
    let changed = portal.change_details(&session, &change, &asker);
    changed.await.unwrap();
    let (server, talk) = mail_server::server("250 ok\r\n").await;
    let address = server.strip_prefix("smtp://").unwrap().to_owned();
    let (url, heard) = hook(&[500]).await;
    let mail = MailSettings {
        server,
        login: None,
        from: "School Portal <portal@school.example>".to_owned(),
        site_name: "School Portal".to_owned(),
        language: "en".to_owned(),
    };
    let webhook = WebhookSettings {
        url,
        secret: Zeroizing::new("shared".to_owned()),
    };
    let channels = Channels {
        webhook: Some(Webhook::new(webhook).unwrap()),
        mail: Some(Mail::new(mail).unwrap()),
    };
    let delivering = tokio::spawn(deliver(portal.clone(), channels));
    let said = talk.await.unwrap();
    assert!(said.contains("RCPT TO:<ada@home.example>"), "{said}");
    // The second try, ten seconds later, is the webhook's alone.
    let at_the_door = TcpListener::bind(address).await.unwrap();
    let second_letter = tokio::spawn(async move { at_the_door.accept().await });
    eventually("the webhook was asked again", async || {
        heard.lock().unwrap().len() >= 2
    })
    .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!second_letter.is_finished(), "a second letter");
    delivering.abort();
    assert_eq!(portal.outbox(None).await.unwrap().len(), 1, "it waits");
}
