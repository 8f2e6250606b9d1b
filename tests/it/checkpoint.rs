//! Checkpoints: what is kept, what is refused, and that a training goes on as if it had never stopped.
//!
//! A program of its own: it starts itself again, to be killed or to resume.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use flaxen::checkpoint::{BestMode, CheckpointManager, CheckpointManagerOptions};
use flaxen::data::{BatchPosition, ShuffledBatches};
use flaxen::optim::Adam;
use flaxen::prelude::*;
use flaxen::register_serialization_state;
use flaxen::serialization::{StateDict, to_bytes};
use flaxen_examples::digits;

type Weights = Tensor<(Dyn,), f32>;

fn weights(step: usize) -> Weights {
    Tensor::from_fn((Dyn(20_000),), |i| (step * 31 + i) as f32)
}

fn manager(folder: &Path, options: CheckpointManagerOptions) -> CheckpointManager {
    CheckpointManager::new(folder, options).expect("a folder for checkpoints")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

#[test]
fn the_last_the_best_and_the_periodic_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = CheckpointManagerOptions {
        save_interval_steps: 2,
        max_to_keep: Some(2),
        keep_period: Some(8),
        best_metric: Some("loss".into()),
        best_mode: BestMode::Min,
        ..Default::default()
    };
    let mut saved = manager(folder.path(), options.clone());
    assert_eq!((saved.latest_step().unwrap(), saved.best_step().unwrap()), (None, None));
    assert!(saved.restore_latest(&weights(0)).unwrap().is_none());
    for step in 1..=14 {
        let loss = (step as f64 - 5.0).abs();
        let turn =
            saved.save_with_metrics(step, &weights(step), &[("loss", loss), ("accuracy", 0.5)]).unwrap();
        assert_eq!(turn, step % 2 == 0, "step {step}");
    }
    saved.wait_until_finished().unwrap();
    // Of 4 and 6, which are equally good, the later is the best.
    assert_eq!(saved.all_steps().unwrap(), [6, 8, 12, 14]);
    assert_eq!(names(folder.path()), ["checkpoint_12", "checkpoint_14", "checkpoint_6", "checkpoint_8"]);
    assert_eq!((saved.latest_step().unwrap(), saved.best_step().unwrap()), (Some(14), Some(6)));
    assert_eq!(saved.metrics(6).unwrap(), [("loss".to_string(), 1.0), ("accuracy".to_string(), 0.5)]);

    // Everything is known to a manager that comes later, too.
    let later = manager(folder.path(), options);
    assert_eq!((later.best_step().unwrap(), later.latest_step().unwrap()), (Some(6), Some(14)));
    for step in [6, 8, 12, 14] {
        assert_eq!(later.restore(step, &weights(0)).unwrap(), weights(step));
    }
    assert_eq!(later.restore_latest(&weights(0)).unwrap(), Some(weights(14)));
    let StateDict::Array(raw) = later.restore_raw(8).unwrap() else { panic!("an array") };
    assert_eq!(raw.shape(), [20_000]);
}

#[test]
fn steps_go_on_unless_they_may_be_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut saved = manager(folder.path(), CheckpointManagerOptions::default());
    for step in [10, 20, 30] {
        saved.save(step, &weights(step)).unwrap();
    }
    for step in [30, 20, 15] {
        let message = saved.save(step, &weights(step)).unwrap_err().to_string();
        assert!(message.ends_with(&format!("expected one after the newest, 30, found {step}")), "{message}");
    }
    let options =
        CheckpointManagerOptions { overwrite: true, enable_async_checkpointing: false, ..Default::default() };
    let mut again = manager(folder.path(), options);
    again.save(20, &weights(7)).unwrap();
    assert_eq!(again.all_steps().unwrap(), [10, 20]);
    assert_eq!(again.restore(20, &weights(0)).unwrap(), weights(7));
}

#[test]
fn training_goes_on_while_a_checkpoint_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut saved = manager(folder.path(), CheckpointManagerOptions::default());
    let mut state = TrainState::create(weights(1), adam(0.1));
    let mut copies = Vec::new();
    for _ in 0..10 {
        state.update(weights(2));
        saved.save(state.step, &state).unwrap();
        copies.push(state.clone());
    }
    saved.wait_until_finished().unwrap();
    for copy in copies {
        assert_eq!(saved.restore(copy.step, &state).unwrap(), copy);
    }
}

