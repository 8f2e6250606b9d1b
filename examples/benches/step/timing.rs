//! How long a step takes.

use std::time::Instant;

/// Steps shorter than this are timed in groups.
const GROUP: f64 = 200e-6;

/// Repetitions, of which the one with the lowest median counts.
const REPETITIONS: usize = 3;

/// Seconds a step.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The lowest of all.
    pub best: f64,
    /// The lowest median of the repetitions.
    pub median: f64,
    /// How many steps were timed.
    pub steps: usize,
}

impl Times {
    /// Times steps for so many seconds a repetition.
    pub fn of(step: &mut dyn FnMut() -> f32, seconds: f64) -> Self {
        let group = warm_up(step, seconds / 5.0);
        let (mut best, mut median, mut steps) = (f64::INFINITY, f64::INFINITY, 0);
        for _ in 0..REPETITIONS {
            let mut times = repetition(step, group, seconds);
            times.sort_by(f64::total_cmp);
            best = times[0].min(best);
            median = times[times.len() / 2].min(median);
            steps += times.len() * group;
        }
        Times { best, median, steps }
    }
}

/// Runs steps for a while and says how many make a group.
fn warm_up(step: &mut dyn FnMut() -> f32, seconds: f64) -> usize {
    let (start, mut steps) = (Instant::now(), 0);
    while steps < 3 || start.elapsed().as_secs_f64() < seconds {
        step();
        steps += 1;
    }
    let each = start.elapsed().as_secs_f64() / steps as f64;
    ((GROUP / each).ceil() as usize).max(1)
}

/// The time a step, of each group.
fn repetition(step: &mut dyn FnMut() -> f32, group: usize, seconds: f64) -> Vec<f64> {
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < 5 || begin.elapsed().as_secs_f64() < seconds {
        let start = Instant::now();
        for _ in 0..group {
            step();
        }
        times.push(start.elapsed().as_secs_f64() / group as f64);
    }
    times
}
