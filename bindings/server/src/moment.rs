//! Times as people and programs read them: RFC 3339 in UTC.

use narthex::core::model::Timestamp;

/// `2026-09-01T07:30:00Z`.
pub(crate) fn utc(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    let whole = millis - millis.rem_euclid(1000);
    match jiff::Timestamp::from_millisecond(whole) {
        Ok(at) => at.to_string(),
        Err(_) => "after the year 9999".to_owned(),
    }
}

/// Whole days from `from` to `to`.
pub(crate) fn days_between(from: Timestamp, to: Timestamp) -> u64 {
    to.since(from).as_secs() / (24 * 3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_whole_seconds_of_utc_and_a_broken_one_is_no_panic() {
        let at = Timestamp::from_millis(1_767_225_600_999);
        assert_eq!(utc(at), "2026-01-01T00:00:00Z");
        assert_eq!(utc(Timestamp::from_millis(u64::MAX)), "after the year 9999");
    }
}
