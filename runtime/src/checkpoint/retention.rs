//! Which checkpoints stay when a new one is there.

use super::options::{BestMode, CheckpointManagerOptions};

/// A checkpoint as retention sees it: its step, and its value of the metric by which the best is chosen.
pub type Candidate = (usize, Option<f64>);

/// The step of the best checkpoint, the newest of equal ones. What is not a number is never the best.
pub fn best(candidates: &[Candidate], mode: BestMode) -> Option<usize> {
    ranked(candidates, mode).first().map(|&(step, _)| step)
}

/// The checkpoints that have a metric, best first.
fn ranked(candidates: &[Candidate], mode: BestMode) -> Vec<(usize, f64)> {
    let measured = candidates.iter().filter_map(|&(step, metric)| Some((step, metric?)));
    let mut ranked: Vec<_> = measured.filter(|(_, metric)| !metric.is_nan()).collect();
    ranked.sort_by(|(a, x), (b, y)| {
        let order = match mode {
            BestMode::Max => y.total_cmp(x),
            BestMode::Min => x.total_cmp(y),
        };
        order.then(b.cmp(a))
    });
    ranked
}

/// The steps of the checkpoints to delete: those that no rule keeps. Without `max_to_keep` all stay.
pub fn to_delete(candidates: &[Candidate], options: &CheckpointManagerOptions) -> Vec<usize> {
    let Some(max_to_keep) = options.max_to_keep else { return Vec::new() };
    let mut steps: Vec<usize> = candidates.iter().map(|&(step, _)| step).collect();
    steps.sort_unstable_by(|a, b| b.cmp(a));
    // The newest stays in any case: it was asked for.
    let newest = &steps[..max_to_keep.max(1).min(steps.len())];
    let ranked = ranked(candidates, options.best_mode);
    let best = &ranked[..options.best_to_keep.min(ranked.len())];
    let kept = |step: usize| {
        newest.contains(&step)
            || best.iter().any(|&(best, _)| best == step)
            || options.keep_period.is_some_and(|period| period > 0 && step.is_multiple_of(period))
    };
    steps.iter().copied().filter(|&step| !kept(step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_the_best_and_the_periodic_stay() {
        let metrics = [0.5, 0.9, 0.7, f64::NAN, 0.9, 0.1, 0.2];
        let candidates: Vec<Candidate> =
            metrics.iter().enumerate().map(|(i, &metric)| (10 * i, Some(metric))).collect();
        let all = CheckpointManagerOptions::default();
        assert!(to_delete(&candidates, &all).is_empty());
        let last = CheckpointManagerOptions { max_to_keep: Some(2), ..all };
        assert_eq!(to_delete(&candidates, &last), [30, 20, 10, 0], "40 is the best, 60 and 50 the last");
        let min = CheckpointManagerOptions { max_to_keep: Some(1), best_mode: BestMode::Min, ..last };
        assert_eq!(to_delete(&candidates, &min), [40, 30, 20, 10, 0]);
        let periodic = CheckpointManagerOptions { keep_period: Some(20), best_to_keep: 0, ..min };
        assert_eq!(to_delete(&candidates, &periodic), [50, 30, 10]);
        let none = CheckpointManagerOptions { max_to_keep: Some(0), best_to_keep: 0, ..Default::default() };
        assert_eq!(to_delete(&candidates, &none), [50, 40, 30, 20, 10, 0], "the newest stays");
    }

    #[test]
    fn the_best_is_the_newest_of_equal_ones() {
        let candidates = [(1, Some(0.5)), (2, Some(0.9)), (3, Some(0.9)), (4, None), (5, Some(f64::NAN))];
        assert_eq!(best(&candidates, BestMode::Max), Some(3));
        assert_eq!(best(&candidates, BestMode::Min), Some(1));
        assert_eq!(best(&[(1, None), (2, Some(f64::NAN))], BestMode::Max), None);
    }
}
