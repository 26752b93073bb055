//! Security questions: a second gate of recovery, never a gate by themselves (SQ-01, ASVS 6.4.2).

use zeroize::Zeroizing;

use crate::rules::text::canonical_answer;

/// One question of the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecurityQuestion {
    /// The stable id in records and JSON.
    pub id: &'static str,
    /// What a person reads.
    pub text: &'static str,
    /// An answer that many would give: refused, and shown as the example of one too easy to guess.
    pub too_easy: &'static [&'static str],
}

/// The bank: questions a pupil can answer, that classmates and social media mostly cannot.
pub const BANK: [SecurityQuestion; 8] = [
    SecurityQuestion {
        id: "first_toy",
        text: "What was the name of your first soft toy or doll?",
        too_easy: &["teddy", "bear", "bunny", "elsa", "barbie", "doggy"],
    },
    SecurityQuestion {
        id: "story",
        text: "Which story was read to you most when you were little?",
        too_easy: &[
            "cinderella",
            "harrypotter",
            "snowwhite",
            "thegruffalo",
            "frozen",
            "bible",
        ],
    },
    SecurityQuestion {
        id: "first_trip",
        text: "Where did your first trip away from home go?",
        too_easy: &[
            "grandma",
            "beach",
            "disney",
            "disneyland",
            "disneyworld",
            "mexico",
            "paris",
        ],
    },
    SecurityQuestion {
        id: "hiding_place",
        text: "Where did you hide when you played hide and seek?",
        too_easy: &[
            "closet",
            "wardrobe",
            "underthebed",
            "bed",
            "tree",
            "curtain",
        ],
    },
    SecurityQuestion {
        id: "imaginary_friend",
        text: "What did you call a friend that you made up?",
        too_easy: &["bob", "tom", "max", "casper", "friend", "none"],
    },
    SecurityQuestion {
        id: "dreaded_food",
        text: "Which food did you refuse to eat when you were small?",
        too_easy: &[
            "broccoli",
            "spinach",
            "vegetables",
            "fish",
            "peas",
            "mushrooms",
            "pizza",
        ],
    },
    SecurityQuestion {
        id: "first_song",
        text: "Which song did you know by heart first?",
        too_easy: &[
            "twinkletwinkle",
            "happybirthday",
            "letitgo",
            "abc",
            "babyshark",
        ],
    },
    SecurityQuestion {
        id: "neighbour",
        text: "What was the name of a neighbour where you first lived?",
        too_easy: &["john", "smith", "mary", "mrsmith", "bob", "none"],
    },
];

/// Answers nobody's question is safe with.
const TOO_EASY_ANYWHERE: [&str; 20] = [
    "idontknow",
    "dontknow",
    "none",
    "nothing",
    "nobody",
    "noone",
    "yes",
    "123",
    "1234",
    "12345",
    "abc",
    "abcd",
    "aaa",
    "blue",
    "red",
    "pizza",
    "dog",
    "cat",
    "mom",
    "test",
];

/// The shortest answer, in letters and digits of its canonical form.
pub const ANSWER_CHARACTERS_MIN: usize = 3;
/// The longest answer as typed, in bytes.
pub const ANSWER_BYTES_MAX: usize = 256;

/// The question of an id.
pub fn question(id: &str) -> Option<&'static SecurityQuestion> {
    BANK.iter().find(|question| question.id == id)
}

/// What is wrong with the answer to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerProblem {
    /// Not as many as asked for. Belongs to no single question.
    Count,
    /// There is no such question.
    UnknownQuestion,
    /// The same question twice.
    RepeatedQuestion,
    /// Too short.
    TooShort,
    /// Too long.
    TooLong,
    /// Many would guess it.
    TooEasy,
    /// It stands in the question, or is a name or number of one's own.
    AboutYou,
    /// The same as another answer.
    SameAnswer,
}

impl AnswerProblem {
    /// The stable snake_case code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::UnknownQuestion => "unknown_question",
            Self::RepeatedQuestion => "repeated_question",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::TooEasy => "too_easy",
            Self::AboutYou => "about_you",
            Self::SameAnswer => "same_answer",
        }
    }
}

