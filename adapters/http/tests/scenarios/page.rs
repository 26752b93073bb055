//! What a page says to who reads it.

use std::collections::BTreeMap;

use narthex_conformance::front_door::Answer;
use narthex_conformance::scenarios::Facts;
use narthex_core::rules::password::PasswordRequirement;

use crate::client::{Reply, answer, query_value};
use crate::html::{Form, attribute, tags, texts_after};

const ROLES: [(&str, &str); 2] = [("Students", "student"), ("Teachers", "teacher")];
const ANSWER_ISSUES: [(&str, &str); 4] = [
    ("Many people would guess this answer", "too_easy"),
    ("The answers must be different", "same_answer"),
    ("The answer must not be your name", "about_you"),
    ("Please choose two different questions", "repeated_question"),
];

/// A page, and where it was found after following what led there.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) reply: Reply,
}

impl Page {
    /// What the page calls itself.
    pub(crate) fn name(&self) -> String {
        let (body, _) = tags(&self.reply.body, "<body").next().unwrap_or_default();
        attribute(body, "data-page").unwrap_or_default()
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name() == name
    }

    pub(crate) fn form(&self, id: &str) -> Form {
        Form::on(&self.reply.body, id)
            .unwrap_or_else(|| panic!("no form {id} at {}:\n{}", self.url, self.reply.body))
    }

    /// What the page tells its script.
    pub(crate) fn meta(&self) -> String {
        let mut metas = tags(&self.reply.body, "<meta");
        let (meta, _) = metas
            .find(|(meta, _)| meta.contains("narthex-family"))
            .unwrap();
        meta.to_owned()
    }

    /// "This is the account of {name}, number {login_id}."
    pub(crate) fn whose(&self) -> Facts {
        let (_, after) = self.reply.body.split_once("id=\"whose\"").unwrap();
        let line = texts_after(after, "<p>").swap_remove(0);
        let (name, number) = line.rsplit_once(", number ").unwrap();
        let name = name.strip_prefix("This is the account of ").unwrap();
        Facts {
            given_name: name.split(' ').next().map(str::to_owned),
            login_id: Some(number.trim_end_matches('.').to_owned()),
            ..Facts::default()
        }
    }

    pub(crate) fn statistics(&self, facts: &mut Facts) {
        let html = &self.reply.body;
        let mut people = BTreeMap::new();
        for row in html.split("<th scope=\"row\">").skip(1) {
            let name = row.split('<').next().unwrap();
            let (_, role) = ROLES.iter().find(|(plural, _)| *plural == name).unwrap();
            let counts = texts_after(row, "<td>");
            people.insert((*role).to_owned(), [counts[0].clone(), counts[1].clone()]);
        }
        facts.people = Some(people);
        let (_, today) = html.split_once("Log-ins today: ").unwrap();
        facts.log_ins_today = today.split('<').next().map(str::to_owned);
    }

    /// What a page that is not the one hoped for says.
    pub(crate) fn refused(&self) -> Answer {
        let issues = self.issues();
        let facts = Facts {
            reason: query_value(&self.url, "reason"),
            login_page_for: Some(query_value(&self.url, "return_to").unwrap_or_default()),
            retry_after_s: self.reply.retry_after_s(),
            issues: Some(issues.clone()),
            ..Facts::default()
        };
        let notice = query_value(&self.url, "notice").unwrap_or_default();
        let asks_again = self.reply.body.contains("id=\"current-error\"");
        let outcome = match (
            self.reply.status.as_u16(),
            self.name().as_str(),
            notice.as_str(),
        ) {
            (200, "login", "already_claimed") => "already_claimed",
            (200, "login", "already_recovered") => "already_recovered",
            (200, "recover", "recovery_expired") => "recovery_expired",
            (200, "recover-questions", _) => "recovery_step_missing",
            (403, "recover", _) => "recovery_failed",
            (403, "recover-questions", _) => "answers_not_matched",
            (403, "account" | "questions" | "recovery-codes" | "sessions", _) => "login_failed",
            (422, "account" | "questions" | "recovery-codes" | "sessions", _) if asks_again => {
                "reauthentication_needed"
            }
            (200, "claim", "claim_expired") => "claim_expired",
            (200, "claim-password", _) => "claim_step_missing",
            (200, "login", _) if facts.reason.is_some() => "session_ended",
            (200, "login", _) => "not_logged_in",
            (401, "login", _) | (403, "password", _) => "login_failed",
            (403, "claim", _) => "claim_not_matched",
            (403, "error", _) if self.reply.body.contains("This is not for you") => "not_permitted",
            (409, "replaced", _) => "token_replaced",
            (422, "claim-password" | "recover-password" | "password", _) if !issues.is_empty() => {
                "password_unacceptable"
            }
            (422, "claim-questions" | "questions", _) if !issues.is_empty() => {
                "answers_unacceptable"
            }
            (400 | 413 | 422, _, _) => "invalid",
            (429, _, _) => "throttled",
            (503, _, _) => "busy",
            other => panic!("{other:?} at {}:\n{}", self.url, self.reply.body),
        };
        Answer {
            shown: self.reply.shown(),
            ..answer(outcome, facts)
        }
    }

    /// Codes of what the fields of the page say is wrong.
    fn issues(&self) -> Vec<String> {
        use PasswordRequirement as R;
        let stated = [
            R::MinimumLength(15),
            R::MinimumLength(8),
            R::UpperCase,
            R::LowerCase,
            R::Digit,
            R::Symbol,
            R::NotCommon,
            R::NotAboutYou,
            R::NotTheCurrent,
        ];
        let errors = texts_after(&self.reply.body, "-error\">").join("\n");
        let passwords = stated.iter().map(|r| (r.text(), r.code()));
        let answers = ANSWER_ISSUES
            .iter()
            .map(|(text, code)| ((*text).to_owned(), *code));
        let known = passwords
            .chain(answers)
            .filter(|(text, _)| errors.contains(text.as_str()));
        known.map(|(_, code)| code.to_owned()).collect()
    }
}
