//! Every word a person reads here, in one place, so that another language is another table.

use narthex_core::model::{EndReason, Role};
use serde::Serialize;

macro_rules! texts {
    ($($key:ident = $text:expr;)*) => {
        /// The words of one language. `{name}` in a text is filled in by [`fill`].
        #[derive(Debug, Serialize)]
        pub(crate) struct Texts { $(pub(crate) $key: &'static str,)* }

        /// English, for readers of twelve and up.
        pub(crate) const EN: Texts = Texts { $($key: $text,)* };
    };
}

texts! {
    lang = "en";
    skip_to_content = "Skip to content";
    home = "Home";
    help = "Help";
    error_title = "Error: {title}";
    summary_title = "Please check this";
    show = "Show";
    hide = "Hide";
    show_password = "Show password";
    hide_password = "Hide password";

    // Log in.
    login_title = "Log In";
    login_id_label = "Student Number";
    login_id_hint = "Your number at school. It is also your user name.";
    password_label = "Password";
    shared_label = "This is a shared computer";
    shared_hint = "We log you out after {shared} without activity instead of {normal}.";
    login_button = "Log In";
    login_limit = "After {normal} without activity you are logged out. You then come back to the \
        same screen.";
    login_claim_question = "Here for the first time?";
    claim_link = "Claim My Account";
    login_stuck = "Forgot your password, or stuck?";
    login_stuck_link = "Ask a human";
    login_failed = "That did not work. Number or password are wrong, or there were too many \
        tries: wait an hour, or write to the people below.";
    login_missing_id = "Please type your student number.";
    login_missing_password = "Please type your password.";

    // Claim.
    claim_title = "Claim My Account";
    claim_intro = "Your school has prepared an account for you. Tell us who you are, then make a \
        password.";
    step_of = "Step {step} of {steps}";
    step_who = "Who you are";
    step_password = "Your password";
    step_questions = "Your questions";
    given_name_label = "First Name";
    family_name_label = "Last Name";
    birthdate_label = "Birthdate";
    birthdate_hint = "For example: December 31, 2012 is 12, 31, 2012.";
    birth_month_label = "Month";
    birth_day_label = "Day";
    birth_year_label = "Year";
    birth_month_wrong = "The month is a number from 1 to 12.";
    birth_day_wrong = "The day is a number from 1 to 31.";
    birth_year_wrong = "The year has four digits, like 2012.";
    birthdate_missing = "Please type month, day and year of your birthdate.";
    number_unknown_title = "I do not know my number";
    number_unknown = "Your school knows it. Write to:";
    number_unknown_many = "Your school knows it. See whom to write to on the help page.";
    continue_button = "Continue";
    have_account = "Already have a password?";
    claim_not_matched = "That did not work. Something here does not fit together, the account has \
        been claimed already, or there were too many tries: check every field, wait an hour, \
        or write to the people below.";
    claim_whose = "This is the account of {name}, number {login_id}.";
    not_you = "Not you?";
    not_you_button = "Not you? Start over";
    claim_lasts = "Please finish this step within {span}.";
    make_password_title = "Make a password";
    new_password_label = "New password";
    requirements_title = "What is asked of the new password:";
    password_advice = "Three or four words you will remember make a good password.";
    save_password_button = "Save and continue";
    password_missing = "Please type a new password.";
    password_too_long = "The password is too long: at most 1,024 bytes.";
    questions_title = "Security questions";
    questions_intro = "If you ever forget your password, your answers help to show that it is \
        you. Choose questions whose answers only you know.";
    question_label = "Question {number}";
    answer_label = "Your answer";
    answer_hint = "At least three letters, and nothing that many people would say.";
    choose_question = "Choose a question";
    finish_button = "Finish";
    question_missing = "Please choose a question.";
    answer_missing = "Please type an answer.";

    // Notices.
    notice_claimed = "Your account is ready. Log in with your number and the password you just \
        made.";
    notice_logged_out = "You are logged out.";
    notice_password_changed = "Your password has been changed. You are still logged in here. \
        Everywhere else you have been logged out.";
    notice_another_person = "Somebody logged in again in this browser, so nothing was saved. \
        Please start again from here.";
    notice_membership_lost = "You no longer belong to the school you were at. This is your home \
        page.";
    notice_saved = "Saved.";
    notice_claim_expired = "That took too long, or was started in another browser. Please start \
        again.";
    notice_already_claimed = "This account has been claimed already. Log in with the password \
        made first.";
    notice_started_over = "Good that you said so. Nothing was saved. Please type your own name.";

    // Why a session ended.
    ended_absolute_timeout = "You had been logged in for a whole day. Please log in again to go \
        on where you were.";
    ended_disabled = "Your account has been turned off. Please write to your school.";
    ended_ended_elsewhere = "You were logged out from another browser.";
    ended_inactivity = "You were logged out because nothing happened for a long time. Log in to \
        go on where you were.";
    ended_log_out = "You are logged out.";
    ended_logged_in_again = "Somebody logged in again in this browser. Please log in.";
    ended_password_changed = "Your password was changed in another browser. Please log in with \
        the new one. If that was not you, write to your school at once.";
    ended_re_claimed = "Your account was claimed again. Please log in with the new password.";
    ended_recovered = "Your account was recovered. Please log in with the new password.";
    ended_staff_reset = "Your school has reset your account. Claim it again to go on.";

    // Behind the log-in.
    greeting = "Hello, {name}";
    menu_account = "Account details";
    menu_default_organization = "Default organization";
    menu_password = "Change password";
    menu_logout = "Log out";
    menu_label = "Your account";
    switcher_label = "Organization";
    switch_button = "Go";
    apps_title = "Applications";
    apps_none = "There is no application for you here yet.";
    downloads_title = "Downloads";
    downloads_all = "All downloads";
    download_intro = "Programs for your own computer.";
    download_platform = "For";
    download_version = "Version";
    download_size = "Size";
    download_get = "Download";
    download_missing = "Ask your school";
    statistics_title = "{organization} in numbers";
    statistics_role = "Who";
    statistics_listed = "On the list";
    statistics_claimed = "Account claimed";
    statistics_today = "Log-ins today: {count}";
    links_title = "Support and learning";
    projects_title = "Projects";
    project_title = "Project {number}";
    project_tabs = "Views";
    tab_overview = "Overview";
    tab_runs = "Runs";
    tab_settings = "Settings";
    app_reference = "This is a reference screen: a real application would stand here. Log out or \
        wait, and after logging in you are back at this place.";
    app_location = "You are here: {location}";
    app_open_projects = "Open projects";

    // Account.
    account_title = "Account details";
    account_name = "Name";
    account_from_school = "These come from your school. Something wrong? Write to the people \
        below.";
    account_memberships = "Where you belong";
    default_organization_title = "Default organization";
    default_organization_hint = "Where you land after logging in.";
    save_button = "Save";
    default_organization_wrong = "Please choose one of your organizations.";
    change_password_title = "Change password";
    change_password_intro = "You stay logged in here. Everywhere else you are logged out and need \
        the new password.";
    current_password_label = "Current password";
    current_password_missing = "Please type the password you have now.";
    current_password_wrong = "That did not work. The current password is wrong, or there were too \
        many tries: wait an hour, or write to the people below.";

    // Help.
    help_title = "Help";
    help_intro = "These people can help you with your number, your account and your password.";
    help_of = "{organization}";
    help_nobody = "Nobody is listed yet. Please ask at the office of your school.";
    contact_write = "Stuck? Write to:";

    // The end of a session, told by the script.
    warning_title = "Are you still there?";
    warning_text = "You will be logged out in {minutes}, because nothing has happened for a \
        while.";
    warning_button = "Stay logged in";
    warning_document_title = "Still there?";

    // Errors.
    not_found = "This page does not exist.";
    method_not_allowed = "This cannot be done here.";
    internal = "Something went wrong on our side.";
    malformed = "We could not understand this request.";
    invalid_fields = "Some fields need another look.";
    already_claimed = "This account has been claimed already: log in with the password made \
        first.";
    answers_unacceptable = "Some answers need another look.";
    claim_expired = "That took too long, or was started in another browser. Please start again.";
    claim_step_missing = "A step before this one is missing.";
    not_logged_in = "Please log in first.";
    not_permitted = "This is not for you, or it does not exist.";
    password_unacceptable = "This password does not meet the requirements.";
    reauthentication_needed = "Please log in again first.";
    session_ended = "You have been logged out.";
    throttled = "Too many tries from your network: wait an hour, or write to the people who help.";
    token_replaced = "This browser has a newer log-in. One moment.";
    busy = "Many people are logging in right now. Please try again in a moment.";
    contended = "Somebody changed the same thing at the same time; nothing was saved. Please try \
        again.";
    store_unavailable = "We cannot reach our records right now; nothing was saved. Please try \
        again in a few minutes.";
    store_unknown = "We cannot reach our records right now and do not know whether this was \
        saved. Please look in a few minutes before you try again.";
    wrong_host = "This address does not belong to this portal.";
    body_too_large = "That is too long: at most 16 KiB.";
    headers_too_large = "The request has too many or too long headers: at most 8 KiB.";
    location_too_long = "The address is too long.";
    unsupported_media_type = "The body must be {expected}.";
    cross_site = "This came from another site, so we did not do it. Go to the page and try from \
        there.";
    form_token = "This form is too old, or cookies are turned off. Please try once more.";
    family_mismatch = "Somebody logged in again in this browser. Nothing was saved.";
    duplicate_cookie = "Your browser sent one of our cookies twice. Please clear the cookies of \
        this site and try again.";
    error_what_now = "You can go to the home page, or write to the people who help.";
    error_request = "Request {request_id}";
    replaced_title = "One moment";
    replaced_text = "Your log-in was renewed in another tab. This page loads again by itself.";
    replaced_link = "Go on now";

    // Fields.
    field_unknown = "There is no field {field}.";
    field_duplicate = "The field {field} was sent twice.";
    field_missing = "The field {field} is missing.";
    field_too_long = "The field {field} is too long.";
    field_not_text = "The field {field} is not plain text.";
    json_not_object = "The body must be one JSON object.";
    json_not_text = "The field {field} must be a text.";
    json_not_number = "The field {field} must be a whole number, not negative.";
    json_not_bool = "The field {field} must be true or false.";
    json_not_list = "The field {field} must be a list of objects.";
    json_duplicate = "A field was sent twice.";
    json_too_deep = "The body is nested too deep.";
    json_too_wide = "The body has too many fields.";
    json_malformed = "The body is not JSON: line {line}, column {column}.";

    // Answers.
    answer_count = "The number of answers is not the number asked for.";
    answer_unknown_question = "Please choose a question from the list.";
    answer_repeated_question = "Please choose two different questions.";
    answer_too_short = "Please type at least three letters or digits.";
    answer_too_long = "The answer is too long.";
    answer_too_easy = "Many people would guess this answer. Please type another one.";
    answer_about_you = "The answer must not be your name, your number, your school, or a word of \
        the question.";
    answer_same = "The answers must be different.";

    // Roles.
    role_student = "Students";
    role_teacher = "Teachers";
    role_administrator = "Administrators";
    role_guardian = "Parents and guardians";
    role_other = "Others";
    role_one_student = "student";
    role_one_teacher = "teacher";
    role_one_administrator = "administrator";
    role_one_guardian = "parent or guardian";
    role_one_other = "member";

    hours = "{n} hours";
    hour = "1 hour";
    minutes = "{n} minutes";
    minute = "1 minute";
}

/// `text` with every `{name}` of `values` filled in.
pub(crate) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        let value = values
            .iter()
            .find(|(n, _)| *n == name)
            .map_or("", |(_, v)| v);
        out.push_str(value);
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// What to say of a session that ended.
pub(crate) fn end_reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::AbsoluteTimeout => EN.ended_absolute_timeout,
        EndReason::Disabled => EN.ended_disabled,
        EndReason::EndedElsewhere => EN.ended_ended_elsewhere,
        EndReason::Inactivity => EN.ended_inactivity,
        EndReason::LogOut => EN.ended_log_out,
        EndReason::LoggedInAgain => EN.ended_logged_in_again,
        EndReason::PasswordChanged => EN.ended_password_changed,
        EndReason::ReClaimed => EN.ended_re_claimed,
        EndReason::Recovered => EN.ended_recovered,
        EndReason::StaffReset => EN.ended_staff_reset,
    }
}

