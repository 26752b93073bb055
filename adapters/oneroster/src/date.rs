//! Dates as rosters write them. The order of day and month is decided once per file, from the rows
//! that allow only one reading; never per row, because 4/2/2000 and 2/4/2000 are two people.

use narthex_core::model::{Birthdate, Timestamp};

use crate::error::ReadError;

/// A day in the Gregorian calendar, without a time zone. It has no `Debug` of its value: it may be
/// a birthdate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// From numbers; `None` where the calendar has no such day.
    pub fn from_ymd(year: u16, month: u8, day: u8) -> Option<Self> {
        let fits = i16::try_from(year).is_ok_and(|year| {
            i8::try_from(month).is_ok_and(|month| {
                i8::try_from(day).is_ok_and(|day| jiff::civil::Date::new(year, month, day).is_ok())
            })
        });
        fits.then_some(Self { year, month, day })
    }

    /// The day it is at `now` in UTC. `None` after the year 9999.
    pub fn of_timestamp(now: Timestamp) -> Option<Self> {
        let ms = i64::try_from(now.as_millis()).ok()?;
        let date = jiff::Timestamp::from_millisecond(ms)
            .ok()?
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date();
        Self::from_ymd(
            u16::try_from(date.year()).ok()?,
            u8::try_from(date.month()).ok()?,
            u8::try_from(date.day()).ok()?,
        )
    }

    /// As a birthdate; `None` for a year no living person was born in, or a day after `today`.
    pub(crate) fn as_birthdate(self, today: Self) -> Option<Birthdate> {
        if self > today {
            return None;
        }
        Birthdate::from_ymd(self.year, self.month, self.day).ok()
    }
}

impl std::fmt::Debug for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Date(hidden)")
    }
}

/// Which part of a written date comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// Year, month, day: what OneRoster prescribes. Another shape is then not a date.
    Ymd,
    /// Month, day, year: `12/31/2012`.
    Mdy,
    /// Day, month, year: `31/12/2012`.
    Dmy,
}

impl DateOrder {
    /// The word of the command line option.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ymd => "ymd",
            Self::Mdy => "mdy",
            Self::Dmy => "dmy",
        }
    }
}

/// A date as written, before its order is known. No `Debug`: it may be a birthdate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RawDate {
    /// The year stands first, so that only one reading is left.
    YearFirst {
        date: Option<Date>,
        /// Exactly `YYYY-MM-DD`.
        prescribed: bool,
    },
    /// The year stands last.
    YearLast { first: u8, second: u8, year: u16 },
}

impl RawDate {
    /// `None` where the text has not the shape of a date with a year of four digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // Spreadsheets append a time of day to dates; the day is all that counts here.
        let day = text.split(['T', ' ']).next().unwrap_or(text);
        if day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()) {
            return Self::parse_compact(day);
        }
        let separator = day.chars().find(|c| "-/.".contains(*c))?;
        let mut parts = day.split(separator);
        let (Some(a), Some(b), Some(c), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let short = |part: &str| {
            (1..=2)
                .contains(&part.len())
                .then(|| number(part))
                .flatten()
        };
        let year = |part: &str| (part.len() == 4).then(|| number(part)).flatten();
        if let (Some(year), Some(month), Some(day_of_month)) = (year(a), short(b), short(c)) {
            let prescribed = separator == '-' && text.len() == 10;
            let date = Date::from_ymd(year, byte(month), byte(day_of_month));
            return Some(Self::YearFirst { date, prescribed });
        }
        let (first, second, year) = (short(a)?, short(b)?, year(c)?);
        Some(Self::YearLast {
            first: byte(first),
            second: byte(second),
            year,
        })
    }

    /// `YYYYMMDD`. Read the other way round its last four digits would be a year before 1232.
    fn parse_compact(day: &str) -> Option<Self> {
        let (year, rest) = day.split_at_checked(4)?;
        let (month, day_of_month) = rest.split_at_checked(2)?;
        let date = Date::from_ymd(
            number(year)?,
            byte(number(month)?),
            byte(number(day_of_month)?),
        )?;
        (1900..=2199).contains(&date.year).then_some(())?;
        Some(Self::YearFirst {
            date: Some(date),
            prescribed: false,
        })
    }

    /// The day it means in `order`; `None` where the calendar has no such day or the order forbids
    /// it.
    pub(crate) fn resolve(self, order: DateOrder) -> Option<Date> {
        match self {
            Self::YearFirst { date, .. } => date,
            Self::YearLast {
                first,
                second,
                year,
            } => match order {
                DateOrder::Ymd => None,
                DateOrder::Mdy => Date::from_ymd(year, first, second),
                DateOrder::Dmy => Date::from_ymd(year, second, first),
            },
        }
    }

    /// Whether it is written as OneRoster prescribes.
    pub(crate) fn is_prescribed(self) -> bool {
        matches!(
            self,
            Self::YearFirst {
                prescribed: true,
                ..
            }
        )
    }
}

fn number(digits: &str) -> Option<u16> {
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten()
}

fn byte(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(0)
}

/// Whether some word of `text` has the shape of a date; such values are never shown.
pub(crate) fn looks_like_date(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_digit() || "-/.".contains(c)))
        .any(|word| {
            let word = word.trim_matches(['-', '/', '.']);
            let mut parts = word.split(['-', '/', '.']);
            let numbers = parts.clone().count() == 3 && parts.all(|part| part.len() <= 4);
            numbers && word.len() >= 5 || RawDate::parse(word).is_some()
        })
}

/// What the rows of one file say about its order.
#[derive(Default)]
pub(crate) struct OrderVotes {
    mdy: Option<u64>,
    dmy: Option<u64>,
    either: Option<u64>,
}

