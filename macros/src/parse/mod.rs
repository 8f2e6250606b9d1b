//! Tokens to IR, one syntax a file. Enters: what the user wrote. Leaves: the IR, or an error at the user's token.

pub mod dims;
