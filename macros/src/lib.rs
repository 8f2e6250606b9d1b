//! The compiler of flaxen.
