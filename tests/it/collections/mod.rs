//! Collections besides `params`, phases, rng streams, and values that are sown.

mod phases;
mod sown;
mod streams;
mod training;
mod variables;
