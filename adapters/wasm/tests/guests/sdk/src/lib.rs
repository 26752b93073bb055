//! One guest of each hook that the SDK has besides password rules, which the template of
//! `examples/plugins/rust` is.

#[cfg(any(feature = "claim-opinion", feature = "log-in-opinion"))]
mod opinion {
    use narthex_guest::{Opinion, Question, SecondOpinion, Settings, log};

    /// Against the numbers that begin with a word of the operator's.
    struct Against(String);

    impl SecondOpinion for Against {
        const NAME: &'static str = "against";
        const VERSION: &'static str = "1.0.0";
        const SUMMARY: &'static str = "Refuses some numbers.";

        fn configure(settings: &Settings) -> Result<Self, String> {
            let begins = settings.get("begins").ok_or("set begins: --set begins=N")?;
            Ok(Self(begins.to_owned()))
        }

        fn opinion(&self, question: &Question) -> Opinion {
            if !question.login_id.starts_with(&self.0) {
                return Opinion::Abstain;
            }
            log(&format!(
                "refused at {} from {}",
                question.at_ms, question.source
            ));
            Opinion::Refuse("not_here".to_owned())
        }
    }

    #[cfg(feature = "claim-opinion")]
    narthex_guest::claim_opinion!(Against);
    #[cfg(feature = "log-in-opinion")]
    narthex_guest::log_in_opinion!(Against);
}

#[cfg(feature = "event-sink")]
mod sink {
    use narthex_guest::{Event, EventSink, Settings, log};

    struct Diary;

    impl EventSink for Diary {
        const NAME: &'static str = "diary";
        const VERSION: &'static str = "1.0.0";
        const SUMMARY: &'static str = "Logs what happens.";

        fn configure(_: &Settings) -> Result<Self, String> {
            Ok(Self)
        }

        fn observe(&self, event: &Event) {
            // What it is to have been told: anything else is a fault, which the test counts.
            assert_eq!((event.at_ms, event.detail.as_str()), (5, "password"));
            assert_eq!((&*event.source, &*event.request_id), ("192.0.2.1", "r-1"));
            assert_eq!(event.account, None);
            log(&event.kind);
        }
    }

    narthex_guest::event_sink!(Diary);
}

#[cfg(feature = "landing-statistic")]
mod statistic {
    use narthex_guest::{Count, LandingStatistic, Line, Settings, Told};

    struct Shares;

    impl LandingStatistic for Shares {
        const NAME: &'static str = "shares";
        const VERSION: &'static str = "1.0.0";
        const SUMMARY: &'static str = "How many have claimed.";

        fn configure(_: &Settings) -> Result<Self, String> {
            Ok(Self)
        }

        fn lines(&self, told: &Told, language: &str) -> Vec<Line> {
            let label = if language == "es" {
                "con cuenta"
            } else {
                "claimed"
            };
            let people = told.people.iter().map(|people| {
                let share = match (people.claimed, people.listed) {
                    (Count::Exactly(claimed), Count::Exactly(listed)) => {
                        format!("{claimed} of {listed} at {}", told.organization)
                    }
                    (Count::FewerThan(few), _) | (_, Count::FewerThan(few)) => format!("< {few}"),
                };
                Line {
                    label: format!("{}: {label}", people.role),
                    value: share,
                }
            });
            people.collect()
        }
    }

    narthex_guest::landing_statistic!(Shares);
}
