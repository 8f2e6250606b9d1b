//! Flax basics: the first tutorial.
//!
//! A layer is made, initialised and applied; a linear regression is trained by hand and with an optimiser; its
//! parameters become bytes and parameters again; then models of one's own, with parameters and with state.
//!
//! Every part ends in asserts on the numbers that the original prints, drawn with the keys of the JAX of its time
//! (`Key::legacy`).

mod modules;
mod regression;
mod saved;
mod state;

fn main() -> flaxen::Result<()> {
    let params = regression::run();
    saved::run(&params)?;
    modules::run();
    state::run();
    Ok(())
}

/// Whether two numbers agree to a relative error.
fn close(found: f32, expected: f32, tolerance: f32) -> bool {
    (found - expected).abs() <= tolerance * expected.abs()
}

/// Asserts that all numbers agree to an absolute error.
fn assert_near(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }
}
