use std::ffi::OsString;

use narthex::core::Role;
use narthex::core::policy::ClaimProof;
use narthex::http::Language;

use super::*;

fn load(text: &str, environment: &[(&str, &str)], flags: Overrides) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("narthex.toml");
    std::fs::write(&path, text).unwrap();
    let environment = environment
        .iter()
        .map(|(n, v)| (OsString::from(n), OsString::from(v)));
    Config::of(Some(&path), environment, flags).map_err(|failure| format!("{failure:?}"))
}

const WHOLE: &str = r#"
base_url = "https://portal.school.example"
listen = "127.0.0.1:8081"
trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]

[store]
url = "redb:///var/lib/narthex/portal.redb"
keys = "portal.keys"

[site]
name = "North High"
language = "es"

[session]
inactivity_timeout = "2h"

[password]
profile = "classic"

[claim]
policy = "facts+code"
code_lifetime = "14d"

[[networks]]
cidr = "198.51.100.0/24"
people = 600

[questions]
required = 3

[staff]
roles = ["administrator", "other"]
districts = false

[[organizations]]
id = "north-high"
inactivity_timeout = "30m"
password_profile = "nist"

[[help]]
name = "Office"
role = "Room 12"
email = "office@school.example"

[[catalogue.applications]]
id = "studio"
name = "Studio"
sentence = "Build."
roles = ["student"]
"#;

#[test]
fn a_whole_file_is_read() {
    let config = load(WHOLE, &[], Vec::new()).unwrap();
    assert_eq!(config.listen().port(), 8081);
    let options = config.options().unwrap();
    assert!(
        options.keys.unwrap().is_absolute(),
        "meant from where the file is"
    );
    let policy = &options.policy;
    assert_eq!(policy.session.inactivity_timeout, Duration::from_secs(7200));
    assert_eq!(policy.session.organization_timeouts.len(), 1);
    assert_eq!(policy.questions.required, 3);
    assert_eq!(policy.staff.roles, [Role::Administrator, Role::Other]);
    assert!(!policy.staff.districts);
    assert_eq!(policy.claim.proof, ClaimProof::FactsAndCode);
    assert_eq!(policy.claim.code_lifetime, 14 * DAY);
    assert_eq!(policy.attempts.networks[0].people, 600);
    let settings = config.settings().unwrap();
    assert_eq!(settings.site_name, "North High");
    assert_eq!(settings.language, Language::Spanish);
    assert_eq!(settings.trusted_proxies.len(), 2);
    assert_eq!(settings.catalogue.applications.len(), 1);
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let variable = ("NARTHEX_SESSION_INACTIVITY_TIMEOUT", "1h");
    let timeout = |config: Config| config.policy().session.inactivity_timeout.as_secs();
    assert_eq!(timeout(load(WHOLE, &[variable], Vec::new()).unwrap()), 3600);
    let flag = ("session.inactivity_timeout", "3h".to_owned(), "--flag");
    assert_eq!(
        timeout(load(WHOLE, &[variable], vec![flag]).unwrap()),
        10_800
    );
    let config = load(WHOLE, &[("NARTHEX_LISTEN", "[::1]:9")], Vec::new()).unwrap();
    assert_eq!(config.listen().port(), 9);
    assert_eq!(
        timeout(config),
        7200,
        "its neighbours stay as the file has them"
    );
}

#[test]
fn a_variable_may_name_a_file_that_holds_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("suffix");
    std::fs::write(&secret, "north\n").unwrap();
    let variable = ("NARTHEX_COOKIE_SUFFIX_FILE", secret.to_str().unwrap());
    let config = load(WHOLE, &[variable], Vec::new()).unwrap();
    assert_eq!(config.settings().unwrap().cookie_suffix, "north");
    let missing = ("NARTHEX_COOKIE_SUFFIX_FILE", "/nowhere/at/all");
    let error = load(WHOLE, &[missing], Vec::new()).unwrap_err();
    assert!(error.contains("NARTHEX_COOKIE_SUFFIX_FILE"), "{error}");
}

