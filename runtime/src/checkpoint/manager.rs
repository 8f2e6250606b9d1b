//! Saves and restores the checkpoints of a folder.

use super::file::{self, Metadata};
use super::options::CheckpointManagerOptions;
use super::retention::{self, Candidate};
use crate::error::{Error, Result};
use crate::serialization::{Serializable, StateDict};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

const PREFIX: &str = "checkpoint_";
const TEMPORARY: &str = ".tmp";

/// Saves and restores the checkpoints of a folder: Orbax's `CheckpointManager`, with the files of Flax's `checkpoints`.
///
/// Any number of managers, in any number of processes, may read a folder; one at a time may save to it.
#[derive(Debug)]
pub struct CheckpointManager {
    folder: PathBuf,
    options: CheckpointManagerOptions,
    /// The thread that is writing the last checkpoint.
    saving: Option<JoinHandle<Result<()>>>,
    /// Whether what an earlier process left unfinished has been removed.
    cleaned: bool,
}

impl CheckpointManager {
    /// Opens a folder, which is made if there is none.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be made or read.
    pub fn new(folder: impl Into<PathBuf>, options: CheckpointManagerOptions) -> Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|source| Error::Io { path: folder.clone(), source })?;
        let manager = CheckpointManager { folder, options, saving: None, cleaned: false };
        manager.all_steps()?;
        Ok(manager)
    }

    /// The file of a step's checkpoint.
    pub fn path(&self, step: usize) -> PathBuf {
        self.folder.join(format!("{PREFIX}{step}"))
    }

    /// Whether [`save`](Self::save) would save this step: every `save_interval_steps`-th is.
    pub fn should_save(&self, step: usize) -> bool {
        step.is_multiple_of(self.options.save_interval_steps.max(1))
    }

    /// Saves a checkpoint, if it is the turn of this step, and tells whether it was.
    ///
    /// The state is copied before this returns, so what is done to it afterwards changes nothing. The copy is written on a
    /// thread of its own, and then the checkpoints that the options do not keep are deleted. One checkpoint is written at a
    /// time: where the one before is not finished, this waits for it.
    ///
    /// # Errors
    /// What went wrong with the checkpoint before it; [`Error::Mismatch`] if the step is not after that of the newest
    /// checkpoint, unless the options say `overwrite`, and as
    /// [`to_state_dict`](fn@crate::serialization::to_state_dict).
    pub fn save(&mut self, step: usize, state: &impl Serializable) -> Result<bool> {
        self.save_with_metrics(step, state, &[])
    }

    /// Saves a checkpoint with what was measured of it, by which the best one is found.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_with_metrics(
        &mut self,
        step: usize,
        state: &impl Serializable,
        metrics: &[(&str, f64)],
    ) -> Result<bool> {
        if !self.should_save(step) {
            return Ok(false);
        }
        self.wait_until_finished()?;
        self.clean()?;
        let newest = self.latest_step()?;
        if let Some(newest) = newest.filter(|&newest| newest >= step && !self.options.overwrite) {
            return Err(Error::Mismatch {
                what: format!("{}: the step to save", self.folder.display()),
                expected: format!("one after the newest, {newest}"),
                found: step.to_string(),
            });
        }
        let metrics = metrics.iter().map(|&(name, value)| (name.to_string(), value)).collect();
        let job = Job {
            folder: self.folder.clone(),
            path: self.path(step),
            options: self.options.clone(),
            metadata: Metadata { step, metrics },
            state: state.to_state_dict()?,
        };
        if self.options.enable_async_checkpointing {
            let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(|| job.run());
            let io = |source| Error::Io { path: self.path(step), source };
            self.saving = Some(thread.map_err(io)?);
        } else {
            job.run()?;
        }
        Ok(true)
    }

    /// Waits until the last checkpoint is on the disk.
    ///
    /// # Errors
    /// What went wrong with it.
    pub fn wait_until_finished(&mut self) -> Result<()> {
        match self.saving.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }

    /// The steps of all checkpoints that are complete, in order.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be read.
    pub fn all_steps(&self) -> Result<Vec<usize>> {
        all_steps(&self.folder)
    }

    /// The newest checkpoint's step.
    ///
    /// # Errors
    /// As [`all_steps`](Self::all_steps).
    pub fn latest_step(&self) -> Result<Option<usize>> {
        Ok(self.all_steps()?.last().copied())
    }

    /// The step of the checkpoint with the best value of the options' `best_metric`; `None` if there is no such metric or
    /// no checkpoint has it.
    ///
    /// # Errors
    /// As [`all_steps`](Self::all_steps), and [`Error::Format`] if a file's metadata are damaged.
    pub fn best_step(&self) -> Result<Option<usize>> {
        let candidate = |step| Ok((step, metric(&self.folder, step, &self.options)?));
        let candidates: Vec<Candidate> =
            self.all_steps()?.into_iter().map(candidate).collect::<Result<_>>()?;
        Ok(retention::best(&candidates, self.options.best_mode))
    }

    /// What was measured of a checkpoint when it was saved.
    ///
    /// # Errors
    /// [`Error::Io`] if there is none of this step, [`Error::Format`] if its metadata are damaged.
    pub fn metrics(&self, step: usize) -> Result<Vec<(String, f64)>> {
        Ok(file::read_metadata(&self.path(step))?.metrics)
    }

    /// A value like `target` with the state of a checkpoint. `target` stays as it is.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no checkpoint of this step; [`Error::Format`], which names the file, if it is damaged;
    /// [`Error::Mismatch`] with the file and the first path that is not the target's if it is of something else.
    pub fn restore<T: Serializable>(&self, step: usize, target: &T) -> Result<T> {
        let state = self.restore_raw(step)?;
        target.from_state_dict(&state).map_err(|error| error.in_file(&self.path(step)))
    }

    /// The state of a checkpoint, without a type.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no checkpoint of this step; [`Error::Format`], which names the file, if it is damaged.
    pub fn restore_raw(&self, step: usize) -> Result<StateDict> {
        let path = self.path(step);
        let (metadata, state) = file::read(&path)?;
        if metadata.step != step {
            let reason = format!("the checkpoint of step {} under another name", metadata.step);
            return Err(Error::Format { path, reason });
        }
        Ok(state)
    }

    /// As [`restore`](Self::restore), from the newest checkpoint; `None` if there is none yet.
    ///
    /// # Errors
    /// As [`restore`](Self::restore).
    pub fn restore_latest<T: Serializable>(&self, target: &T) -> Result<Option<T>> {
        self.latest_step()?.map(|step| self.restore(step, target)).transpose()
    }

    /// Removes what an earlier process began to write and did not finish.
    fn clean(&mut self) -> Result<()> {
        if self.cleaned {
            return Ok(());
        }
        for name in names(&self.folder)? {
            if name.strip_suffix(TEMPORARY).and_then(step_of).is_some() {
                remove(&self.folder.join(name))?;
            }
        }
        self.cleaned = true;
        Ok(())
    }
}