/// Many people of a role, and one of them.
pub(crate) fn role(role: &Role) -> (&'static str, &'static str) {
    match role {
        Role::Student => (EN.role_student, EN.role_one_student),
        Role::Teacher => (EN.role_teacher, EN.role_one_teacher),
        Role::Administrator => (EN.role_administrator, EN.role_one_administrator),
        Role::Guardian => (EN.role_guardian, EN.role_one_guardian),
        Role::Other => (EN.role_other, EN.role_one_other),
    }
}

/// The text of a `?notice=` word, and whether it is good news. Unknown words say nothing.
pub(crate) fn notice(word: &str) -> Option<(&'static str, bool)> {
    Some(match word {
        "claimed" => (EN.notice_claimed, true),
        "logged_out" => (EN.notice_logged_out, true),
        "password_changed" => (EN.notice_password_changed, true),
        "saved" => (EN.notice_saved, true),
        "another_person" => (EN.notice_another_person, false),
        "membership_lost" => (EN.notice_membership_lost, false),
        "claim_expired" => (EN.notice_claim_expired, false),
        "already_claimed" => (EN.notice_already_claimed, false),
        "started_over" => (EN.notice_started_over, true),
        _ => return None,
    })
}

/// A length of time in words: whole hours, else minutes rounded up.
pub(crate) fn span(time: std::time::Duration) -> String {
    let minutes = time.as_secs().div_ceil(60).max(1);
    let (n, one, many) = match (minutes / 60, minutes % 60) {
        (hours, 0) if hours > 0 => (hours, EN.hour, EN.hours),
        _ => (minutes, EN.minute, EN.minutes),
    };
    if n == 1 {
        one.to_owned()
    } else {
        fill(many, &[("n", &n.to_string())])
    }
}

