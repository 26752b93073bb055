//! By mail, through the operator's mail server.

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message as Letter, Tokio1Executor};
use narthex_core::portal::Outgoing;
use zeroize::Zeroizing;

use crate::texts::{advice, greeting, spoken, texts, unknown_browser};
use crate::{DeliveryError, OutboxError};

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// `smtps://host`, or `smtp://host:587?tls=required`; without TLS only to this machine.
    pub server: String,
    /// The name and password that the server asks for.
    pub login: Option<(String, Zeroizing<String>)>,
    /// Who writes: `School Portal <portal@school.example>`.
    pub from: String,
    /// What the portal is called.
    pub site_name: String,
    /// The language of who has chosen none: `en` or `es`.
    pub language: String,
}

/// Sends mail.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    site_name: String,
    language: String,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail")
    }
}

impl Mail {
    /// # Errors
    /// The server's address or the sender's is not one, or the mail would cross the network without
    /// TLS.
    pub fn new(settings: MailSettings) -> Result<Self, OutboxError> {
        let wrong = |what: &str| OutboxError::Mail(what.to_owned());
        let plain =
            settings.server.starts_with("smtp://") && !settings.server.contains("tls=required");
        if plain && !is_loopback(&settings.server) {
            return Err(wrong(
                "mail to another machine needs TLS: smtps://HOST, or smtp://HOST:587?tls=required",
            ));
        }
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.server)
            .map_err(|_| wrong("the mail server is written smtps://HOST[:PORT]"))?;
        if let Some((name, password)) = settings.login {
            transport = transport.credentials(Credentials::new(name, password.to_string()));
        }
        let from = settings.from.parse();
        Ok(Self {
            transport: transport
                .timeout(Some(std::time::Duration::from_secs(20)))
                .build(),
            from: from.map_err(|_| wrong("the sender is written NAME <ADDRESS>"))?,
            site_name: settings.site_name,
            language: settings.language,
        })
    }

    pub(crate) async fn send(&self, told: &Outgoing, address: &str) -> Result<(), DeliveryError> {
        let never = |_| DeliveryError::Never("the address is not one".to_owned());
        let to = Mailbox::new(None, address.parse().map_err(never)?);
        let chosen = told.language.as_deref().and_then(spoken);
        let language = chosen.unwrap_or(self.language.as_str());
        let (subject, body) = self.words(told, language);
        let letter = Letter::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            // The same at every try: a mailbox may see that it is one message.
            .message_id(Some(format!("<{}@narthex>", told.id.replace('/', "."))))
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .map_err(|_| DeliveryError::Never("the message could not be written".to_owned()))?;
        match self.transport.send(letter).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(DeliveryError::Never(
                "the mail server refuses it for good".to_owned(),
            )),
            Err(error) => Err(DeliveryError::Later(kind_of(&error).to_owned())),
        }
    }

    fn words(&self, told: &Outgoing, language: &str) -> (String, String) {
        let message = &told.message;
        let (subject, sentence) = texts(message.kind, language);
        let browser = match message.browser.as_str() {
            "" => unknown_browser(language),
            browser => browser,
        };
        let sentence = sentence
            .replace("{site}", &self.site_name)
            .replace("{when}", &moment(message.at.as_millis()))
            .replace("{browser}", browser);
        let greeting = greeting(language).replace("{name}", &told.given_name);
        let advice = advice(language);
        let subject = format!("{}: {subject}", self.site_name);
        (subject, format!("{greeting}\n\n{sentence}\n\n{advice}\n"))
    }
}

/// What the server's answer was, without what it said: that may repeat the address.
fn kind_of(error: &lettre::transport::smtp::Error) -> &'static str {
    if error.is_timeout() {
        "the mail server did not answer in time"
    } else if error.is_transient() {
        "the mail server says: later"
    } else if error.is_tls() {
        "no TLS with the mail server"
    } else {
        "the mail server cannot be reached"
    }
}

