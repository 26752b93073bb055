//! One table for every benchmark: `what | ours | peer | ratio | goal`.

use std::fmt::Write;

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was measured, unit last.
    pub what: String,
    /// Our figure.
    pub ours: f64,
    /// The peer's.
    pub peer: f64,
    /// The peer's divided by ours, where less is better for both: how many times better we are.
    pub ratio: f64,
    /// The ratio to reach, if one was set.
    pub goal: Option<f64>,
}

/// The rows as a table in Markdown, columns aligned.
pub fn render(rows: &[Row]) -> String {
    let head = ["what", "ours", "peer", "ratio", "goal"].map(str::to_owned);
    let rule = ["---", "--:", "--:", "--:", "---"].map(str::to_owned);
    let mut lines = vec![head, rule];
    lines.extend(rows.iter().map(cells));
    let widths: [usize; 5] = std::array::from_fn(|column| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    });
    let mut text = String::new();
    for line in &lines {
        for (index, (cell, width)) in line.iter().zip(widths).enumerate() {
            // Words to the left, numbers to the right. Writing to a String cannot fail.
            let _ = if (1..=3).contains(&index) {
                write!(text, "| {cell:>width$} ")
            } else {
                write!(text, "| {cell:<width$} ")
            };
        }
        text.push_str("|\n");
    }
    text
}

fn cells(row: &Row) -> [String; 5] {
    let goal = row.goal.map_or(String::new(), |goal| {
        let verdict = if row.ratio >= goal { "met" } else { "not met" };
        format!(">= {goal:.2}x: {verdict}")
    });
    let ratio = if row.ratio.is_finite() {
        format!("{:.2}x", row.ratio)
    } else {
        "-".to_owned()
    };
    [
        row.what.clone(),
        figure(row.ours),
        figure(row.peer),
        ratio,
        goal,
    ]
}

fn figure(value: f64) -> String {
    if value >= 100.0 || value == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_is_not_met_is_said() {
        let row = |ratio| Row {
            what: "a".to_owned(),
            ours: 1.0,
            peer: ratio,
            ratio,
            goal: Some(2.0),
        };
        let text = render(&[row(1.99), row(2.0)]);
        let lines = text.lines().collect::<Vec<_>>();
        assert!(lines[2].contains(">= 2.00x: not met"), "{text}");
        assert!(lines[3].contains(">= 2.00x: met"), "{text}");
        assert!(
            lines
                .iter()
                .all(|line| line.chars().count() == lines[0].chars().count())
        );
    }

    #[test]
    fn a_ratio_to_nothing_is_a_dash() {
        let row = Row {
            what: "faults".to_owned(),
            ours: 0.0,
            peer: 5.0,
            ratio: 5.0 / 0.0,
            goal: None,
        };
        assert!(!render(&[row]).contains("inf"));
    }
}