/// First letter made a capital, a full stop at the end: for messages of the core beside fields.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    let stop = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{stop}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_reason_and_role_has_words() {
        for reason in EndReason::ALL {
            assert!(end_reason(reason).len() > 10);
        }
        assert_eq!(role(&Role::Student), ("Students", "student"));
        assert!(notice("nonsense").is_none());
    }

    #[test]
    fn texts_are_filled_in_and_spans_are_plain() {
        assert_eq!(fill("a {b} c {d}", &[("b", "x"), ("d", "y")]), "a x c y");
        assert_eq!(fill("no braces", &[]), "no braces");
        assert_eq!(span(Duration::from_secs(4 * 3600)), "4 hours");
        assert_eq!(span(Duration::from_secs(20 * 60)), "20 minutes");
        assert_eq!(span(Duration::from_secs(3600)), "1 hour");
        assert_eq!(span(Duration::from_secs(61)), "2 minutes");
        assert_eq!(sentence("please type it"), "Please type it.");
    }

    #[test]
    fn every_refusal_of_log_in_and_claim_says_the_three_ways_on() {
        for text in [
            EN.login_failed,
            EN.claim_not_matched,
            EN.current_password_wrong,
            EN.throttled,
        ] {
            for part in ["too many tries", "wait an hour", "write to"] {
                assert!(text.to_lowercase().contains(part), "{text}");
            }
        }
    }
}
