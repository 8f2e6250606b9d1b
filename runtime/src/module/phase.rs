//! Training and evaluation as types.

use std::fmt::Debug;

/// Whether a call trains: [`Train`] or [`Eval`].
///
/// A phase is an argument of `call`, passed on to the layers that behave differently:
/// `fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 3], phase: P)`. Since it is a type, what a call updates and draws
/// is known when it is compiled.
pub trait Phase: Copy + Debug + Default + PartialEq + Send + Sync + 'static {
    /// `T` in training, `()` in evaluation.
    type When<T>;
    /// Whether this is training.
    const TRAIN: bool;

    /// The value in training; otherwise `value` is not called.
    fn when<T>(value: impl FnOnce() -> T) -> Self::When<T>;
    /// Something made of the value, if there is one.
    fn map<T, U>(value: Self::When<T>, change: impl FnOnce(T) -> U) -> Self::When<U>;
    /// The value, or another one in evaluation.
    fn or<T>(value: Self::When<T>, other: impl FnOnce() -> T) -> T;
}

/// Training: Flax's `train=True`, `deterministic=False`, `use_running_average=False`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Train;

/// Evaluation: Flax's `train=False`, `deterministic=True`, `use_running_average=True`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Eval;

impl Phase for Train {
    type When<T> = T;
    const TRAIN: bool = true;

    fn when<T>(value: impl FnOnce() -> T) -> T {
        value()
    }
    fn map<T, U>(value: T, change: impl FnOnce(T) -> U) -> U {
        change(value)
    }
    fn or<T>(value: T, _: impl FnOnce() -> T) -> T {
        value
    }
}

impl Phase for Eval {
    type When<T> = ();
    const TRAIN: bool = false;

    fn when<T>(_: impl FnOnce() -> T) {}
    fn map<T, U>((): (), _: impl FnOnce(T) -> U) {}
    fn or<T>((): (), other: impl FnOnce() -> T) -> T {
        other()
    }
}
