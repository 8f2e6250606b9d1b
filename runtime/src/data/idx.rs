//! The IDX format: an array of unsigned bytes with its sizes, as MNIST is distributed.
//!
//! ```text
//! 00 00 08 n     the magic number: two zeros, the element type (08: unsigned byte), the number of dimensions
//! n × u32        the sizes, big-endian
//! …              the values, the last dimension varying fastest
//! ```
//!
//! Source: Yann LeCun, Corinna Cortes, Christopher Burges, "The MNIST database of handwritten digits".

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, Result};

/// The element type of unsigned bytes in the magic number.
const UNSIGNED_BYTE: u8 = 0x08;

/// The first two bytes of every gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Deflate cannot make data smaller than this: 258 bytes in two bits, rounded up.
const MOST_BYTES_PER_GZIP_BYTE: u64 = 1032;

/// An array of unsigned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    /// The size of every dimension; at least one dimension.
    pub sizes: Vec<usize>,
    /// The values in row-major order, as many as the product of the sizes.
    pub values: Vec<u8>,
}

/// Reads `path`, or `path` with `.gz` appended where only that exists. Whether a file is compressed is told
/// from its first bytes, not from its name.
///
/// No more memory is asked for than the header allows, nor more than twice what the file really holds.
///
/// # Errors
///
/// [`Error::Io`] when the file is missing or cannot be read; [`Error::Format`] when it is not an IDX file of
/// unsigned bytes, ends early, has bytes after its values, or is corrupt gzip.
pub fn read(path: impl AsRef<Path>) -> Result<Idx> {
    read_checked(path, |_| Ok(())).map(|(idx, _)| idx)
}

/// As [`read`], asking `check_sizes` what is wrong with the sizes before any value is read. Also gives
/// the path that was read, which may end in `.gz`.
pub(super) fn read_checked(
    path: impl AsRef<Path>,
    check_sizes: impl FnOnce(&[usize]) -> Result<(), String>,
) -> Result<(Idx, PathBuf)> {
    let path = locate(path.as_ref())?;
    let io_error = |source| Error::Io { path: path.clone(), source };
    let file = File::open(&path).map_err(io_error)?;
    let file_size = file.metadata().map_err(io_error)?.len();
    let mut file = BufReader::new(file);
    let result = if file.fill_buf().map_err(io_error)?.starts_with(&GZIP_MAGIC) {
        parse(&mut MultiGzDecoder::new(file), file_size.saturating_mul(MOST_BYTES_PER_GZIP_BYTE), check_sizes)
            .map_err(|failure| failure.inside_gzip())
    } else {
        parse(&mut file, file_size, check_sizes)
    };
    match result {
        Ok(idx) => Ok((idx, path)),
        Err(Failure::Io(source)) => Err(Error::Io { path, source }),
        Err(Failure::Format(reason)) => Err(Error::Format { path, reason }),
    }
}

/// `path` itself, else `path.gz`.
fn locate(path: &Path) -> Result<PathBuf> {
    let mut compressed = OsString::from(path);
    compressed.push(".gz");
    for candidate in [path.to_owned(), PathBuf::from(compressed)] {
        match fs::metadata(&candidate) {
            Ok(metadata) if metadata.is_file() => return Ok(candidate),
            Ok(_) => {
                return Err(Error::Format { path: candidate, reason: "not a file".into() });
            }
            Err(source) if source.kind() == ErrorKind::NotFound => {}
            Err(source) => {
                return Err(Error::Io { path: candidate, source });
            }
        }
    }
    let source = io::Error::new(ErrorKind::NotFound, "no such file, nor one with `.gz` appended");
    Err(Error::Io { path: path.to_owned(), source })
}

/// What went wrong, while the path is not at hand.
enum Failure {
    Io(io::Error),
    Format(String),
}

