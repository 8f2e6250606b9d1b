//! The tutorials of Flax, in flaxen.
