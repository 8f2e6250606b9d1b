//! Why a value is not turned into another, and where: found deep inside, and given its path on the way out.

use crate::error::Error;
use std::fmt;

/// The path of what is not inside of anything.
pub const ROOT: &str = "the whole tree";

/// What was expected and found at a path.
#[derive(Debug)]
pub struct Refusal(Box<Parts>);

/// Behind a box: it is the rare case.
#[derive(Debug)]
struct Parts {
    /// The keys, innermost first.
    path: Vec<String>,
    expected: String,
    found: String,
}

impl Refusal {
    pub fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Refusal(Box::new(Parts { path: Vec::new(), expected: expected.into(), found: found.into() }))
    }

    /// The same, found inside of the value of this key.
    pub fn at(mut self, key: impl Into<String>) -> Self {
        self.0.path.push(key.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { path, expected, found } = &*self.0;
        path.iter().rev().try_for_each(|key| write!(formatter, "{key}: "))?;
        write!(formatter, "expected {expected}, found {found}")
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Error {
    fn from(Refusal(parts): Refusal) -> Self {
        let Parts { mut path, expected, found } = *parts;
        path.reverse();
        let what = if path.is_empty() { ROOT.to_string() } else { path.join("/") };
        Error::Mismatch { what, expected, found }
    }
}