impl Failure {
    /// What the decoder complains about is the file's content; only the operating system's errors are I/O.
    fn inside_gzip(self) -> Self {
        match self {
            Self::Io(error) if error.raw_os_error().is_none() => {
                Self::Format(format!("corrupt gzip: {error}"))
            }
            other => other,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads header, values and the end of the data; `at_most` bytes can be in `reader`.
fn parse(
    reader: &mut impl Read,
    at_most: u64,
    check_sizes: impl FnOnce(&[usize]) -> Result<(), String>,
) -> Result<Idx, Failure> {
    let sizes = parse_sizes(reader)?;
    let count = sizes
        .iter()
        .try_fold(1, |count: usize, &size| count.checked_mul(size))
        .ok_or_else(|| Failure::Format(format!("the header's sizes {sizes:?} are too large")))?;
    check_sizes(&sizes).map_err(Failure::Format)?;
    if count as u64 > at_most {
        return Err(Failure::Format(format!(
            "truncated: the header's sizes {sizes:?} ask for {count} values, and the file is too short for them"
        )));
    }

    // One byte more than announced, to meet the end of the data, where gzip's checksum is compared.
    let mut values = Vec::new();
    let end = reader.take((count as u64).saturating_add(1)).read_to_end(&mut values);
    end.map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof if values.len() == count => {
            Failure::Format("corrupt gzip: cut off after the last value, or followed by other data".into())
        }
        _ => truncated(error),
    })?;
    if values.len() > count {
        return Err(Failure::Format(format!("data after the {count} values of sizes {sizes:?}")));
    }
    if values.len() < count {
        return Err(Failure::Format(format!(
            "truncated: the header's sizes {sizes:?} ask for {count} values, found {}",
            values.len()
        )));
    }
    Ok(Idx { sizes, values })
}

/// The magic number and the sizes.
fn parse_sizes(reader: &mut impl Read) -> Result<Vec<usize>, Failure> {
    let mut magic = [0; 4];
    reader.read_exact(&mut magic).map_err(truncated)?;
    let dimensions = match magic {
        [0, 0, UNSIGNED_BYTE, dimensions] if dimensions > 0 => dimensions,
        _ => {
            return Err(Failure::Format(format!(
                "not an IDX file of unsigned bytes: expected the magic number 0x000008NN, found 0x{:08x}",
                u32::from_be_bytes(magic)
            )));
        }
    };
    let mut sizes = Vec::with_capacity(dimensions.into());
    for _ in 0..dimensions {
        let mut size = [0; 4];
        reader.read_exact(&mut size).map_err(truncated)?;
        sizes.push(u32::from_be_bytes(size) as usize);
    }
    Ok(sizes)
}

/// An early end is the file's fault, not the operating system's.
fn truncated(error: io::Error) -> Failure {
    match error.kind() {
        ErrorKind::UnexpectedEof => Failure::Format("truncated: the file ends early".into()),
        _ => Failure::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    /// An IDX file of these sizes with the values 0, 1, 2, ….
    fn idx_bytes(sizes: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0, 0, UNSIGNED_BYTE, sizes.len() as u8];
        sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
        bytes.extend((0..sizes.iter().product()).map(|value: u32| value as u8));
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Writes `bytes` to a file of its own and reads it back.
    fn read_bytes(bytes: &[u8]) -> Result<Idx> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("values-idx");
        fs::write(&path, bytes).unwrap();
        read(&path).inspect_err(|error| assert!(error.to_string().contains("values-idx"), "{error}"))
    }

    /// The error's text, which must tell this reason.
    #[track_caller]
    fn assert_refused(bytes: &[u8], reason: &str) {
        let message = read_bytes(bytes).unwrap_err().to_string();
        assert!(message.contains(reason), "expected {reason:?} in {message:?}");
    }

    #[test]
    fn plain_and_compressed_files_read_alike() {
        let bytes = idx_bytes(&[3, 2, 2]);
        let expected = Idx { sizes: vec![3, 2, 2], values: (0..12).collect() };
        assert_eq!(read_bytes(&bytes).unwrap(), expected);
        assert_eq!(read_bytes(&gzip(&bytes)).unwrap(), expected);
        // gzip files may be concatenated.
        assert_eq!(read_bytes(&[gzip(&bytes[..9]), gzip(&bytes[9..])].concat()).unwrap(), expected);
        assert_eq!(read_bytes(&idx_bytes(&[0, 28, 28])).unwrap().sizes, [0, 28, 28]);
    }

    #[test]
    fn gz_is_appended_where_only_that_exists() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels");
        fs::write(folder.path().join("labels.gz"), gzip(&idx_bytes(&[5]))).unwrap();
        assert_eq!(read(&path).unwrap().sizes, [5]);
        fs::write(&path, idx_bytes(&[4])).unwrap();
        assert_eq!(read(&path).unwrap().sizes, [4]);
    }

