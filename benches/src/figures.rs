//! Medians: one slow round is the machine's, not the program's.

/// The median; the mean of the middle two of an even number. `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle).copied()?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = sorted.get(middle.checked_sub(1)?).copied()?;
    Some((lower + upper) / 2.0)
}

/// The median of the ratios of values that were taken in the same round.
pub fn median_ratio(above: &[f64], below: &[f64]) -> Option<f64> {
    let ratios = above.iter().zip(below).map(|(a, b)| a / b);
    median(&ratios.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_ignores_one_slow_round() {
        assert_eq!(median(&[3.0, 1.0, 1_000.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 1_000.0]), Some(3.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // A machine that slows down threefold half way changes no ratio.
        let (ours, peer) = ([1.0, 1.0, 3.0, 3.0], [2.0, 2.0, 6.0, 6.0]);
        assert_eq!(median_ratio(&peer, &ours), Some(2.0));
    }
}
