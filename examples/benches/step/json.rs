//! Lines of JSON, as the runners of other frameworks' benches print them.

use flaxen::backend::threads;
use serde_json::{Value, json};

use crate::row::Row;
use crate::timing::Times;

/// Steps between the first loss and the one that must be lower: three times through all batches.
const CHECKED: usize = 24;

/// Measures a row and prints its line.
pub fn print(name: &str, row: &mut Row, seconds: f64) {
    let first = (row.step)();
    let last = (0..CHECKED).map(|_| (row.step)()).last().unwrap_or(first);
    let Times { best, median, steps } = Times::of(&mut row.step, seconds);
    let (unit, scale) = if median < 20e-3 { ("us", 1e6) } else { ("ms", 1e3) };
    let mut line = measured(name, "step_time", unit, median * scale, best * scale);
    line["steps"] = steps.into();
    if row.trains {
        line["loss_first"] = first.into();
        line["loss_last"] = last.into();
        line["loss_ok"] = (last < first).into();
    }
    println!("{line}");
    if let Some(images) = row.images {
        let images = images as f64;
        println!("{}", measured(name, "throughput", "images/s", images / median, images / best));
    }
}

fn measured(name: &str, metric: &str, unit: &str, median: f64, min: f64) -> Value {
    json!({
        "peer": "flaxen", "workload": name, "metric": metric, "median": median, "min": min, "unit": unit,
        "threads": threads(),
    })
}
