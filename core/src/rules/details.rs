//! What a person says of themselves: the roster does not own it, and an import does not touch it (S17).

use crate::model::{InvalidInput, OrganizationId, PersonDetails};
use crate::rules::text::tidy;

/// The longest preferred name, in characters.
pub const PREFERRED_NAME_CHARACTERS_MAX: usize = 80;
/// The longest mail address, in bytes (RFC 5321 §4.5.3.1.3, without the brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// The longest phone number, in characters as written.
pub const PHONE_CHARACTERS_MAX: usize = 40;
/// The fewest digits of a phone number.
const PHONE_DIGITS_MIN: usize = 5;

/// One thing that can be changed: left alone, or set; set to `None`, it is cleared.
pub type Change<T> = Option<Option<T>>;

/// What is to be changed. Only parsed values come in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetailsChange {
    /// Where `/` leads.
    pub default_organization: Option<OrganizationId>,
    preferred_name: Change<String>,
    email: Change<String>,
    phone: Change<String>,
    language: Change<String>,
}

/// A field of the details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetailsField {
    /// How the person wants to be called.
    PreferredName,
    /// Mail address.
    Email,
    /// Phone number.
    Phone,
    /// Language of the pages.
    Language,
}

impl DetailsField {
    /// Every field.
    pub const ALL: [Self; 4] = [
        Self::PreferredName,
        Self::Email,
        Self::Phone,
        Self::Language,
    ];

    /// Its value, if there is one.
    pub fn of(self, details: &PersonDetails) -> Option<&str> {
        let value = match self {
            Self::PreferredName => &details.preferred_name,
            Self::Email => &details.email,
            Self::Phone => &details.phone,
            Self::Language => &details.language,
        };
        value.as_deref()
    }

    /// The name of the field in JSON and in forms.
    pub fn code(self) -> &'static str {
        match self {
            Self::PreferredName => "preferred_name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Language => "language",
        }
    }
}

impl DetailsChange {
    /// Nothing but another organization that `/` leads to.
    pub fn default_organization(organization: OrganizationId) -> Self {
        Self {
            default_organization: Some(organization),
            ..Self::default()
        }
    }

    /// Sets a field as typed; nothing typed clears it.
    ///
    /// # Errors
    /// What is typed cannot be taken, with what to do.
    pub fn set(&mut self, field: DetailsField, typed: &str) -> Result<(), InvalidInput> {
        let tidied = tidy(typed);
        let value = match (tidied.is_empty(), field) {
            (true, _) => None,
            (false, DetailsField::PreferredName) => Some(preferred_name(tidied)?),
            (false, DetailsField::Email) => Some(email(tidied)?),
            (false, DetailsField::Phone) => Some(phone(tidied)?),
            (false, DetailsField::Language) => Some(language(tidied)?),
        };
        *match field {
            DetailsField::PreferredName => &mut self.preferred_name,
            DetailsField::Email => &mut self.email,
            DetailsField::Phone => &mut self.phone,
            DetailsField::Language => &mut self.language,
        } = Some(value);
        Ok(())
    }

    /// The details after the change.
    pub fn applied_to(&self, before: PersonDetails) -> PersonDetails {
        let changed = |change: &Change<String>, before| change.clone().unwrap_or(before);
        PersonDetails {
            preferred_name: changed(&self.preferred_name, before.preferred_name),
            email: changed(&self.email, before.email),
            phone: changed(&self.phone, before.phone),
            language: changed(&self.language, before.language),
        }
    }
}

/// Whether the ways to reach the person become other ones: that needs a fresh log-in (SE-13).
pub fn reaches_elsewhere(before: &PersonDetails, after: &PersonDetails) -> bool {
    (&before.email, &before.phone) != (&after.email, &after.phone)
}

fn preferred_name(text: String) -> Result<String, InvalidInput> {
    if text.chars().count() > PREFERRED_NAME_CHARACTERS_MAX {
        return Err(InvalidInput("the name is too long: at most 80 characters"));
    }
    if !text.chars().any(char::is_alphabetic) {
        return Err(InvalidInput("a name has at least one letter"));
    }
    // Nothing that a mail program makes a link of.
    if text.contains([':', '/', '\\', '@']) {
        return Err(InvalidInput("a name has no : / \\ or @"));
    }
    Ok(text)
}

