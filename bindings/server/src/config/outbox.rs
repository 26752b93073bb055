//! How people are told: `[mail]` and `[webhook]`.

use narthex::outbox::{Channels, Mail, MailSettings, Webhook, WebhookSettings};
use zeroize::Zeroizing;

use super::Config;
use super::file::{MailFile, WebhookFile};
use crate::failure::Failure;

impl Config {
    /// Where messages go.
    pub(crate) fn channels(&self) -> Result<Channels, Failure> {
        let mail = self.values.mail.clone().map(|mail| self.mail(mail));
        let webhook = self.values.webhook.clone().map(|hook| self.webhook(hook));
        Ok(Channels {
            mail: mail.transpose()?,
            webhook: webhook.transpose()?,
        })
    }

    fn mail(&self, mail: MailFile) -> Result<Mail, Failure> {
        let needed = |value: Option<String>, setting, example| {
            value.ok_or_else(|| self.missing(setting, example))
        };
        let site = self.values.site.clone().unwrap_or_default();
        let language = site.language.map(|language| language.0);
        let login = match (mail.login, mail.password) {
            (Some(login), Some(password)) => Some((login, Zeroizing::new(password))),
            (None, None) => None,
            (Some(_), None) => {
                return Err(self.missing("mail.password", "what the mail server asks for"));
            }
            (None, Some(_)) => {
                return Err(self.missing("mail.login", "the name that mail.password belongs to"));
            }
        };
        Mail::new(MailSettings {
            server: needed(mail.server, "mail.server", "smtps://mail.school.example")?,
            login,
            from: needed(
                mail.from,
                "mail.from",
                "School Portal <portal@school.example>",
            )?,
            site_name: site.name.unwrap_or_else(|| "School Portal".to_owned()),
            language: language.unwrap_or_default().code().to_owned(),
        })
        .map_err(|error| self.wrong("mail", &format!("cannot be used: {error}")))
    }

    fn webhook(&self, webhook: WebhookFile) -> Result<Webhook, Failure> {
        let example = "https://hooks.school.example/narthex";
        let url = webhook
            .url
            .ok_or_else(|| self.missing("webhook.url", example))?;
        let secret = webhook.secret.filter(|secret| !secret.is_empty());
        let example = "a long random text that the program knows too";
        let secret = secret.ok_or_else(|| self.missing("webhook.secret", example))?;
        let secret = Zeroizing::new(secret);
        Webhook::new(WebhookSettings { url, secret })
            .map_err(|error| self.wrong("webhook.url", &error.to_string()))
    }
}