/// (file, what the refusal tells): line and column, key, what is allowed.
const BAD: [(&str, [&str; 3]); 20] = [
    ("base_ulr = \"x\"", [":1:1:", "`base_ulr`", "`base_url`"]),
    (
        "\n[session]\nidle = \"4h\"",
        [":3:1:", "`session.idle`", "`inactivity_timeout`"],
    ),
    ("[sesion]\nidle = 4", [":1:2:", "`sesion`", "`session`"]),
    (
        "base_url = \"http://portal.example\"",
        [":1:12:", "`base_url`", "https"],
    ),
    ("base_url = 4", [":1:12:", "`base_url`", "string"]),
    (
        "listen = \"8080\"",
        [":1:10:", "`listen`", "127.0.0.1:8080"],
    ),
    (
        "trusted_proxies = [\"10.0.0.0/8\", \"proxy\"]",
        [":1:19:", "`trusted_proxies`", "is not a network"],
    ),
    (
        "[store]\nurl = \"tape:///x\"",
        [":2:7:", "`store.url`", "redb:///path"],
    ),
    (
        "[session]\ninactivity_timeout = 4",
        [":2:22:", "`session.inactivity_timeout`", "string"],
    ),
    (
        "[session]\ninactivity_timeout = \"4 hours\"",
        [":2:22:", "`session.inactivity_timeout`", "4h"],
    ),
    (
        "[session]\ninactivity_timeout = \"5s\"",
        [":2:1:", "`session.inactivity_timeout`", "1m"],
    ),
    (
        "[session]\nabsolute_timeout = \"1h\"",
        [":2:1:", "`session.absolute_timeout`", "inactivity_timeout"],
    ),
    (
        "[password]\nprofile = \"strong\"",
        [":2:11:", "`password.profile`", "classic"],
    ),
    (
        "[claim]\npolicy = \"birthdate\"",
        [":2:10:", "`claim.policy`", "facts+code"],
    ),
    (
        "[claim]\ncode_lifetime = \"1h\"",
        [":2:1:", "`claim.code_lifetime`", "1d and 365d"],
    ),
    (
        "[[networks]]\ncidr = \"10.0.0.0/8\"",
        [":1:1:", "`networks", "missing field `people`"],
    ),
    (
        "[questions]\nrequired = 6",
        [
            ":2:1:",
            "`questions.required`",
            "0 (no security questions) to 5",
        ],
    ),
    (
        "[staff]\nroles = [\"clerk\"]",
        [":2:9:", "`staff.roles", "administrator"],
    ),
    (
        "[hash]\nmemory_kib = 8",
        [":2:1:", "`hash.memory_kib`", "19456"],
    ),
    ("\nlisten\n", [":2:7:", "key with no value", "expected `=`"]),
];

#[test]
fn what_is_wrong_is_told_with_its_line_its_key_and_what_is_allowed() {
    for (text, told) in BAD {
        let error = load(text, &[], Vec::new()).map(|_| ()).unwrap_err();
        for part in told {
            assert!(error.contains(part), "{text}\n{part}\n{error}");
        }
        assert!(error.contains("narthex.toml"), "{error}");
    }
}

#[test]
fn what_is_wrong_in_a_variable_or_a_flag_is_told_with_its_name() {
    for (name, value, told) in [
        ("NARTHEX_QUESTIONS_REQUIRED", "two", "not a number"),
        (
            "NARTHEX_QUESTIONS_REQUIRED",
            "9",
            "0 (no security questions) to 5",
        ),
        ("NARTHEX_TRUSTED_PROXIES", "10.0.0.0/8,x", "not a network"),
        ("NARTHEX_BASE_URL", "portal", "https://"),
    ] {
        let error = load("", &[(name, value)], Vec::new()).unwrap_err();
        assert!(error.contains(name) && error.contains(told), "{error}");
    }
    let flag = ("store.url", "mysql:".to_owned(), "--store");
    let error = load("", &[], vec![flag]).unwrap_err();
    assert!(
        error.contains("--store") && error.contains("redb:///path"),
        "{error}"
    );
}

#[test]
fn what_is_missing_is_told_when_it_is_needed() {
    let config = load("", &[], Vec::new()).unwrap();
    let error = format!("{:?}", config.settings().unwrap_err());
    assert!(
        error.contains("`base_url`") && error.contains("NARTHEX_BASE_URL"),
        "{error}"
    );
    let store = ("store.url", "memory:".to_owned(), "--store");
    let config_with_store = load("", &[], vec![store]).unwrap();
    let error = format!("{:?}", config_with_store.options().unwrap_err());
    for part in [
        "`claim.policy`",
        "facts+code",
        "NARTHEX_CLAIM_POLICY",
        "classmates",
    ] {
        assert!(error.contains(part), "no silent default: {error}");
    }
    let error = format!("{:?}", config.options().unwrap_err());
    assert!(
        error.contains("`store.url`") && error.contains("narthex.toml"),
        "{error}"
    );
}

#[test]
fn every_setting_of_a_variable_is_a_setting_of_the_file() {
    // `single` would refuse an unknown key as the file does.
    for (name, value) in [
        ("NARTHEX_STORE_KEYS", "/k"),
        ("NARTHEX_SITE_NAME", "North"),
        ("NARTHEX_CLAIM_POLICY", "facts"),
        ("NARTHEX_CLAIM_CODE_LIFETIME", "30d"),
        ("NARTHEX_CLAIM_KEEP_BIRTHDATE", "true"),
        ("NARTHEX_PASSWORD_CONTEXT_WORDS", "north,high"),
        ("NARTHEX_HASH_QUEUE", "9"),
        ("NARTHEX_HASH_WORKERS", "1"),
        ("NARTHEX_ROSTER_DEACTIVATION_PERCENT_MAX", "5"),
        ("NARTHEX_SESSION_SHARED_COMPUTER_TIMEOUT", "5m"),
        ("NARTHEX_SESSION_ABSOLUTE_TIMEOUT", "10h"),
    ] {
        assert!(load("", &[(name, value)], Vec::new()).is_ok(), "{name}");
    }
}