    #[test]
    fn missing_files_and_folders_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let message = read(folder.path().join("absent")).unwrap_err().to_string();
        assert!(message.contains("absent: no such file"), "{message}");
        let message = read(folder.path()).unwrap_err().to_string();
        assert!(message.contains("not a file"), "{message}");
    }

    #[test]
    fn every_defect_has_its_reason() {
        let bytes = idx_bytes(&[3, 4]);
        assert_refused(b"", "ends early");
        assert_refused(&bytes[..7], "ends early");
        assert_refused(&bytes[..20], "ask for 12 values, found 8");
        assert_refused(&[&bytes[..], b"!"].concat(), "data after the 12 values");
        assert_refused(&[0, 0, 0x0d, 1, 0, 0, 0, 0], "found 0x00000d01");
        assert_refused(b"PK\x03\x04", "found 0x504b0304");
        assert_refused(&[0, 0, 8, 0], "found 0x00000800");
        assert_refused(&[[0, 0, 8, 3].as_slice(), &[0xff; 12]].concat(), "too large");
    }

    #[test]
    fn every_defect_of_the_compression_has_its_reason() {
        let bytes = idx_bytes(&[3, 4]);
        let compressed = gzip(&bytes);
        assert_refused(&compressed[..3], "ends early");
        assert_refused(&compressed[..compressed.len() - 12], "ends early");
        assert_refused(&compressed[..compressed.len() - 1], "cut off after the last value");
        assert_refused(&[&compressed[..], b"garbage"].concat(), "followed by other data");
        assert_refused(&[&compressed[..], b"more garbage than that"].concat(), "corrupt gzip");
        assert_refused(&gzip(&[&bytes[..], b"!"].concat()), "data after the 12 values");
        let mut wrong_checksum = compressed.clone();
        let position = wrong_checksum.len() - 8;
        wrong_checksum[position] ^= 1;
        assert_refused(&wrong_checksum, "corrupt gzip");
    }

    #[test]
    fn a_claim_of_gigabytes_is_refused_before_anything_is_allocated() {
        let header = [0, 0, 8, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 16];
        assert_refused(&header, "too short");
        assert_refused(&gzip(&header), "too short");
    }

    #[test]
    fn a_bomb_is_unpacked_no_further_than_its_header_says() {
        let bomb = gzip(&[&idx_bytes(&[10])[..], &vec![0; 50_000_000]].concat());
        assert_refused(&bomb, "data after the 10 values");
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_bytes(&bytes);
        }

        #[test]
        fn random_bytes_after_a_header_never_panic(
            dimensions in 0..6_u8,
            bytes in prop::collection::vec(prop_oneof![Just(0), Just(1), any::<u8>()], 0..100),
        ) {
            let _ = read_bytes(&[&[0, 0, UNSIGNED_BYTE, dimensions], &bytes[..]].concat());
            let _ = read_bytes(&gzip(&[&[0, 0, UNSIGNED_BYTE, dimensions], &bytes[..]].concat()));
        }

        /// What still reads must be whole: as many values as its sizes say.
        #[test]
        fn mutated_files_read_whole_or_not_at_all(
            sizes in prop::collection::vec(0..6_u32, 1..4),
            compress in any::<bool>(),
            flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u32), 0..4),
            keep in 0.5..1.5_f64,
        ) {
            let bytes = idx_bytes(&sizes);
            let mut bytes = if compress { gzip(&bytes) } else { bytes };
            for (position, bit) in flips {
                let position = position.index(bytes.len());
                bytes[position] ^= 1 << bit;
            }
            bytes.truncate((bytes.len() as f64 * keep) as usize);
            if let Ok(idx) = read_bytes(&bytes) {
                prop_assert_eq!(idx.values.len(), idx.sizes.iter().product::<usize>());
            }
        }

        #[test]
        fn every_valid_file_reads_back(sizes in prop::collection::vec(0..6_u32, 1..4), compress in any::<bool>()) {
            let bytes = idx_bytes(&sizes);
            let idx = read_bytes(&if compress { gzip(&bytes) } else { bytes.clone() }).unwrap();
            prop_assert_eq!(idx.sizes, sizes.iter().map(|&size| size as usize).collect::<Vec<_>>());
            prop_assert_eq!(&idx.values, &bytes[4 + 4 * sizes.len()..]);
        }
    }
}