#[test]
fn an_error_of_the_thread_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut saved = manager(folder.path(), CheckpointManagerOptions::default());
    saved.save(1, &weights(1)).unwrap();
    // A folder stands where the files would be written.
    for step in [2, 3] {
        std::fs::create_dir(folder.path().join(format!("checkpoint_{step}.tmp"))).unwrap();
    }
    saved.save(2, &weights(2)).unwrap();
    let message = saved.wait_until_finished().unwrap_err().to_string();
    assert!(message.contains("checkpoint_2.tmp"), "{message}");
    saved.save(3, &weights(3)).unwrap();
    let message = saved.save(4, &weights(4)).unwrap_err().to_string();
    assert!(message.contains("checkpoint_3.tmp"), "{message}");
    saved.save(4, &weights(4)).unwrap();
    saved.wait_until_finished().unwrap();
    assert_eq!(saved.all_steps().unwrap(), [1, 4]);
}

#[test]
fn what_is_left_unfinished_is_no_checkpoint_and_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["checkpoint_7.tmp", "checkpoint_x", "checkpoint_07", "notes.tmp"] {
        std::fs::write(folder.path().join(name), b"half").unwrap();
    }
    let mut saved = manager(folder.path(), CheckpointManagerOptions::default());
    assert_eq!(saved.all_steps().unwrap(), [] as [usize; 0]);
    saved.save(1, &weights(1)).unwrap();
    saved.wait_until_finished().unwrap();
    assert_eq!(names(folder.path()), ["checkpoint_07", "checkpoint_1", "checkpoint_x", "notes.tmp"]);
}

#[test]
fn a_damaged_file_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut saved = manager(folder.path(), CheckpointManagerOptions::default());
    saved.save(1, &weights(1)).unwrap();
    saved.wait_until_finished().unwrap();
    let path = saved.path(1);
    let whole = std::fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 4;
    for damaged in [&flipped[..], &whole[..whole.len() - 1], &whole[..50], &[]] {
        std::fs::write(&path, damaged).unwrap();
        let message = saved.restore(1, &weights(0)).unwrap_err().to_string();
        assert!(message.contains("checkpoint_1: checkpoint: "), "{message}");
    }
    std::fs::write(saved.path(5), &whole).unwrap();
    let message = saved.restore(5, &weights(0)).unwrap_err().to_string();
    assert!(message.ends_with("checkpoint_5: the checkpoint of step 1 under another name"), "{message}");
    let message = saved.restore(2, &weights(0)).unwrap_err().to_string();
    assert!(message.contains("checkpoint_2: No such file"), "{message}");
}

#[module]
struct Narrow;

#[module]
impl Narrow {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 2] {
        let x = compact!(Dense<4>)(x);
        compact!(Dense<2>)(relu(x))
    }
}

#[module]
struct Wide;

#[module]
impl Wide {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 2] {
        let x = compact!(Dense<5>)(x);
        compact!(Dense<2>)(relu(x))
    }
}

#[test]
fn a_checkpoint_of_another_model_names_the_first_path_that_differs() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut saved = manager(folder.path(), CheckpointManagerOptions::default());
    let narrow = TrainState::create(Narrow::new().init(Key::new(0)).params, adam(0.1));
    saved.save(1, &narrow).unwrap();
    saved.wait_until_finished().unwrap();
    let wide = TrainState::create(Wide::new().init(Key::new(0)).params, adam(0.1));
    let message = saved.restore(1, &wide).unwrap_err().to_string();
    let expected = "checkpoint_1: params/Dense_0/kernel: expected float32[3, 5], found float32[3, 4]";
    assert!(message.ends_with(expected), "{message}");
    let momentum = TrainState::create(Narrow::new().init(Key::new(0)).params, sgd(0.1).momentum(0.9));
    let message = saved.restore(1, &momentum).unwrap_err().to_string();
    assert!(
        message.contains("checkpoint_1: opt_state/0/count: expected no such key, found int32[]"),
        "{message}"
    );
}

/// The digits' pixels, disturbed, through a hidden layer.
#[module]
struct Mlp;

#[module]
impl Mlp {
    fn call<B: Batch>(&self, x: Tensor![B, 28, 28, 1]) -> Tensor![B, 10] {
        let x = compact!(Dense<24>)(flatten(x));
        compact!(Dense<10>)(tanh(x))
    }
}

/// All that a step reads and changes.
struct Run {
    train: TrainState<MlpParams, Adam>,
    key: Key,
    position: BatchPosition,
}
register_serialization_state!(Run { train, key, position });

impl Run {
    fn new() -> Self {
        let (init, key) = Key::new(7).split();
        let train = TrainState::create(Mlp::new().init(init).params, adam(1e-2));
        Run { train, key, position: BatchPosition::default() }
    }

