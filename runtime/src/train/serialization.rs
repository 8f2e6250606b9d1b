//! How a training state is saved: Flax's `{step, params, opt_state}`.

use super::TrainState;
use crate::error::Result;
use crate::optim::GradientTransformation;
use crate::serialization::{Dict, Serializable, StateDict};
use crate::tree::Tree;

/// Step, parameters and the optimiser's state are saved, the optimiser itself is not: a restored state has the template's.
///
/// The bytes are Flax's, those of a state whose `step` is a Python int. Keys of the parameters are in the order of their
/// creation before the first step and in alphabetical order after it; those of the optimiser's copies of the parameters
/// always are in alphabetical order, as tree functions made them.
impl<P: Tree, T: GradientTransformation> Serializable for TrainState<P, T>
where
    T::State<P>: Serializable,
{
    fn to_state_dict(&self) -> Result<StateDict> {
        let params = self.params.to_state_dict()?;
        let mut opt_state = self.opt_state.to_state_dict()?;
        sort_trees_like(&params, &mut opt_state);
        let params = params.without_empty_dicts();
        let params = if self.step > 0 { params.sorted() } else { params };
        let mut dict = Dict::new();
        dict.save("step", &self.step)?;
        dict.insert("params", params);
        dict.insert("opt_state", opt_state);
        Ok(dict.into())
    }

    fn from_state_dict(&self, state: &StateDict) -> Result<Self> {
        let dict = state.as_dict()?;
        dict.has_only(&["step", "params", "opt_state"])?;
        Ok(TrainState {
            step: dict.restore("step", &self.step)?,
            params: dict.restore("params", &self.params)?,
            tx: self.tx.clone(),
            opt_state: dict.restore("opt_state", &self.opt_state)?,
        })
    }
}

/// Sorts the keys of every tree in the state that has the same keys as the parameters.
fn sort_trees_like(params: &StateDict, state: &mut StateDict) {
    if same_keys(params, state) {
        let tree = std::mem::replace(state, StateDict::Nil);
        *state = without_empty_modules(params, tree).sorted();
    } else if let StateDict::Dict(dict) = state {
        dict.iter_mut().for_each(|(_, state)| sort_trees_like(params, state));
    }
}

/// Whether a tree has the same keys as the parameters, in the same order.
fn same_keys(params: &StateDict, tree: &StateDict) -> bool {
    match (params, tree) {
        (StateDict::Dict(a), StateDict::Dict(b)) => {
            let same = |((a, x), (b, y)): ((&str, &StateDict), (&str, &StateDict))| a == b && same_keys(x, y);
            a.len() == b.len() && a.iter().zip(b.iter()).all(same)
        }
        (StateDict::Dict(_), _) => false,
        // A leaf that is masked is an empty dict.
        (_, StateDict::Dict(masked)) => masked.is_empty(),
        _ => true,
    }
}

/// A tree without the keys of modules that have no parameters. Masked leaves, which are empty dicts too, stay.
fn without_empty_modules(params: &StateDict, tree: StateDict) -> StateDict {
    match (params, tree) {
        (StateDict::Dict(params), StateDict::Dict(tree)) => {
            let kept = params.iter().zip(tree).filter(|((_, params), _)| !is_empty(params));
            Dict::from_iter(kept.map(|((_, params), (key, tree))| (key, without_empty_modules(params, tree))))
                .into()
        }
        (_, leaf) => leaf,
    }
}

/// Whether there is no parameter in a module.
fn is_empty(params: &StateDict) -> bool {
    match params {
        StateDict::Dict(params) => params.iter().all(|(_, params)| is_empty(params)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::optim;
    use crate::prelude::*;
    use crate::serialization::{from_bytes, from_state_dict, to_bytes, to_state_dict};

    type Params = (Tensor<(U2,)>, Tensor<(U3,)>);

    fn state(learning_rate: f64) -> TrainState<Params, optim::Adam> {
        let params = (Tensor::full(Default::default(), 1.0), Tensor::full(Default::default(), -1.0));
        TrainState::create(params, optim::adam(learning_rate))
    }

    #[test]
    fn what_is_restored_goes_on_with_the_optimiser_of_the_template() {
        let mut saved = state(0.1);
        saved.update(saved.params.clone());
        let restored = from_bytes(&state(0.5), &to_bytes(&saved).unwrap()).unwrap();
        assert_eq!(restored.tx, optim::adam(0.5));
        assert_eq!((restored.step, &restored.params), (1, &saved.params));
        assert_eq!(restored.opt_state, saved.opt_state);
    }

    #[test]
    fn a_refusal_has_the_whole_path() {
        let saved = to_state_dict(&state(0.1)).unwrap();
        let refusal = |change: fn(&mut crate::serialization::Dict)| {
            let mut dict = saved.as_dict().unwrap().clone();
            change(&mut dict);
            from_state_dict(&state(0.1), &dict.into()).unwrap_err().to_string()
        };
        let message = refusal(|dict| drop(dict.remove("step")));
        assert_eq!(message, "step: expected a value, found no such key");
        let message = refusal(|dict| drop(dict.insert("other", crate::serialization::StateDict::Nil)));
        assert_eq!(message, "other: expected no such key, found None");
        let message = refusal(|dict| drop(dict.insert("step", crate::serialization::StateDict::Int(-1))));
        assert_eq!(message, "step: expected usize, found integer `-1`");
        let message =
            refusal(|dict| drop(dict.remove("opt_state").map(|state| dict.insert("params", state))));
        assert!(message.starts_with("params/0: expected float32[2], found a dict of `count`"), "{message}");
    }
}