/// In UTC, as in the audit.
fn moment(millis: u64) -> String {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map_or_else(
        |_| String::new(),
        |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}

pub(crate) fn is_loopback(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or("");
    let host = host.split(['/', '?']).next().unwrap_or("");
    let host = host.rsplit('@').next().unwrap_or("");
    ["127.0.0.1", "[::1]", "localhost"].iter().any(|name| {
        host.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail_server::server;

    fn settings(server: &str) -> MailSettings {
        MailSettings {
            server: server.to_owned(),
            login: None,
            from: "School Portal <portal@school.example>".to_owned(),
            site_name: "School Portal".to_owned(),
            language: "en".to_owned(),
        }
    }

    #[tokio::test]
    async fn mail_crosses_the_network_with_tls_only() {
        for good in [
            "smtps://mail.school.example",
            "smtp://mail.school.example:587?tls=required",
            "smtp://127.0.0.1:25",
            "smtp://localhost",
            "smtp://[::1]:2525",
        ] {
            assert!(Mail::new(settings(good)).is_ok(), "{good}");
        }
        for bad in [
            "smtp://mail.school.example",
            "smtp://127.0.0.1.school.example",
            "smtp://localhost.school.example:25",
            "http://mail.school.example",
            "mail.school.example",
            "",
        ] {
            assert!(Mail::new(settings(bad)).is_err(), "{bad}");
        }
        let mut nobody = settings("smtps://mail.school.example");
        nobody.from = "School Portal".to_owned();
        assert!(Mail::new(nobody).is_err());
    }

    fn told() -> Outgoing {
        use narthex_core::model::{Message, MessageKind};
        use narthex_core::{AccountId, Timestamp};
        Outgoing {
            id: "outbox/000001-000002".to_owned(),
            message: Message {
                account: AccountId::from_bytes([7; 16]),
                kind: MessageKind::PasswordChanged,
                at: Timestamp::from_millis(1_767_225_600_000),
                browser: "Firefox, Linux".to_owned(),
            },
            given_name: "Ada".to_owned(),
            address: None,
            language: None,
            organizations: Vec::new(),
        }
    }

    #[tokio::test]
    async fn pw21_a_letter_says_what_happened_and_has_no_link_and_no_number() {
        let (url, talk) = server("250 ok\r\n").await;
        let mail = Mail::new(settings(&url)).unwrap();
        mail.send(&told(), "ada@home.example").await.unwrap();
        drop(mail);
        // Long lines are folded on their way.
        let said = talk.await.unwrap().replace("=\n", "");
        for part in [
            "RCPT TO:<ada@home.example>",
            "Subject: School Portal: Your password was changed",
            "Hello Ada,",
            "was changed (2026-01-01 00:00 UTC, Firefox,",
            "Message-ID: <outbox.000001-000002@narthex>",
        ] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
        assert!(!said.contains("http"), "{said}");
    }

    #[tokio::test]
    async fn an_address_that_is_refused_for_good_is_given_up_and_a_busy_server_is_not() {
        for (answer, given_up) in [
            ("550 no such mailbox here\r\n", true),
            ("451 come back\r\n", false),
        ] {
            let (url, talk) = server(answer).await;
            let mail = Mail::new(settings(&url)).unwrap();
            let error = mail.send(&told(), "ada@home.example").await.unwrap_err();
            assert_eq!(
                matches!(error, DeliveryError::Never(_)),
                given_up,
                "{answer}"
            );
            assert!(!error.to_string().contains("ada@"), "{error}");
            drop(mail);
            talk.await.unwrap();
        }
        let nowhere = Mail::new(settings("smtp://127.0.0.1:1")).unwrap();
        let error = nowhere.send(&told(), "ada@home.example").await.unwrap_err();
        assert!(matches!(error, DeliveryError::Later(_)));
        let never = nowhere.send(&told(), "not an address").await.unwrap_err();
        assert!(matches!(never, DeliveryError::Never(_)));
    }
}
