//! What can go wrong while a program runs.
//!
//! The rule for naming: a variant is named for what was wrong, and carries where it was found (a path, a
//! field), what was expected and what was found. Nothing is printed; the caller decides.

use std::path::{Path, PathBuf};

/// A run-time error of flaxen. Wrong shapes are not among them: they do not compile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file is not of the format that it should have.
    #[error("{}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        reason: String,
    },
    /// Bytes are not of the format that they should have.
    #[error("{what}: {reason}")]
    Malformed {
        /// The format, and where in it.
        what: String,
        /// What was expected and what was found.
        reason: String,
    },
    /// Two things that belong together do not agree, or a value is out of its range.
    #[error("{what}: expected {expected}, found {found}")]
    Mismatch {
        /// The argument, field or path.
        what: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl Error {
    /// The error of bytes that were read from a file.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        let in_file = |what: String| format!("{}: {what}", path.display());
        match self {
            Error::Malformed { what, reason } => {
                Error::Format { path: path.to_owned(), reason: format!("{what}: {reason}") }
            }
            Error::Mismatch { what, expected, found } => {
                Error::Mismatch { what: in_file(what), expected, found }
            }
            named @ (Error::Io { .. } | Error::Format { .. }) => named,
        }
    }
}

/// A result whose error is flaxen's.
pub type Result<T, E = Error> = std::result::Result<T, E>;
