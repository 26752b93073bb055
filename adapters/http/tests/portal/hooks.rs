//! What hooks add is on the pages, in the reader's language.

use std::sync::Arc;

use http::{Method, StatusCode};
use narthex_conformance::front_door::async_trait;
use narthex_core::hook::{
    Candidate, Code, ExtraRequirement, HookFault, Hooks, LandingStatistic, PasswordRule,
    PasswordVerdict, StatisticLine,
};
use narthex_core::portal::Statistics;

use crate::common::{House, NEW_PASSWORD, PASSWORD, ada};

#[derive(Debug)]
struct NoMascot {
    name: Code,
    stated: [&'static ExtraRequirement; 1],
}

impl NoMascot {
    fn new() -> Self {
        let (name, own) = (Code::parse("mascot").unwrap(), Code::parse("none").unwrap());
        let texts = [
            ("en", "Not the name of our <tiger>"),
            ("es", "No el nombre de nuestro <tigre>"),
        ];
        let stated = [ExtraRequirement::state(&name, &own, &texts).unwrap()];
        Self { name, stated }
    }
}

#[async_trait]
impl PasswordRule for NoMascot {
    fn name(&self) -> &Code {
        &self.name
    }

    fn requirements(&self) -> &[&'static ExtraRequirement] {
        &self.stated
    }

    async fn check(&self, candidate: Candidate<'_>) -> Result<PasswordVerdict, HookFault> {
        let text = candidate.text();
        if text.contains("fault") {
            return Err(HookFault {
                hook: "mascot".into(),
                why: "trap".into(),
            });
        }
        Ok(match text.contains("tony") {
            true => PasswordVerdict::Breaks(self.stated.to_vec()),
            false => PasswordVerdict::Meets,
        })
    }
}

#[async_trait]
impl LandingStatistic for NoMascot {
    fn name(&self) -> &Code {
        &self.name
    }

    async fn lines(
        &self,
        _told: &Statistics,
        language: &str,
    ) -> Result<Vec<StatisticLine>, HookFault> {
        let label = match language {
            "es" => "Libros <prestados>",
            _ => "Books <lent>",
        };
        Ok(vec![StatisticLine {
            label: label.to_owned(),
            value: "1,204".to_owned(),
        }])
    }
}

fn install(house: &House) {
    let plugin = Arc::new(NoMascot::new());
    let hooks = Hooks {
        password_rules: vec![Arc::clone(&plugin) as Arc<dyn PasswordRule>],
        landing_statistics: vec![plugin as Arc<dyn LandingStatistic>],
        ..Hooks::default()
    };
    house.portal.set_hooks(hooks).unwrap();
}

#[test]
fn s7_a_rule_of_the_host_is_in_the_stated_list_and_refuses_in_the_readers_language() {
    let house = House::new();
    let mut browser = ada(&house);
    assert!(
        !browser
            .get("/account/password")
            .body
            .contains("mascot.none")
    );
    install(&house);
    let both = [
        ("en", "Not the name of our <tiger>", "could not be checked"),
        (
            "es",
            "No el nombre de nuestro <tigre>",
            "No se ha podido comprobar",
        ),
    ];
    for (language, stated, unchecked) in both {
        let page = browser.get(&format!("/account/password?lang={language}"));
        assert!(
            page.body.contains("<li data-code=\"mascot.none\">"),
            "{page:?}"
        );
        assert!(page.has(stated), "{stated}");
        assert!(!page.body.contains("<tig"), "a hook writes no markup");
        for (new, told) in [
            ("tony on the mountain", stated),
            ("a fault in the wall", unchecked),
        ] {
            let fields = [("current", PASSWORD), ("new", new)];
            let refused = browser.submit(&page, "/account/password", &fields);
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            let error = refused.body.split("id=\"new-error\"").nth(1).unwrap();
            let error = crate::common::unescape(error.split("</p>").next().unwrap());
            assert!(error.contains(told), "{error}");
            assert!(
                !refused.body.contains(new),
                "what was typed is not sent back"
            );
        }
    }
    let page = browser.get("/account/password?lang=en");
    let fields = [("current", PASSWORD), ("new", NEW_PASSWORD)];
    let saved = browser.submit(&page, "/account/password", &fields);
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
}

#[test]
fn s4_a_rule_of_the_host_is_stated_to_who_claims_and_to_programs() {
    let house = House::new();
    install(&house);
    let mut browser = house.browser();
    let begun = browser.claim_form("S-1024", "Ada", "O'Neil", ["12", "10", "2012"]);
    let page = browser.get(begun.location());
    assert!(page.has("Not the name of our <tiger>"));
    let refused = browser.submit(
        &page,
        "/claim/password",
        &[("password", "tony on the mountain")],
    );
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let listed = browser.json(Method::GET, "/api/v1/password/requirements", "");
    let listed = listed.json()["requirements"].clone();
    let last = listed.as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["code"], "mascot.none");
    assert_eq!(last["text"], "Not the name of our <tiger>");
}

#[test]
fn s16_a_statistic_of_the_host_is_on_the_landing_page() {
    let house = House::new();
    install(&house);
    let mut browser = ada(&house);
    let page = browser.get("/o/north/");
    assert!(page.has("<dt>Books <lent></dt><dd>1,204</dd>"), "{page:?}");
    assert!(page.body.contains("Books &lt;lent&gt;"));
    assert!(browser.get("/o/north/?lang=es").has("Libros <prestados>"));
}