/// One address, plain enough for every system that may send there: no list, no display name (A16).
fn email(text: String) -> Result<String, InvalidInput> {
    const SHAPE: InvalidInput = InvalidInput("a mail address looks like name@example.org");
    if text.len() > EMAIL_BYTES_MAX {
        return Err(SHAPE);
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    let (local, domain) = text.split_once('@').ok_or(SHAPE)?;
    let host = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
    let dotted = |part: &str| !part.split('.').any(str::is_empty);
    let good = local.bytes().all(plain)
        && dotted(local)
        && domain.bytes().all(host)
        && dotted(domain)
        && domain.contains('.');
    if good { Ok(text) } else { Err(SHAPE) }
}

fn phone(text: String) -> Result<String, InvalidInput> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let known = |c: char| c.is_ascii_digit() || "+-(). /".contains(c);
    let good = text.chars().all(known)
        && digits >= PHONE_DIGITS_MIN
        && text.chars().count() <= PHONE_CHARACTERS_MAX;
    if good {
        Ok(text)
    } else {
        Err(InvalidInput(
            "a phone number has digits, spaces and + - ( )",
        ))
    }
}

/// A language tag as in `lang`: `en`, `es-MX` (RFC 5646 §2.1, in part).
fn language(text: String) -> Result<String, InvalidInput> {
    let mut parts = text.split('-');
    let primary = parts.next().unwrap_or_default();
    let good = (2..=3).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_lowercase())
        && text.len() <= 35
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        });
    if good {
        Ok(text)
    } else {
        Err(InvalidInput("please choose a language of the list"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(field: DetailsField, typed: &str) -> Result<PersonDetails, InvalidInput> {
        let mut change = DetailsChange::default();
        change.set(field, typed)?;
        Ok(change.applied_to(PersonDetails::default()))
    }

    #[test]
    fn a16_a_mail_address_is_one_plain_address() {
        for good in [
            "ada@example.org",
            "a.b+c@mail.school.example",
            "o'neil@x.example",
        ] {
            let details = set(DetailsField::Email, &format!(" {good} ")).unwrap();
            assert_eq!(details.email.as_deref(), Some(good));
        }
        for bad in [
            "ada",
            "ada@",
            "@example.org",
            "ada@example",
            "ada@example.org,eve@evil.example",
            "ada@example.org eve@evil.example",
            "ada@evil.example@example.org",
            "Ada <ada@example.org>",
            "ada@example.org\r\nBcc: eve@evil.example",
            "a..b@example.org",
            "ada@.org",
            "ada@exämple.org",
        ] {
            assert!(set(DetailsField::Email, bad).is_err(), "{bad} was taken");
        }
        assert!(set(DetailsField::Email, &format!("{}@x.org", "a".repeat(250))).is_err());
    }

    #[test]
    fn names_phones_and_languages_are_taken_as_people_write_them() {
        let taken = |field, typed: &str| set(field, typed).is_ok();
        assert!(taken(DetailsField::PreferredName, "Zo\u{eb}  O'Neil"));
        assert!(!taken(DetailsField::PreferredName, "123"));
        assert!(!taken(DetailsField::PreferredName, &"x".repeat(81)));
        assert!(taken(DetailsField::Phone, "+1 (555) 010-7788"));
        assert!(!taken(DetailsField::Phone, "5-5"));
        assert!(!taken(DetailsField::Phone, "call me at noon"));
        assert!(taken(DetailsField::Language, "es-MX"));
        assert!(!taken(DetailsField::Language, "Spanish"));
        assert!(!taken(DetailsField::Language, "<b>"));
    }

    #[test]
    fn what_is_not_named_stays_and_what_is_left_empty_goes() {
        let before = PersonDetails {
            preferred_name: Some("Zo".into()),
            email: Some("zo@example.org".into()),
            phone: None,
            language: Some("es".into()),
        };
        let mut change = DetailsChange::default();
        change.set(DetailsField::Email, "  ").unwrap();
        change.set(DetailsField::Phone, "555 0100").unwrap();
        let after = change.applied_to(before.clone());
        assert_eq!(after.email, None);
        assert_eq!(after.phone.as_deref(), Some("555 0100"));
        assert_eq!(after.preferred_name, before.preferred_name);
        assert!(reaches_elsewhere(&before, &after));
        assert!(!reaches_elsewhere(&before, &before));
    }
}
