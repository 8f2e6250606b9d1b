//! Reads the fixtures that the real Flax made.
