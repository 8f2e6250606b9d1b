//! What the tests against Flax's numbers share: the reader of the fixtures that the real Flax made, and the
//! comparison of what flaxen computed with what they hold.

mod fixture;
mod tolerance;

pub use fixture::Fixture;
pub use tolerance::{Tolerance, ulp_distance};
