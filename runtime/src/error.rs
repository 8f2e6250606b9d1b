//! What can go wrong while a program runs.
//!
//! The rule for naming: a variant is named for what was wrong, and carries where it was found (a path, a
//! field), what was expected and what was found. Nothing is printed; the caller decides.

use std::path::PathBuf;

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

/// A result whose error is flaxen's.
pub type Result<T, E = Error> = std::result::Result<T, E>;
