//! Sharp bits: dropout and randomness, and what does not compile here.
//!
//! The model draws from a stream of its own while it trains, and from none while it evaluates. What Flax finds while running,
//! or does not find at all, is an error of the compiler here; `tests/ui` has each of these mistakes with what rustc says:
//!
//! - a call that trains, through `apply`, which would drop what it updates;
//! - a stream that the call needs and `rngs!` lacks, or that `rngs!` has and the call never draws from;
//! - a variable that is updated with another shape than it was declared with;
//! - a gradient through an op that has none;
//! - a key that is used twice.

use flaxen::prelude::*;

/// A dense layer, half of whose outputs are dropped while it trains.
#[module]
struct MyModel<Neurons: Static>;

#[module]
impl<Neurons: Static> MyModel<Neurons> {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 4, 4], training: P) -> Tensor![B, 4, Neurons] {
        let x = compact!(Dense<Neurons>)(x);
        compact!(Dropout, rate = 0.5)(x, training)
    }
}

fn main() {
    let [main_key, params_key, dropout_key] = Key::legacy(0).split_array::<3>();
    let my_model = MyModel::<U3>::new();
    let x: Tensor![3, 4, 4] = main_key.uniform(Default::default(), 0.0, 1.0);

    // Initialising needs one key: that of the parameters.
    let variables = my_model.init(params_key);

    // Evaluation draws nothing, so there is no key to give.
    let y = my_model.apply(&variables, x.clone(), Eval);
    println!("evaluation: {y}");
    assert_near(
        y.as_slice(),
        &[
            [0.47724277, -0.518885, 0.0102383],
            [0.2257366, -0.95772946, 0.3264343],
            [0.32406709, -1.0321646, 0.38674134],
            [0.31872603, -0.46522766, 0.13807216],
        ],
    );

    // Training draws the mask from the stream `dropout`: the mask of Flax, since the key is derived from the layer's path.
    let keys = || rngs! { dropout: dropout_key.duplicate() };
    let (y, _) = my_model.apply_mut(&variables, x.clone(), Train, keys());
    println!("training: {y}");
    assert_near(
        y.as_slice(),
        &[
            [0.0, -1.03777, 0.0204766],
            [0.0, 0.0, 0.0],
            [0.648134172, -2.06432915, 0.0],
            [0.0, -0.93045533, 0.0],
        ],
    );

    // The same key makes the same mask; the next step's key is made of it and the step's number.
    let (again, _) = my_model.apply_mut(&variables, x.clone(), Train, keys());
    assert_eq!(again, y);
    let (next, _) = my_model.apply_mut(&variables, x, Train, rngs! { dropout: dropout_key.fold_in(1) });
    assert_ne!(next, y);
}

/// Asserts that the first numbers are these.
fn assert_near(found: &[f32], expected: &[[f32; 3]]) {
    for (found, expected) in found.iter().zip(expected.as_flattened()) {
        assert!((found - expected).abs() <= 1e-6, "{found} is not {expected}");
    }
}