/// A problem, and which answer has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerIssue {
    /// 0-based position among the answers given; the count of answers where it is about all of them.
    pub index: usize,
    /// What is wrong.
    pub problem: AnswerProblem,
}

/// Answers as typed: (question id, answer). Hides itself.
#[derive(Clone, Default)]
pub struct SecurityAnswers(Vec<(String, Zeroizing<String>)>);

impl std::fmt::Debug for SecurityAnswers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecurityAnswers({} hidden)", self.0.len())
    }
}

impl SecurityAnswers {
    /// The most answers looked at.
    pub const COUNT_MAX: usize = 5;

    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    #[must_use]
    pub fn with(mut self, question: &str, answer: &str) -> Self {
        self.0
            .push((question.to_owned(), Zeroizing::new(answer.to_owned())));
        self
    }
}

/// Answers that met the requirements: ids in order, and the one input of their one hash.
pub struct AcceptedAnswers {
    questions: Vec<String>,
    hash_input: Zeroizing<Vec<u8>>,
}

impl AcceptedAnswers {
    /// The ids, in the order the answers are hashed.
    pub fn questions(&self) -> &[String] {
        &self.questions
    }

    pub(crate) fn hash_input(&self) -> Zeroizing<Vec<u8>> {
        self.hash_input.clone()
    }
}

/// Takes `answers` if there are `required` of them, to different questions, none too easy to guess
/// (SQ-05, SQ-06).
///
/// # Errors
/// Everything that is wrong, by position.
pub fn accept(
    answers: &SecurityAnswers,
    required: usize,
    about: &[&str],
) -> Result<AcceptedAnswers, Vec<AnswerIssue>> {
    let mut issues = Vec::new();
    let mut canonical: Vec<(&str, Zeroizing<String>)> = Vec::new();
    for (index, (id, answer)) in answers
        .0
        .iter()
        .take(SecurityAnswers::COUNT_MAX)
        .enumerate()
    {
        let form = canonical_answer(answer.get(..ANSWER_BYTES_MAX).unwrap_or(answer));
        if let Some(problem) = problem_of(id, answer, &form, &canonical, about) {
            issues.push(AnswerIssue { index, problem });
        }
        canonical.push((id, form));
    }
    if answers.0.len() != required {
        issues.push(AnswerIssue {
            index: answers.0.len(),
            problem: AnswerProblem::Count,
        });
    }
    if !issues.is_empty() {
        return Err(issues);
    }
    canonical.sort_unstable_by_key(|(id, _)| *id);
    let questions = canonical.iter().map(|(id, _)| (*id).to_owned()).collect();
    Ok(AcceptedAnswers {
        questions,
        hash_input: one_input(&canonical),
    })
}

/// What is compared with the one hash when the answers to `questions` (as accepted before, in their
/// order) are given again. A missing answer is an empty one: all of them are judged together, one bit
/// out (SQ-05).
pub(crate) fn recall(answers: &SecurityAnswers, questions: &[String]) -> Zeroizing<Vec<u8>> {
    let given = |id: &str| {
        let answer = answers.0.iter().find(|(question, _)| question == id);
        answer.map_or("", |(_, answer)| answer.as_str())
    };
    let canonical: Vec<_> = questions
        .iter()
        .map(|id| (id.as_str(), canonical_answer(given(id))))
        .collect();
    one_input(&canonical)
}

/// Ids and answers, each with its length: a boundary cannot be moved.
fn one_input(canonical: &[(&str, Zeroizing<String>)]) -> Zeroizing<Vec<u8>> {
    let length = canonical
        .iter()
        .map(|(id, form)| 16 + id.len() + form.len())
        .sum();
    let mut input = Zeroizing::new(Vec::with_capacity(length));
    for (id, form) in canonical {
        for part in [id.as_bytes(), form.as_bytes()] {
            input.extend_from_slice(&(part.len() as u64).to_le_bytes());
            input.extend_from_slice(part);
        }
    }
    input
}

