//! `/staff/statistics`: one organization in numbers, drawn as bars with their table behind them.

use http::StatusCode;
use narthex_core::model::{OrganizationId, Timestamp};
use narthex_core::portal::StaffStatistics;
use serde::Serialize;

use crate::context::Ctx;
use crate::problem::{Fault, Problem};
use crate::reply::Reply;
use crate::texts::{Texts, fill};

use super::staff::{organizations_served, staff_profile};
use super::view::{Shell, page};

/// The height of the tallest bar, in units of the drawing.
const HEIGHT: u64 = 60;

#[derive(Serialize)]
struct StatisticsView {
    shell: Shell,
    organization: String,
    /// Id, name, and whether it is shown, where there are several.
    choices: Vec<(String, String, bool)>,
    figures: Vec<(&'static str, String, String)>,
    roles: Vec<RoleView>,
    charts: Vec<ChartView>,
}

#[derive(Serialize)]
struct RoleView {
    role: &'static str,
    listed: u64,
    claimed: u64,
    /// Per cent of the largest role.
    whole: u64,
    part: u64,
}

#[derive(Serialize)]
struct ChartView {
    id: &'static str,
    title: &'static str,
    unit: &'static str,
    summary: String,
    width: usize,
    height: u64,
    bars: Vec<BarView>,
    rows: Vec<(String, u64)>,
    first: String,
    last: String,
}

#[derive(Serialize)]
struct BarView {
    x: usize,
    y: u64,
    height: u64,
}

/// `GET /staff/statistics`
pub(crate) async fn show(ctx: &Ctx<'_>) -> Result<Reply, Fault> {
    let t = ctx.t;
    let profile = staff_profile(ctx).await?;
    let served = organizations_served(ctx, &profile).await?;
    let asked = ctx.query_value("organization");
    let organization = match asked {
        Some(asked) => OrganizationId::parse(&asked).map_err(|_| Problem::not_found())?,
        None => {
            let own = profile.default_organization.clone();
            let own = own.filter(|id| served.contains(id));
            let first = own.or_else(|| served.first().cloned());
            first.ok_or_else(Problem::not_found)?
        }
    };
    let session = &ctx.session()?.verified;
    let told = ctx
        .portal()
        .staff_statistics(session, &organization)
        .await?;
    let names = ctx.organization_names().await?;
    let name_of = |id: &OrganizationId| names.get(id).cloned().unwrap_or_else(|| id.to_string());
    let choices = served.iter().filter(|_| served.len() > 1);
    let choices = choices.map(|id| (id.to_string(), name_of(id), *id == organization));
    let view = StatisticsView {
        shell: Shell::for_person(ctx, "staff-statistics", t.numbers_title, &profile, None).await?,
        organization: name_of(&organization),
        choices: choices.collect(),
        figures: figures(t, &told),
        roles: roles(t, &told),
        charts: charts(t, &told),
    };
    page(ctx, StatusCode::OK, "staff_statistics.html", &view)
}

fn last(counts: &[(Timestamp, u64)]) -> u64 {
    counts.last().map_or(0, |(_, n)| *n)
}

/// What matters most, in three numbers.
fn figures(t: &Texts, told: &StaffStatistics) -> Vec<(&'static str, String, String)> {
    let listed: u64 = told.people.iter().map(|p| p.listed).sum();
    let claimed: u64 = told.people.iter().map(|p| p.claimed).sum();
    let share = (100 * claimed).checked_div(listed).unwrap_or(0).to_string();
    let listed = listed.to_string();
    // A quarter that has just begun says little.
    let active = told.active.iter().rev().take(2).map(|(_, n)| *n).max();
    let log_ins = last(&told.log_ins).to_string();
    let of = fill(
        t.numbers_claimed_of,
        &[("listed", &listed), ("share", &share)],
    );
    vec![
        (t.numbers_claimed, claimed.to_string(), of),
        (
            t.numbers_active,
            active.unwrap_or(0).to_string(),
            t.numbers_active_hint.to_owned(),
        ),
        (t.numbers_log_ins, log_ins, t.numbers_today.to_owned()),
    ]
}

fn roles(t: &Texts, told: &StaffStatistics) -> Vec<RoleView> {
    let most = told.people.iter().map(|p| p.listed).max().unwrap_or(0);
    let share = |n: u64| (100 * n).checked_div(most).unwrap_or(0);
    let people = told.people.iter().map(|people| RoleView {
        role: t.role(&people.role).0,
        listed: people.listed,
        claimed: people.claimed,
        whole: share(people.listed),
        part: share(people.claimed),
    });
    people.collect()
}

fn charts(t: &Texts, told: &StaffStatistics) -> Vec<ChartView> {
    vec![
        chart(
            t,
            "claims",
            t.numbers_claims_title,
            t.numbers_day,
            &told.claims,
            day,
        ),
        chart(
            t,
            "log-ins",
            t.numbers_log_ins_title,
            t.numbers_day,
            &told.log_ins,
            day,
        ),
        chart(
            t,
            "active",
            t.numbers_active_title,
            t.numbers_quarter,
            &told.active,
            time,
        ),
    ]
}

fn chart(
    t: &Texts,
    id: &'static str,
    title: &'static str,
    unit: &'static str,
    counts: &[(Timestamp, u64)],
    label: fn(Timestamp) -> String,
) -> ChartView {
    let most = counts.iter().map(|(_, n)| *n).max().unwrap_or(0);
    let bars = counts.iter().enumerate().map(|(at, (_, n))| {
        let height = (HEIGHT * n).checked_div(most).unwrap_or(0);
        // One is to be seen beside a thousand.
        let height = if *n > 0 { height.max(1) } else { 0 };
        BarView {
            x: at * 10 + 1,
            y: HEIGHT - height.min(HEIGHT),
            height,
        }
    });
    let rows: Vec<_> = counts.iter().map(|(at, n)| (label(*at), *n)).collect();
    let edge = |row: Option<&(String, u64)>| row.map_or(String::new(), |row| row.0.clone());
    let sum: u64 = counts.iter().map(|(_, n)| *n).sum();
    let values = [
        ("sum", sum.to_string()),
        ("most", most.to_string()),
        ("last", last(counts).to_string()),
        ("from", edge(rows.first())),
        ("to", edge(rows.last())),
    ];
    let values: Vec<_> = values
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    ChartView {
        id,
        title,
        unit,
        summary: fill(t.numbers_summary, &values),
        width: counts.len() * 10,
        height: HEIGHT,
        bars: bars.collect(),
        first: edge(rows.first()),
        last: edge(rows.last()),
        // The latest first, for who reads.
        rows: rows.into_iter().rev().collect(),
    }
}

/// A day of UTC, the same in every language.
fn day(at: Timestamp) -> String {
    let (year, month, day) = civil(at.as_millis() / 86_400_000);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A time of UTC.
fn time(at: Timestamp) -> String {
    let minutes = at.as_millis() / 60_000 % (24 * 60);
    format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// Year, month and day of a day since 1970, by counting whole years and months.
fn civil(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if days < length || year > 9999 {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (days, text) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_513, "2026-03-01"),
            (20_818, "2026-12-31"),
        ] {
            let at = Timestamp::from_millis(days * 86_400_000 + 86_399_999);
            assert_eq!(day(at), text);
        }
        let at = Timestamp::from_millis(86_400_000 + (9 * 60 + 5) * 60_000);
        assert_eq!(time(at), "09:05 UTC");
    }

    #[test]
    fn a_bar_is_as_high_as_its_count_and_one_is_still_seen() {
        let at = Timestamp::from_millis(0);
        let counts = [(at, 0), (at, 1), (at, 5_000), (at, 10_000)];
        let t = crate::texts::LANGUAGES[0];
        let chart = chart(t, "x", "", "", &counts, day);
        let heights: Vec<_> = chart.bars.iter().map(|bar| (bar.y, bar.height)).collect();
        assert_eq!(heights, [(60, 0), (59, 1), (30, 30), (0, 60)]);
        assert_eq!(super::chart(t, "x", "", "", &[], day).bars.len(), 0);
    }
}
