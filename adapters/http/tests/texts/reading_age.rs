//! The texts of a claim are for readers of about eleven.
//!
//! English: Flesch-Kincaid grade (grade 6 is read at 11 to 12). Spanish: Fernández Huerta, whose 80 to
//! 90 is "easy" (fifth and sixth grade).

use std::fs;

use toml::Table;

/// Every text that somebody meets on the way from the log-in link to the landing page.
const CLAIM: [&str; 42] = [
    "login_id_hint",
    "shared_hint",
    "login_limit",
    "login_claim_question",
    "login_stuck",
    "login_failed",
    "login_missing_id",
    "login_missing_password",
    "claim_intro",
    "birthdate_hint",
    "birth_month_wrong",
    "birth_day_wrong",
    "birth_year_wrong",
    "birthdate_missing",
    "number_unknown_title",
    "number_unknown",
    "number_unknown_many",
    "have_account",
    "claim_not_matched",
    "claim_whose",
    "not_you_button",
    "claim_lasts",
    "requirements_title",
    "password_advice",
    "suggestion_hint",
    "requirements_met",
    "password_missing",
    "questions_intro",
    "answer_hint",
    "choose_question",
    "question_missing",
    "answer_missing",
    "notice_claimed",
    "notice_claim_expired",
    "notice_already_claimed",
    "notice_started_over",
    "answer_too_short",
    "answer_too_easy",
    "answer_about_you",
    "answer_same",
    "requirement_not_common",
    "requirement_not_about_you",
];

#[derive(Debug)]
struct Counts {
    sentences: f64,
    words: f64,
    syllables: f64,
}

fn claim_texts(language: &str) -> String {
    let path = format!("texts/{language}.toml");
    let texts: Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let mut said = String::new();
    for key in CLAIM {
        let text = texts[key].as_str().unwrap();
        said.push_str(text.trim_end_matches(['.', ':']));
        said.push_str(". ");
    }
    let questions = texts["questions"].as_table().unwrap();
    for question in questions.values() {
        said.push_str(question.as_str().unwrap());
        said.push(' ');
    }
    // What is filled in is a number or a name: one short word.
    let mut plain = String::new();
    for part in said.split('{') {
        plain.push_str(part.split_once('}').map_or(part, |(_, rest)| rest));
        plain.push_str("two");
    }
    plain
}

fn counts(text: &str, syllables: fn(&str) -> usize) -> Counts {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let ends = text.matches(['.', '!', '?']).count();
    let count = |n: usize| f64::from(u32::try_from(n).unwrap());
    Counts {
        sentences: count(ends),
        words: count(words.len()),
        syllables: count(words.iter().map(|word| syllables(word)).sum()),
    }
}

/// Groups of vowels, without a silent e at the end.
fn english_syllables(word: &str) -> usize {
    let vowel = |c: char| "aeiouy".contains(c);
    let silent = word.ends_with('e') && !word.ends_with("le") && !word.ends_with("ee");
    let core = if silent {
        &word[..word.len() - 1]
    } else {
        word
    };
    groups(core, vowel).max(1)
}

/// Groups of vowels; an open vowel beside another one, or an í or ú, is a syllable of its own.
fn spanish_syllables(word: &str) -> usize {
    let open = |c: char| "aeoáéóíú".contains(c);
    let closed = |c: char| "iuü".contains(c);
    let letters: Vec<char> = word.chars().collect();
    let mut count = 0;
    let mut before = ' ';
    for letter in letters {
        let begins = !open(before) && !closed(before);
        if open(letter) && (begins || open(before) || count == 0) || closed(letter) && begins {
            count += 1;
        }
        before = letter;
    }
    count.max(1)
}

fn groups(word: &str, vowel: fn(char) -> bool) -> usize {
    let mut before = false;
    let mut count = 0;
    for letter in word.chars() {
        let now = vowel(letter);
        count += usize::from(now && !before);
        before = now;
    }
    count
}

/// Flesch-Kincaid grade level.
fn grade(c: &Counts) -> f64 {
    0.39 * c.words / c.sentences + 11.8 * c.syllables / c.words - 15.59
}

/// Fernández Huerta reading ease.
fn ease(c: &Counts) -> f64 {
    206.84 - 60.0 * c.syllables / c.words - 1.02 * c.words / c.sentences
}

#[test]
fn the_formulas_give_what_is_known_of_them() {
    for (word, n) in [
        ("claim", 1),
        ("password", 2),
        ("account", 2),
        ("number", 2),
        ("table", 2),
    ] {
        assert_eq!(english_syllables(word), n, "{word}");
    }
    for (word, n) in [
        ("cuenta", 2),
        ("escuela", 3),
        ("día", 2),
        ("contraseña", 4),
        ("leer", 2),
    ] {
        assert_eq!(spanish_syllables(word), n, "{word}");
    }
    let hard = "Authentication credentials necessitate periodic verification by an authorized \
                representative of the educational institution.";
    assert!(grade(&counts(hard, english_syllables)) > 12.0);
    let hard = "La autenticación de credenciales requiere la verificación periódica por parte de un \
                representante autorizado de la institución educativa correspondiente.";
    assert!(ease(&counts(hard, spanish_syllables)) < 50.0);
}

#[test]
fn the_english_claim_reads_at_about_eleven() {
    let c = counts(&claim_texts("en"), english_syllables);
    let grade = grade(&c);
    println!(
        "English, Flesch-Kincaid grade {grade:.1} ({} words)",
        c.words
    );
    assert!(c.words > 300.0 && grade <= 6.0, "grade {grade:.1}: {c:?}");
}

#[test]
fn the_spanish_claim_is_easy_to_read() {
    let c = counts(&claim_texts("es"), spanish_syllables);
    let ease = ease(&c);
    println!("Spanish, Fernández Huerta {ease:.1} ({} words)", c.words);
    assert!(c.words > 300.0 && ease >= 80.0, "{ease:.1}: {c:?}");
}
