//! The file of a checkpoint: Flax's msgpack of `{metadata, state, checksum}`.
//!
//! It is written under a temporary name, synced, and renamed, so that under its own name it is always whole; a checksum of
//! all that stands before it tells if a disk or a copy has damaged it since.

use crate::error::{Error, Result};
use crate::serialization::{Dict, StateDict, msgpack_restore, read_first, to_bytes};
use sha1::{Digest, Sha1};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

const METADATA: &str = "metadata";
const STATE: &str = "state";
const CHECKSUM: &str = "checksum";

/// The bytes of a SHA-1, which is at hand: it stands against damage, not against malice.
const DIGEST: usize = 20;

/// The most bytes that the metadata take, so that they can be read without the rest.
const METADATA_LIMIT: usize = 1 << 16;

/// What is known of a checkpoint besides its state.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    pub step: usize,
    pub metrics: Vec<(String, f64)>,
}

impl Metadata {
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|(other, _)| other == name).map(|&(_, value)| value)
    }

    fn to_state(&self) -> StateDict {
        let metrics = self.metrics.iter().map(|(name, value)| (name.as_str(), StateDict::Float(*value)));
        let metrics = Dict::from_iter(metrics);
        Dict::from_iter([("step", StateDict::Int(self.step as i128)), ("metrics", metrics.into())]).into()
    }

    fn from_state(state: &StateDict) -> Option<Self> {
        let (StateDict::Int(step), StateDict::Dict(metrics)) = (state.get("step")?, state.get("metrics")?)
        else {
            return None;
        };
        let metric = |(name, value): (&str, &StateDict)| match value {
            StateDict::Float(value) => Some((name.to_string(), *value)),
            _ => None,
        };
        Some(Metadata {
            step: usize::try_from(*step).ok()?,
            metrics: metrics.iter().map(metric).collect::<Option<_>>()?,
        })
    }
}

/// The bytes of a checkpoint.
pub fn encode(metadata: &Metadata, state: StateDict) -> Result<Vec<u8>> {
    let described = metadata.to_state();
    let size = to_bytes(&described)?.len();
    if size > METADATA_LIMIT / 2 {
        return Err(Error::Mismatch {
            what: "metrics of a checkpoint".into(),
            expected: format!("at most {} bytes", METADATA_LIMIT / 2),
            found: size.to_string(),
        });
    }
    let placeholder = StateDict::Bytes(vec![0; DIGEST]);
    let file = Dict::from_iter([(METADATA, described), (STATE, state), (CHECKSUM, placeholder)]);
    let mut bytes = to_bytes(&StateDict::from(file))?;
    let end = bytes.len() - DIGEST;
    let digest = Sha1::digest(&bytes[..end]);
    bytes[end..].copy_from_slice(&digest);
    Ok(bytes)
}

/// Metadata and state of a checkpoint.
fn decode(bytes: &[u8]) -> Result<(Metadata, StateDict)> {
    let malformed = |reason: &str| Error::Malformed { what: "checkpoint".into(), reason: reason.into() };
    let (content, digest) =
        bytes.split_last_chunk::<DIGEST>().ok_or_else(|| malformed("too short for a checkpoint"))?;
    if Sha1::digest(content)[..] != digest[..] {
        return Err(malformed("damaged or cut off: the checksum is not that of the content"));
    }
    let StateDict::Dict(mut file) = msgpack_restore(bytes)? else { return Err(malformed("not a dict")) };
    match (file.remove(METADATA).as_ref().and_then(Metadata::from_state), file.remove(STATE)) {
        (Some(metadata), Some(state)) => Ok((metadata, state)),
        _ => Err(malformed("no metadata, or no state")),
    }
}

/// Writes a file that is whole as soon as it has its name, also if the process or the machine stops meanwhile.
pub fn write(path: &Path, temporary: &Path, bytes: &[u8]) -> Result<()> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    let write = || -> io::Result<()> {
        let mut file = File::create(temporary)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    let written = write().map_err(io(temporary)).and_then(|()| fs::rename(temporary, path).map_err(io(path)));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(temporary);
    }
    written?;
    match path.parent() {
        Some(folder) => sync_folder(folder).map_err(io(folder)),
        None => Ok(()),
    }
}

/// Makes a change of names durable, where the system can.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Reads a checkpoint, all of it checked.
pub fn read(path: &Path) -> Result<(Metadata, StateDict)> {
    let bytes = fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    decode(&bytes).map_err(|error| error.in_file(path))
}

/// Reads the metadata of a checkpoint, and no more of it.
pub fn read_metadata(path: &Path) -> Result<Metadata> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(METADATA_LIMIT as u64).read_to_end(&mut bytes).map_err(io)?;
    let metadata = match read_first(&bytes) {
        Ok((key, state)) if key == METADATA => Metadata::from_state(&state),
        _ => None,
    };
    metadata.ok_or_else(|| Error::Format {
        path: path.to_owned(),
        reason: "not a checkpoint: it has no metadata".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Vec<u8> {
        let metadata = Metadata { step: 3, metrics: vec![("loss".into(), 0.5)] };
        encode(&metadata, StateDict::Str("state".into())).unwrap()
    }

    #[test]
    fn every_bit_counts() {
        let bytes = checkpoint();
        let (metadata, state) = decode(&bytes).unwrap();
        assert_eq!(
            (metadata.step, metadata.metric("loss"), metadata.metric("accuracy")),
            (3, Some(0.5), None)
        );
        assert!(state == StateDict::Str("state".into()));
        for bit in 0..8 * bytes.len() {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&damaged).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn metadata_are_at_the_front_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint_3");
        fs::write(&path, &checkpoint()[..60]).unwrap();
        assert_eq!(read_metadata(&path).unwrap().step, 3);
        fs::write(&path, [0x83, 0xa1, b'x', 0xc0]).unwrap();
        let message = read_metadata(&path).unwrap_err().to_string();
        assert!(message.contains("checkpoint_3: not a checkpoint"), "{message}");
        let metrics = (0..5000).map(|i| (format!("metric {i}"), 0.0)).collect();
        let message = encode(&Metadata { step: 0, metrics }, StateDict::Nil).unwrap_err().to_string();
        assert!(message.contains("at most 32768 bytes"), "{message}");
    }
}