fn problem_of(
    id: &str,
    answer: &str,
    form: &str,
    before: &[(&str, Zeroizing<String>)],
    about: &[&str],
) -> Option<AnswerProblem> {
    let Some(question) = question(id) else {
        return Some(AnswerProblem::UnknownQuestion);
    };
    if before.iter().any(|(other, _)| *other == id) {
        return Some(AnswerProblem::RepeatedQuestion);
    }
    if answer.len() > ANSWER_BYTES_MAX {
        return Some(AnswerProblem::TooLong);
    }
    if form.chars().count() < ANSWER_CHARACTERS_MIN {
        return Some(AnswerProblem::TooShort);
    }
    let one_letter = form
        .chars()
        .collect::<std::collections::BTreeSet<_>>()
        .len()
        == 1;
    if one_letter || question.too_easy.contains(&form) || TOO_EASY_ANYWHERE.contains(&form) {
        return Some(AnswerProblem::TooEasy);
    }
    let own = about
        .iter()
        .any(|word| canonical_answer(word).as_str() == form);
    if own || canonical_answer(question.text).contains(form) {
        return Some(AnswerProblem::AboutYou);
    }
    before
        .iter()
        .any(|(_, other)| other.as_str() == form)
        .then_some(AnswerProblem::SameAnswer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(answers: SecurityAnswers) -> Vec<(usize, &'static str)> {
        accept(&answers, 2, &["Ada", "Byron"])
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|issue| (issue.index, issue.problem.code()))
            .collect()
    }

    #[test]
    fn sq06_what_many_would_guess_is_refused() {
        let answers = SecurityAnswers::new()
            .with("dreaded_food", "Pizza")
            .with("story", "1 2 3");
        assert_eq!(problems(answers), [(0, "too_easy"), (1, "too_easy")]);
        let answers = SecurityAnswers::new()
            .with("first_toy", "Vellum")
            .with("story", "vellum!");
        assert_eq!(problems(answers), [(1, "same_answer")]);
        let answers = SecurityAnswers::new()
            .with("first_toy", "BYRON")
            .with("story", "story");
        assert_eq!(problems(answers), [(0, "about_you"), (1, "about_you")]);
        let answers = SecurityAnswers::new()
            .with("first_toy", "xy")
            .with("first_toy", "Vellum");
        assert_eq!(
            problems(answers),
            [(0, "too_short"), (1, "repeated_question")]
        );
        assert_eq!(
            problems(SecurityAnswers::new().with("nope", "Vellum")),
            [(0, "unknown_question"), (1, "count")]
        );
    }

    #[test]
    fn answers_given_again_are_the_same_input_and_others_are_not() {
        let before = SecurityAnswers::new()
            .with("story", "Zeno's Lane")
            .with("first_toy", "Old Vellum");
        let accepted = accept(&before, 2, &[]).unwrap();
        let again = |story: &str, toy: &str| {
            let answers = SecurityAnswers::new()
                .with("first_toy", toy)
                .with("story", story);
            recall(&answers, accepted.questions())
        };
        assert_eq!(again("zenos lane", "OLD-VELLUM"), accepted.hash_input());
        assert_ne!(again("zenos lane", "old"), accepted.hash_input());
        assert_ne!(again("", "old vellum"), accepted.hash_input());
        let one = SecurityAnswers::new().with("story", "Zeno's Lane");
        assert_ne!(recall(&one, accepted.questions()), accepted.hash_input());
    }

    #[test]
    fn answers_are_one_input_whatever_their_order_and_spelling() {
        let one = SecurityAnswers::new()
            .with("first_toy", "Old Vellum")
            .with("story", "Zeno's Lane");
        let two = SecurityAnswers::new()
            .with("story", "zenos lane ")
            .with("first_toy", "old-vellum");
        let input = |answers| accept(&answers, 2, &[]).unwrap().hash_input();
        assert_eq!(input(one.clone()), input(two));
        // The boundary between answers cannot be moved.
        let shifted = SecurityAnswers::new()
            .with("first_toy", "Old Vellumz")
            .with("story", "enos Lane");
        assert_ne!(input(one), input(shifted));
    }
}
