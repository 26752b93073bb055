//! Identifiers and the one birthdate type. Raw strings die here: every type has one `parse`.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// Why a value from outside was not taken, in words a person can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidInput(pub &'static str);

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// From 16 random bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// 32 lower-case hexadecimal digits.
            pub fn to_hex(&self) -> String {
                data_encoding::HEXLOWER.encode(&self.0)
            }

            /// From 32 lower-case hexadecimal digits.
            pub fn from_hex(text: &str) -> Option<Self> {
                let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?;
                Some(Self(bytes.try_into().ok()?))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.to_hex())
            }
        }
    };
}

opaque_id! {
    /// Names an account for ever; drawn at random at the claim and never used again for another.
    AccountId
}
opaque_id! {
    /// The public half of a session token: names a session family in the store.
    Selector
}

/// What a person logs in with: the student number. ASCII letters (folded to capitals), digits and
/// `. _ - @`, 1 to 64 of them. Full-width and other compatibility forms are folded first (NFKC), so
/// that every spelling of one number is one number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LoginId(String);

/// Longest login id, in bytes.
const LOGIN_ID_BYTES_MAX: usize = 64;

impl LoginId {
    /// # Errors
    /// Empty, over-long, or with a character that is not allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidInput> {
        if text.len() > 4 * LOGIN_ID_BYTES_MAX {
            return Err(InvalidInput(
                "the number is too long: at most 64 characters",
            ));
        }
        let folded: String = text.nfkc().collect();
        let id = folded.trim().to_ascii_uppercase();
        if id.is_empty() {
            return Err(InvalidInput("please type the number"));
        }
        if id.len() > LOGIN_ID_BYTES_MAX {
            return Err(InvalidInput(
                "the number is too long: at most 64 characters",
            ));
        }
        if !id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b))
        {
            return Err(InvalidInput(
                "the number has only letters, digits and . _ - @",
            ));
        }
        Ok(Self(id))
    }

    /// The canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names an organization in URLs and records: `[0-9A-Za-z._-]`, 1 to 64 bytes, not `.` or `..`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrganizationId(String);

impl OrganizationId {
    /// # Errors
    /// Empty, over-long, or with a character that is not allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidInput> {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && text != "."
            && text != "..";
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidInput(
                "an organization id has 1 to 64 of 0-9 A-Z a-z . _ -",
            ))
        }
    }

    /// The id a roster's own identifier becomes: itself where it fits, else its allowed characters and
    /// eight hexadecimal digits of its SHA-256, so that different identifiers stay different.
    pub fn from_source_id(source_id: &str) -> Self {
        Self::parse(source_id).unwrap_or_else(|_| {
            use sha2::Digest as _;
            let digest = sha2::Sha256::digest(source_id.as_bytes());
            let mut id: String = source_id
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c))
                .take(48)
                .collect();
            id.push('-');
            for byte in digest.iter().take(4) {
                id.push_str(&format!("{byte:02x}"));
            }
            Self(id)
        })
    }

    /// The id as written in URLs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Ties log lines, audit events and a refusal page together. Visible ASCII, at most 64 bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RequestId(String);

impl RequestId {
    /// Keeps letters, digits and `-`; cuts at 64 bytes.
    pub fn new(text: &str) -> Self {
        Self(
            text.chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
                .take(64)
                .collect(),
        )
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A day of birth in the proleptic Gregorian calendar; no time zone, no shift. It has no `Debug` of its
/// value: a birthdate is a claim secret.
#[derive(Clone, Copy, PartialEq, Eq, zeroize::Zeroize)]
pub struct Birthdate {
    year: u16,
    month: u8,
    day: u8,
}

impl Birthdate {
    /// From `YYYY-MM-DD`, exactly.
    ///
    /// # Errors
    /// Another shape, a day that does not exist, or a year outside 1900 to 2199.
    pub fn parse(text: &str) -> Result<Self, InvalidInput> {
        const SHAPE: InvalidInput =
            InvalidInput("a birthdate is written year-month-day: 2012-12-31");
        let mut parts = text.split('-');
        let (Some(year), Some(month), Some(day), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SHAPE);
        };
        let digits = |part: &str, length: usize| {
            (part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse::<u16>().ok())
                .flatten()
        };
        let (Some(year), Some(month), Some(day)) =
            (digits(year, 4), digits(month, 2), digits(day, 2))
        else {
            return Err(SHAPE);
        };
        Self::from_ymd(
            year,
            u8::try_from(month).unwrap_or(0),
            u8::try_from(day).unwrap_or(0),
        )
    }

    /// From numbers.
    ///
    /// # Errors
    /// A day that does not exist, or a year outside 1900 to 2199.
    pub fn from_ymd(year: u16, month: u8, day: u8) -> Result<Self, InvalidInput> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        };
        if !(1900..=2199).contains(&year) || day == 0 || day > days {
            return Err(InvalidInput(
                "this day is not in the calendar: please check the date",
            ));
        }
        Ok(Self { year, month, day })
    }

    /// Eight digits `YYYYMMDD`: what evidence digests are made of.
    pub(crate) fn canonical(&self) -> zeroize::Zeroizing<String> {
        zeroize::Zeroizing::new(format!("{:04}{:02}{:02}", self.year, self.month, self.day))
    }

    /// `YYYY-MM-DD`, for a form that is shown again to who typed it. Never for a log or a record.
    pub fn expose(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for Birthdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Birthdate(hidden)")
    }
}
