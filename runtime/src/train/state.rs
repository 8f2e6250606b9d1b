//! What a training step reads and changes: `flax.training.train_state.TrainState`.

use crate::optim::GradientTransformation;
use crate::tree::Tree;

/// Parameters, an optimiser and its state.
///
/// ```
/// use flaxen::optim;
/// use flaxen::prelude::*;
/// use flaxen::train::TrainState;
///
/// let params = Tensor::<(U2,)>::of(&[1.0, -1.0])?;
/// let state = TrainState::create(params, optim::sgd(0.1).momentum(0.9));
/// let gradients = Tensor::<(U2,)>::of(&[1.0, 2.0])?;
/// let state = state.apply_gradients(gradients);
/// assert_eq!(state.step, 1);
/// assert_eq!(state.params.as_slice(), [0.9, -1.2]);
/// # Ok::<(), flaxen::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState<P: Tree, T: GradientTransformation> {
    /// The number of steps taken.
    pub step: usize,
    /// The parameters.
    pub params: P,
    /// The optimiser.
    pub tx: T,
    /// The optimiser's state.
    pub opt_state: T::State<P>,
}

impl<P: Tree, T: GradientTransformation> TrainState<P, T> {
    /// The state before the first step.
    pub fn create(params: P, tx: T) -> Self {
        let opt_state = tx.init(&params);
        TrainState { step: 0, params, tx, opt_state }
    }

    /// Takes a step, as [`update`](Self::update) does, and returns the state as Flax's method does.
    pub fn apply_gradients(mut self, gradients: P) -> Self {
        self.update(gradients);
        self
    }

    /// Takes a step. Parameters and the optimiser's state are written in place, and nothing is allocated.
    ///
    /// A tensor that somebody else holds too, such as one of a clone of the parameters that is kept for a
    /// comparison, is copied before it is written, so that the clone stays what it is.
    pub fn update(&mut self, gradients: P) {
        self.tx.apply_gradients(&mut self.params, gradients, &mut self.opt_state);
        self.step += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim;
    use crate::prelude::*;

    #[test]
    fn a_step_writes_in_place_and_leaves_clones_alone() {
        let params = Tensor::<(U3,), f32>::of(&[1.0, 2.0, 3.0]).unwrap();
        let mut state = TrainState::create(params.clone(), optim::adam(0.1));
        state.update(Tensor::full(params.shape(), 1.0));
        assert_eq!(params.as_slice(), [1.0, 2.0, 3.0], "another holder keeps its values");
        assert!(state.params.as_slice()[0] < 1.0);
        let address = |tree: &Tensor<(U3,), f32>| tree.as_slice().as_ptr();
        let addresses = |state: &TrainState<_, optim::Adam>| {
            let adam = &state.opt_state.0;
            [address(&state.params), address(&adam.mu), address(&adam.nu)]
        };
        let before = addresses(&state);
        let state = state.apply_gradients(Tensor::full(params.shape(), 1.0));
        assert_eq!(addresses(&state), before);
        assert_eq!((state.step, state.opt_state.0.count), (2, 2));
    }
}