#[test]
fn the_example_in_the_documentation_is_good_and_says_the_defaults() {
    let text = include_str!("../../narthex.example.toml");
    let config = load(text, &[], Vec::new()).unwrap();
    let (ours, theirs) = (config.policy(), Policy::default());
    assert_eq!(
        format!("{:?}", ours.session),
        format!("{:?}", theirs.session)
    );
    assert_eq!(
        format!("{:?}", ours.password),
        format!("{:?}", theirs.password)
    );
    assert_eq!(ours.questions.required, theirs.questions.required);
    assert_eq!(config.hashing(), narthex::argon2::HashSettings::default());
    // What is commented out must be good too.
    let all = text.lines().map(|line| {
        let setting = line
            .strip_prefix("# ")
            .filter(|l| l.contains(" = ") || l.starts_with('['));
        setting.unwrap_or(line)
    });
    let all: Vec<&str> = all
        .filter(|line| !line.starts_with("base_url is"))
        .collect();
    load(&all.join("\n"), &[], Vec::new()).unwrap();
}

#[test]
fn s15_a_prefix_of_an_application_is_read_and_a_wrong_one_is_told_with_its_place() {
    use narthex::{AppOrganization, AppPrefix, OrganizationId};

    let apps = r#"
        [[apps]]
        prefix = "/gradebook/"
        [[apps]]
        prefix = "/timetable/"
        organization = "from_path"
        [[apps]]
        prefix = "/rooms/"
        organization = { fixed = "north-high" }
    "#;
    let config = load(&format!("{WHOLE}{apps}"), &[], Vec::new()).unwrap();
    let fixed = AppOrganization::Fixed(OrganizationId::parse("north-high").unwrap());
    let expected = [
        ("/gradebook/", AppOrganization::Default),
        ("/timetable/", AppOrganization::FromPath),
        ("/rooms/", fixed),
    ];
    let expected = expected.map(|(prefix, app)| AppPrefix::parse(prefix, app).unwrap());
    assert_eq!(config.options().unwrap().policy.apps, expected);
    for (wrong, told) in [
        ("prefix = \"gradebook\"", "begins and ends with /"),
        ("prefix = \"/login/\"", "a path of the portal itself"),
        ("prefix = \"/x/\"\norganization = \"path\"", "path"),
        ("prefix = \"/x/\"\nname = \"y\"", "name"),
    ] {
        let error = load(&format!("{WHOLE}\n[[apps]]\n{wrong}"), &[], Vec::new()).unwrap_err();
        assert!(error.contains(told), "{error}");
        assert!(error.contains("narthex.toml:"), "{error}");
    }
}

const NEEDED: &str = "base_url = \"https://portal.school.example\"\n\
                      [store]\nurl = \"memory:\"\n";

#[test]
fn people_are_told_by_mail_and_webhook_where_both_are_whole() {
    let channels = |more: &str| {
        let config = load(&format!("{NEEDED}{more}"), &[], Vec::new()).unwrap();
        let delivered = config.policy().messages.deliver;
        let channels = config.channels().map_err(|failure| format!("{failure:?}"));
        channels.inspect(|channels| assert_eq!(channels.any(), delivered))
    };
    assert!(!channels("").unwrap().any());
    let mail = "[mail]\nserver = \"smtps://mail.school.example\"\n\
                from = \"Portal <portal@school.example>\"\n";
    assert!(channels(mail).unwrap().mail.is_some());
    let hook = "[webhook]\nurl = \"https://hooks.school.example/\"\nsecret = \"s\"\n";
    assert!(channels(hook).unwrap().webhook.is_some());
    let config = load(&format!("{NEEDED}{hook}"), &[], Vec::new()).unwrap();
    let shown = config.shown();
    let secret = shown.iter().find(|shown| shown.setting == "webhook.secret");
    assert_eq!(secret.unwrap().value.as_deref(), Some("\"***\""));
    for (wrong, told) in [
        ("[mail]\nfrom = \"a@b.example\"\n", "mail.server"),
        (
            "[mail]\nserver = \"smtps://mail.school.example\"\n",
            "mail.from",
        ),
        (&format!("{mail}login = \"portal\"\n"), "mail.password"),
        (&format!("{mail}password = \"canary\"\n"), "mail.login"),
        (&mail.replace("smtps", "smtp"), "needs TLS"),
        (&hook.replace("https", "http"), "https://"),
        (
            "[webhook]\nurl = \"https://hooks.school.example/\"\n",
            "webhook.secret",
        ),
    ] {
        let error = channels(wrong).unwrap_err();
        assert!(error.contains(told), "{wrong}: {error}");
        assert!(!error.contains("canary"), "{error}");
    }
}