    /// Goes on until so many steps are taken.
    fn train_until(mut self, steps: usize) -> Self {
        let digits = digits::load().expect("the digits inside the program").train;
        // Whole batches of a part, so that a new epoch begins on the way.
        let mut batches = ShuffledBatches::new(Key::new(8), 120, 32).expect("whole batches");
        batches.seek(self.position);
        while self.train.step < steps {
            let batch = digits.gather(batches.next_batch()).expect("indices of the training set");
            let (noise, key) = self.key.split();
            let noise: Tensor![Dyn, 28, 28, 1] = noise.normal(batch.images.shape());
            let (images, labels) = (batch.images + noise, batch.labels);
            let (_, gradients) = value_and_grad!(
                |params| {
                    let logits = Mlp::new().apply(params, images);
                    softmax_cross_entropy_with_integer_labels(logits, labels).mean()
                },
                &self.train.params
            );
            self.train.update(gradients);
            self.key = key;
            self.position = batches.position();
        }
        self
    }
}

/// Where the child finds its folder.
const FOLDER: &str = "FLAXEN_TEST_CHECKPOINTS";

/// This program again, running one test as a child.
fn child(test: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts")
}

const BEFORE: usize = 5;
const STEPS: usize = 11;

#[test]
fn a_resumed_training_equals_one_without_interruption() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return resume(Path::new(&folder));
    }
    for threads in [1, 2] {
        flaxen::backend::set_threads(threads);
        let whole = Run::new().train_until(STEPS);
        let folder = tempfile::tempdir().expect("a folder");
        let mut saved = manager(folder.path(), CheckpointManagerOptions::default());
        saved.save(BEFORE, &Run::new().train_until(BEFORE)).unwrap();
        saved.wait_until_finished().unwrap();
        assert!(
            child("a_resumed_training_equals_one_without_interruption", folder.path())
                .wait_with_output()
                .expect("the child ends")
                .status
                .success()
        );
        let resumed = saved.restore(STEPS, &Run::new()).expect("what the child saved");
        assert_eq!(resumed.train, whole.train, "{threads} threads");
        assert_eq!(resumed.position, whole.position);
        assert_eq!(resumed.position.epoch, 3);
        assert_eq!(to_bytes(&resumed).unwrap(), to_bytes(&whole).unwrap());
    }
}

/// The child: goes on from the newest checkpoint, with another number of threads than at least one of the parents.
fn resume(folder: &Path) {
    flaxen::backend::set_threads(2);
    let mut saved = manager(folder, CheckpointManagerOptions::default());
    let run = saved.restore_latest(&Run::new()).unwrap().expect("a checkpoint");
    assert_eq!(run.train.step, BEFORE);
    saved.save(STEPS, &run.train_until(STEPS)).unwrap();
    saved.wait_until_finished().unwrap();
}

const KILLS: usize = 200;

#[test]
fn a_killed_process_leaves_the_last_complete_checkpoint() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return save_for_ever(Path::new(&folder));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (mut newest, mut interrupted) = (0, 0);
    for kill in 0..KILLS {
        let mut child = child("a_killed_process_leaves_the_last_complete_checkpoint", folder.path());
        let [delay, _] = Key::new(0).fold_in(kill as u32).words().map(|word| word % 30_000);
        std::thread::sleep(Duration::from_micros(delay.into()));
        child.kill().expect("the child is running");
        let reported = BufReader::new(child.stdout.take().expect("its output")).lines();
        let reported = reported.filter_map(|line| line.ok()?.rsplit_once("saved ")?.1.parse().ok());
        newest = reported.fold(newest, usize::max);
        child.wait().expect("the child is gone");
        interrupted += usize::from(names(folder.path()).iter().any(|name| name.ends_with(".tmp")));

        let saved = manager(folder.path(), CheckpointManagerOptions::default());
        let latest = saved.latest_step().expect("a folder").unwrap_or_default();
        // What was reported is there; at most one more may have been finished and not reported.
        assert!((newest..=newest + 1).contains(&latest), "kill {kill}: {latest} after {newest}");
        newest = latest;
        for step in saved.all_steps().expect("a folder") {
            let restored =
                saved.restore(step, &weights(0)).unwrap_or_else(|error| panic!("kill {kill}: {error}"));
            assert_eq!(restored, weights(step), "kill {kill}");
        }
    }
    assert!(newest > KILLS / 4, "{newest} checkpoints were saved");
    assert!(interrupted > 0, "no kill met a file that was being written");
}

/// The child: saves one checkpoint after the other, and says so.
fn save_for_ever(folder: &Path) {
    let options = CheckpointManagerOptions { max_to_keep: Some(3), ..Default::default() };
    let mut saved = manager(folder, options);
    for step in saved.latest_step().unwrap().map_or(1, |step| step + 1).. {
        saved.save(step, &weights(step)).unwrap();
        saved.wait_until_finished().unwrap();
        println!("saved {step}");
    }
}