/// Waits for the last checkpoint. Its errors are lost: [`CheckpointManager::wait_until_finished`] tells them.
impl Drop for CheckpointManager {
    fn drop(&mut self) {
        if let Some(saving) = self.saving.take() {
            let _ = saving.join();
        }
    }
}

/// A checkpoint to be written.
struct Job {
    folder: PathBuf,
    path: PathBuf,
    options: CheckpointManagerOptions,
    metadata: Metadata,
    state: StateDict,
}

impl Job {
    fn run(self) -> Result<()> {
        let bytes = file::encode(&self.metadata, self.state)?;
        let mut temporary = self.path.clone().into_os_string();
        temporary.push(TEMPORARY);
        file::write(&self.path, Path::new(&temporary), &bytes)?;
        if self.options.overwrite {
            for step in all_steps(&self.folder)?.into_iter().filter(|&step| step > self.metadata.step) {
                remove(&self.folder.join(format!("{PREFIX}{step}")))?;
            }
        }
        if self.options.max_to_keep.is_none() {
            return Ok(());
        }
        // A file whose metadata are damaged is nobody's best, and no reason to stop a training.
        let candidates: Vec<Candidate> = all_steps(&self.folder)?
            .into_iter()
            .map(|step| (step, metric(&self.folder, step, &self.options).unwrap_or(None)))
            .collect();
        for step in retention::to_delete(&candidates, &self.options) {
            remove(&self.folder.join(format!("{PREFIX}{step}")))?;
        }
        Ok(())
    }
}

/// The value of the metric by which the best checkpoint is chosen.
fn metric(folder: &Path, step: usize, options: &CheckpointManagerOptions) -> Result<Option<f64>> {
    let Some(name) = &options.best_metric else { return Ok(None) };
    Ok(file::read_metadata(&folder.join(format!("{PREFIX}{step}")))?.metric(name))
}

fn all_steps(folder: &Path) -> Result<Vec<usize>> {
    let mut steps: Vec<usize> = names(folder)?.iter().filter_map(|name| step_of(name)).collect();
    steps.sort_unstable();
    Ok(steps)
}

/// The step that a file's name says, if it is a checkpoint's name.
fn step_of(name: &str) -> Option<usize> {
    let number = name.strip_prefix(PREFIX)?;
    number.parse().ok().filter(|step: &usize| step.to_string() == number)
}

/// The names in a folder. Those that are not text are not checkpoints'.
fn names(folder: &Path) -> Result<Vec<String>> {
    let io = |source| Error::Io { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        names.extend(entry.map_err(io)?.file_name().into_string().ok());
    }
    Ok(names)
}

/// Removes a file; one that is gone already is as good.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Io { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
