//! The same rows by other frameworks, in turns with ours, so that whatever else the machine does hits all of them.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::process::Command;

use flaxen::backend::threads;
use serde_json::Value;

use crate::conditions::{conditions, load};
use crate::table::written;

/// A program that measures the row that it is told, as its last argument, and prints lines as [`crate::json`] does.
pub struct Runner {
    name: String,
    command: Vec<String>,
}

impl Runner {
    /// This program.
    fn ours() -> Result<Self, Box<dyn Error>> {
        let program = env::current_exe()?.to_string_lossy().into_owned();
        Ok(Runner { name: "flaxen".into(), command: vec![program, "--json".into()] })
    }

    /// Another framework's, from `NAME=COMMAND`.
    fn peer(argument: &str) -> Result<Self, Box<dyn Error>> {
        let (name, command) = argument.split_once('=').ok_or("a peer is NAME=COMMAND")?;
        Ok(Runner { name: name.into(), command: command.split_whitespace().map(String::from).collect() })
    }

    /// Seconds of a step, lowest and median, of each variant that the program prints.
    fn measure(&self, row: &str) -> Result<Vec<(String, Seconds)>, Box<dyn Error>> {
        let (program, arguments) = self.command.split_first().ok_or("a peer without a command")?;
        let output = Command::new(program).args(arguments).arg(row).output()?;
        if !output.status.success() {
            return Err(format!("{}: {}", self.name, String::from_utf8_lossy(&output.stderr)).into());
        }
        let lines = String::from_utf8(output.stdout)?;
        let lines = lines.lines().filter_map(|line| serde_json::from_str(line).ok());
        Ok(lines.filter_map(step_time).collect())
    }
}

#[derive(Clone, Copy)]
struct Seconds {
    best: f64,
    median: f64,
}

/// What a line says, where it is the time of a step.
fn step_time(line: Value) -> Option<(String, Seconds)> {
    let scale = match line["unit"].as_str()? {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    let variant = line["metric"].as_str()?.strip_prefix("step_time")?;
    let seconds = |key: &str| Some(scale * line[key].as_f64()?);
    let name = format!("{}{}", line["peer"].as_str()?, variant.replace("_fori_loop", ", loop compiled"));
    Some((name, Seconds { best: seconds("min")?, median: seconds("median")? }))
}

/// Runs all rows by all runners, as often as there are passes, and prints a table in Markdown.
///
/// Ratios are a peer's time to ours, so above 1 ours is the faster: of medians, for each pass, and the median of all passes; and of
/// the best of all passes, which says more where the machine has something else to do.
pub fn compare(rows: &[&str], peers: &[String], passes: usize) -> Result<(), Box<dyn Error>> {
    let mut runners = vec![Runner::ours()?];
    for peer in peers {
        runners.push(Runner::peer(peer)?);
    }
    println!("{}, {} thread(s), {passes} passes\n", conditions(), threads());
    println!("| row | runner | median | best | ratio | of best |\n|---|---|---:|---:|---:|---:|");
    for row in rows {
        print(row, &in_turns(&runners, row, passes)?);
    }
    println!("\nload after: {}", load());
    Ok(())
}

/// The times of each variant, ours first, and how many times ours its median was, in each pass.
type Measured = BTreeMap<(usize, String), Vec<(Seconds, f64)>>;

fn in_turns(runners: &[Runner], row: &str, passes: usize) -> Result<Measured, Box<dyn Error>> {
    let mut measured = Measured::new();
    for _ in 0..passes {
        let mut ours = f64::NAN;
        for (order, runner) in runners.iter().enumerate() {
            for (variant, time) in runner.measure(row)? {
                if order == 0 {
                    ours = time.median;
                }
                measured.entry((order, variant)).or_default().push((time, time.median / ours));
            }
        }
    }
    Ok(measured)
}

fn print(row: &str, measured: &Measured) {
    let mut ours = None;
    for ((_, variant), passes) in measured {
        let median = middle(passes.iter().map(|(time, _)| time.median));
        let best = passes.iter().map(|(time, _)| time.best).fold(f64::INFINITY, f64::min);
        let ratio = middle(passes.iter().map(|(_, ratio)| *ratio));
        let of_best = best / *ours.get_or_insert(best);
        println!(
            "| {row} | {variant} | {} | {} | {ratio:.2} | {of_best:.2} |",
            written(median),
            written(best)
        );
    }
}

fn middle(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