/// How the order of a file was found.
pub(crate) struct Decided {
    pub(crate) order: DateOrder,
    /// The row that left only one reading, where one was needed.
    pub(crate) line: Option<u64>,
}

impl OrderVotes {
    /// Looks at one date of the file; `line` is where it stands.
    pub(crate) fn observe(&mut self, date: RawDate, line: u64) {
        let mdy = date.resolve(DateOrder::Mdy);
        let dmy = date.resolve(DateOrder::Dmy);
        let slot = match (mdy, dmy) {
            (Some(one), Some(other)) if one == other => return,
            (Some(_), Some(_)) => &mut self.either,
            (Some(_), None) => &mut self.mdy,
            (None, Some(_)) => &mut self.dmy,
            (None, None) => return,
        };
        slot.get_or_insert(line);
    }

    /// The order of the whole file.
    ///
    /// # Errors
    /// The rows contradict each other, or none of them decides; `asked` overrides both.
    pub(crate) fn decide(
        &self,
        asked: Option<DateOrder>,
        file: &str,
    ) -> Result<Decided, ReadError> {
        if let Some(order) = asked {
            return Ok(Decided { order, line: None });
        }
        let file = file.to_owned();
        match (self.mdy, self.dmy, self.either) {
            (Some(month_first_line), Some(day_first_line), _) => Err(ReadError::DatesContradict {
                file,
                month_first_line,
                day_first_line,
            }),
            (Some(line), None, _) => Ok(Decided {
                order: DateOrder::Mdy,
                line: Some(line),
            }),
            (None, Some(line), _) => Ok(Decided {
                order: DateOrder::Dmy,
                line: Some(line),
            }),
            (None, None, Some(line)) => Err(ReadError::DatesUndecided { file, line }),
            // Only dates that mean one day in every order.
            (None, None, None) => Ok(Decided {
                order: DateOrder::Mdy,
                line: None,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str, order: DateOrder) -> Option<(u16, u8, u8)> {
        let date = RawDate::parse(text)?.resolve(order)?;
        Some((date.year, date.month, date.day))
    }

    #[test]
    fn a_year_in_front_leaves_one_reading_in_every_order() {
        for order in [DateOrder::Ymd, DateOrder::Mdy, DateOrder::Dmy] {
            for text in [
                "2000-04-02",
                "2000/4/2",
                "2000.04.02",
                "20000402",
                " 2000-04-02T00:00:00.000Z ",
            ] {
                assert_eq!(day(text, order), Some((2000, 4, 2)), "{text}");
            }
        }
    }

    #[test]
    fn a_year_at_the_end_follows_the_order_of_the_file() {
        assert_eq!(day("4/2/2000", DateOrder::Mdy), Some((2000, 4, 2)));
        assert_eq!(day("4/2/2000", DateOrder::Dmy), Some((2000, 2, 4)));
        assert_eq!(day("4/2/2000 0:00", DateOrder::Dmy), Some((2000, 2, 4)));
        assert_eq!(day("4/2/2000", DateOrder::Ymd), None);
    }

    #[test]
    fn years_of_two_digits_and_days_outside_the_calendar_are_no_dates() {
        for text in [
            "",
            "4/2/00",
            "2/29/1999",
            "4/31/2000",
            "0/0/2000",
            "2000-13-01",
            "36618",
            "4-2/2000",
            "+4/2/2000",
            "99999999",
            "12345678901234567890/1/2000",
        ] {
            assert_eq!(day(text, DateOrder::Mdy), None, "{text}");
        }
    }

    #[test]
    fn only_rows_with_one_reading_decide_the_order() {
        let votes = |texts: &[&str]| {
            let mut votes = OrderVotes::default();
            for (line, text) in (2..).zip(texts) {
                if let Some(date) = RawDate::parse(text) {
                    votes.observe(date, line);
                }
            }
            votes.decide(None, "f.csv")
        };
        let order = |texts| {
            votes(texts)
                .map(|decided| (decided.order.word(), decided.line))
                .ok()
        };
        assert_eq!(order(&["4/2/2000", "4/13/2000"]), Some(("mdy", Some(3))));
        assert_eq!(order(&["4/2/2000", "13/4/2000"]), Some(("dmy", Some(3))));
        assert_eq!(order(&["4/4/2000", "2000-01-02"]), Some(("mdy", None)));
        assert!(matches!(
            votes(&["4/4/2000", "4/2/2000"]),
            Err(ReadError::DatesUndecided { line: 3, .. })
        ));
        assert!(matches!(
            votes(&["4/13/2000", "13/4/2000"]),
            Err(ReadError::DatesContradict {
                month_first_line: 2,
                day_first_line: 3,
                ..
            })
        ));
        // 31 April exists in no order: it decides nothing.
        assert!(matches!(
            votes(&["4/31/2000", "4/2/2000"]),
            Err(ReadError::DatesUndecided { line: 3, .. })
        ));
    }

    #[test]
    fn a_timestamp_is_a_day_in_utc() {
        let day = |ms| Date::of_timestamp(Timestamp::from_millis(ms));
        assert!(day(0) == Date::from_ymd(1970, 1, 1));
        assert!(day(86_399_999) == Date::from_ymd(1970, 1, 1));
        assert!(day(86_400_000) == Date::from_ymd(1970, 1, 2));
        assert!(day(u64::MAX).is_none());
    }

    #[test]
    fn what_has_the_shape_of_a_date_is_seen_inside_other_text() {
        for text in ["4/2/2000", "born 2000-04-02!", "x 4.2.00", "20000402"] {
            assert!(looks_like_date(text), "{text}");
        }
        for text in [
            "13001",
            "R-13001",
            "O'Neil-Smith",
            "1.2",
            "555-123-45678",
            "10001",
        ] {
            assert!(!looks_like_date(text), "{text}");
        }
    }
}
