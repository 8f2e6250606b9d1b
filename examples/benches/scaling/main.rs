//! How the time of a training step grows with the batch, the width and the depth of a model, and the number of threads.
//!
//! Prints the best times and draws them, beside what the machine's peak, as measured in the same run, would allow, as SVG files
//! into `target/scaling`, or another folder:
//!
//! ```console
//! $ cargo bench --bench scaling
//! $ cargo bench --bench scaling -- "$PWD/examples/benches/scaling"
//! ```
//!
//! `BENCH_SECONDS` is how long each of three repetitions takes, 0.2 s if it is not set.

#[allow(dead_code)] // its row is of the other bench
#[path = "../step/cnn.rs"]
mod cnn;
mod deep;
#[allow(dead_code)] // as above
#[path = "../step/mlp.rs"]
mod mlp;
#[path = "../step/patterns.rs"]
mod patterns;
#[path = "../../../runtime/benches/peak/mod.rs"]
mod peak;
mod plot;
#[allow(dead_code)] // as above
#[path = "../step/row.rs"]
mod row;
#[allow(dead_code)] // as above
#[path = "../step/timing.rs"]
mod timing;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flaxen::backend::set_threads;
use flaxen::nn::Repeats;
use flaxen::prelude::*;
use patterns::Batches;
use plot::{Curve, Point};
use timing::Times;

const THREADS: [usize; 2] = [1, 2];

/// The batch where something else grows.
const BATCH: usize = 128;

/// A step, how much of what grows it has, and its operations.
type Sized = (usize, usize, Box<dyn FnMut() -> f32>);

fn main() -> Result<(), Box<dyn Error>> {
    let asked = env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/scaling");
    let folder = asked.map_or(target, PathBuf::from);
    fs::create_dir_all(&folder)?;
    let batches = || (0..=10).map(|power| 1 << power);
    measure(
        &folder,
        "mlp_batch",
        ["784-256-10 with momentum", "images in a batch"],
        batches().map(mlp_of_batch),
    )?;
    measure(
        &folder,
        "cnn_batch",
        ["Fashion-MNIST CNN with momentum", "images in a batch"],
        batches().map(cnn_of_batch),
    )?;
    let widths = [wide::<U32>, wide::<U64>, wide::<U128>, wide::<U256>, wide::<U512>, wide::<U1024>];
    let title = "784-width-10 with momentum, batch 128";
    measure(&folder, "mlp_width", [title, "width"], widths.into_iter().map(|of| of()))?;
    let depths = [deep::<U1>, deep::<U2>, deep::<U4>, deep::<U8>, deep::<U16>, deep::<U32>];
    let title = "784-256-...-256-10 with momentum, batch 128";
    measure(&folder, "mlp_depth", [title, "layers 256-256"], depths.into_iter().map(|of| of()))?;
    println!("drawn into {}", folder.display());
    Ok(())
}

fn mlp_of_batch(batch: usize) -> Sized {
    let mut batches = Batches::new((Dyn(batch), <U784>::default()), Dyn(batch));
    let mut state = mlp::create_train_state::<U256>();
    let step = move || {
        let (images, labels) = batches.next();
        mlp::train_step(&mut state, images, labels)
    };
    (batch, mlp::operations(batch, 256), Box::new(step))
}

fn cnn_of_batch(batch: usize) -> Sized {
    let mut batches =
        Batches::new((Dyn(batch), <U28>::default(), <U28>::default(), <U1>::default()), Dyn(batch));
    let mut state = cnn::create_train_state();
    let step = move || {
        let (images, labels) = batches.next();
        cnn::train_step(&mut state, images, labels)
    };
    (batch, batch * cnn::TRAINING, Box::new(step))
}

fn wide<H: Static>() -> Sized {
    let mut batches = Batches::new((Dyn(BATCH), <U784>::default()), Dyn(BATCH));
    let mut state = mlp::create_train_state::<H>();
    let step = move || {
        let (images, labels) = batches.next();
        mlp::train_step(&mut state, images, labels)
    };
    (H::N, mlp::operations(BATCH, H::N), Box::new(step))
}

fn deep<L: Repeats>() -> Sized {
    let mut batches = Batches::new((Dyn(BATCH), <U784>::default()), Dyn(BATCH));
    let mut state = deep::create_train_state::<L>();
    let step = move || {
        let (images, labels) = batches.next();
        deep::train_step(&mut state, images, labels)
    };
    (L::N, deep::operations(BATCH, L::N), Box::new(step))
}

/// Times steps of all sizes by all numbers of threads, prints the best times, and draws them.
fn measure(
    folder: &Path,
    name: &str,
    [title, size]: [&str; 2],
    steps: impl Iterator<Item = Sized>,
) -> Result<(), Box<dyn Error>> {
    let seconds = env::var("BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0.2);
    let peaks = THREADS.map(peak::peak);
    let mut curves = THREADS.map(|threads| Curve { threads, points: Vec::new() });
    println!("\n{title}\n{size:>20} {:>14} {:>14} {:>8}", "1 thread", "2 threads", "ratio");
    for (size, operations, mut step) in steps {
        for (curve, peak) in curves.iter_mut().zip(peaks) {
            set_threads(curve.threads);
            let seconds = Times::of(&mut step, seconds).best;
            curve.points.push(Point { size, seconds, floor: operations as f64 / peak });
        }
        let [alone, pair] =
            [&curves[0], &curves[1]].map(|curve| curve.points[curve.points.len() - 1].seconds);
        println!("{size:>20} {:>11.1} us {:>11.1} us {:>8.2}", 1e6 * alone, 1e6 * pair, alone / pair);
    }
    plot::draw(&folder.join(name).with_extension("svg"), title, size, &curves)
}
