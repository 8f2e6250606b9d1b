//! The lowered passes as documentation, so that rustdoc shows a user the backward pass.

use crate::lower::{Lowered, print};

/// The forward and the backward steps.
pub fn passes(lowered: &Lowered) -> String {
    let list = |steps: Vec<String>| steps.join("\n");
    format!(
        "What `call` was lowered to.\n\nForward:\n\n```text\n{}\n```\n\nBackward:\n\n```text\n{}\n```",
        list(print::forward(lowered)),
        list(print::backward(lowered)),
    )
}
