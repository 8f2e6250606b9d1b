//! What the bench prints before Criterion's output.

use flaxen::backend::threads;
use stats_alloc::Region;

use crate::conditions::conditions;
use crate::row::{Row, Work};
use crate::timing::Times;
use crate::{HEAP, peak, triad};

/// Steps in which allocations are counted.
const COUNTED: usize = 5;

/// The floors, as measured in this run.
pub struct Machine {
    /// Floating-point operations a second.
    operations: f64,
    /// Bytes a second, measured when the first row asks.
    bandwidth: Option<f64>,
}

impl Machine {
    pub fn measure() -> Self {
        Machine { operations: peak::peak(threads()), bandwidth: None }
    }

    /// Prints the head of the table.
    pub fn head(&self) {
        let peak = self.operations / 1e9;
        println!("{}, {} thread(s), peak {peak:.1} GFLOP/s\n", conditions(), threads());
        println!("| row | work | floor | best | median | share of peak | allocations/step |");
        println!("|---|---:|---:|---:|---:|---:|---:|");
    }

    /// Seconds that the work takes at peak.
    fn floor(&mut self, work: Work) -> f64 {
        match work {
            Work::Operations(operations) => operations as f64 / self.operations,
            Work::Bytes { moved, held } => {
                let bandwidth = self.bandwidth.get_or_insert_with(|| triad::bandwidth(threads(), held));
                moved as f64 / *bandwidth
            }
        }
    }

    /// Measures a row and prints its line. The first step has not been taken yet.
    pub fn line(&mut self, name: &str, row: &mut Row, seconds: f64) {
        (row.step)();
        let region = Region::new(HEAP);
        for _ in 0..COUNTED {
            (row.step)();
        }
        let change = region.change();
        let allocations = (change.allocations + change.reallocations) as f64 / COUNTED as f64;
        let floor = self.floor(row.work);
        let Times { best, median, .. } = Times::of(&mut row.step, seconds);
        let work = match row.work {
            Work::Operations(operations) => format!("{:.3} MFLOP", operations as f64 / 1e6),
            Work::Bytes { moved, .. } => format!("{:.0} MB", moved as f64 / 1e6),
        };
        let share = |time: f64| 100.0 * floor / time;
        println!(
            "| {name} | {work} | {} | {} | {} | {:.1} % ({:.1} %) | {allocations} |",
            written(floor),
            written(best),
            written(median),
            share(median),
            share(best),
        );
    }
}

/// A time in a unit of its size.
pub fn written(seconds: f64) -> String {
    match seconds {
        ..1e-6 => format!("{:.1} ns", seconds * 1e9),
        ..1e-3 => format!("{:.2} µs", seconds * 1e6),
        _ => format!("{:.2} ms", seconds * 1e3),
    }
}
