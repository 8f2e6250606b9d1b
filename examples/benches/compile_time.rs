//! How long rustc takes to check a model of so many equal blocks: in a loop, whose body is generated once, and one after the
//! other, where every block has types of its own.
//!
//! Prints for each model the time of `cargo check` of a crate with nothing else in it, less that of an empty crate: the best of
//! three.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const RUNS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let bench = CrateUnderCheck::new()?;
    let empty = bench.best("")?;
    println!("an empty crate: {:.2} s", empty.as_secs_f64());
    println!("{:>8} {:>12} {:>16}", "blocks", "in a loop", "straight-line");
    for blocks in [5, 20, 80] {
        let [looped, straight] = [looped(blocks), straight(blocks)].map(|model| bench.best(&model));
        let seconds = |time: Duration| time.saturating_sub(empty).as_secs_f64();
        println!("{blocks:>8} {:>10.2} s {:>14.2} s", seconds(looped?), seconds(straight?));
    }
    Ok(())
}

/// A block a pass.
fn looped(blocks: usize) -> String {
    model(&format!(
        "let mut x = x;
        for i in 0..{blocks} {{
            let y = relu(compact!(Dense<64>, name = format!(\"hidden_{{i}}\"))(x.clone()));
            x = x + compact!(Dense<64>, name = format!(\"out_{{i}}\"))(y);
        }}
        x"
    ))
}

/// A block after the other.
fn straight(blocks: usize) -> String {
    let block = "let y = relu(compact!(Dense<64>)(x.clone()));
        let x = x + compact!(Dense<64>)(y);
        ";
    model(&format!("{}x", block.repeat(blocks)))
}

fn model(body: &str) -> String {
    format!(
        "use flaxen::prelude::*;

#[module]
pub struct Model;

#[module]
impl Model {{
    fn call<B: Batch>(&self, x: Tensor![B, 64]) -> Tensor![B, 64] {{
        {body}
    }}
}}

pub fn loss(params: &ModelParams, x: Tensor![32, 64]) -> (Tensor![], ModelParams) {{
    value_and_grad!(|params| Model::new().apply(params, x).mean(), params)
}}
"
    )
}

/// A crate that depends on flaxen, beside the other build products.
struct CrateUnderCheck(PathBuf);

impl CrateUnderCheck {
    fn new() -> Result<Self, Box<dyn Error>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace")?;
        let folder = root.join("target/compile_time");
        fs::create_dir_all(folder.join("src"))?;
        let runtime = root.join("runtime");
        let manifest = format!(
            "[workspace]\n\n[package]\nname = \"compile_time\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nflaxen = {{ path = {runtime:?} }}\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        let crate_under_check = CrateUnderCheck(folder);
        crate_under_check.check("")?;
        Ok(crate_under_check)
    }

    /// The best time of several.
    fn best(&self, source: &str) -> Result<Duration, Box<dyn Error>> {
        let times: Vec<Duration> = (0..RUNS).map(|_| self.check(source)).collect::<Result<_, _>>()?;
        Ok(times.into_iter().min().unwrap_or_default())
    }

    fn check(&self, source: &str) -> Result<Duration, Box<dyn Error>> {
        fs::write(self.0.join("src/lib.rs"), source)?;
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["check", "--quiet", "--offline", "--manifest-path"]).arg(self.0.join("Cargo.toml"));
        let begin = Instant::now();
        match cargo.status()?.success() {
            true => Ok(begin.elapsed()),
            false => Err("the model does not compile".into()),
        }
    }
}
