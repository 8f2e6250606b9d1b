//! Text that a constant can build: rustc shows it when a shape is wrong.

use super::{Size, Sizes};

const CAPACITY: usize = 256;

/// A message put together while the program is compiled. What does not fit is cut off.
#[derive(Clone, Copy)]
pub struct Message {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl Message {
    /// A message that begins with `text`.
    pub const fn new(text: &str) -> Self {
        Message { bytes: [0; CAPACITY], len: 0 }.text(text)
    }

    /// Adds text.
    pub const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        if self.len + text.len() <= CAPACITY {
            let mut i = 0;
            while i < text.len() {
                self.bytes[self.len] = text[i];
                self.len += 1;
                i += 1;
            }
        }
        self
    }

    /// Adds a number in decimals.
    pub const fn number(mut self, number: usize) -> Self {
        let mut scale = 1;
        while number / scale >= 10 {
            scale *= 10;
        }
        while scale > 0 && self.len < CAPACITY {
            self.bytes[self.len] = b'0' + (number / scale % 10) as u8;
            self.len += 1;
            scale /= 10;
        }
        self
    }

    /// Adds one size: a number, the name of a dimension, or `?`.
    pub const fn size(self, size: Size) -> Self {
        match size {
            Size::Known(number) => self.number(number),
            Size::Named(name) => self.text(name),
            Size::Unknown => self.text("?"),
        }
    }

    /// Adds sizes as `[B, 28, 28, 1]`.
    pub const fn sizes(mut self, sizes: Sizes) -> Self {
        self = self.text("[");
        let mut axis = 0;
        while axis < sizes.rank() {
            if axis > 0 {
                self = self.text(", ");
            }
            self = self.size(sizes.at(axis));
            axis += 1;
        }
        self.text("]")
    }

    /// The text.
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "a message that is not text",
        }
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
