//! The name of an axis that is mapped over, as a type.

/// A name for the examples of a `vmap!`, as JAX's `axis_name`. [`axis!`](crate::axis) declares one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the name of an axis",
    label = "declare it with `axis!({Self});`"
)]
pub trait Axis: Copy + Default + 'static {
    /// The name.
    const NAME: &'static str;
    /// A number by which types tell it from other axes.
    type Id;
}

/// The axis of a `vmap!` that names none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unnamed;

impl Axis for Unnamed {
    const NAME: &'static str = "unnamed";
    type Id = typenum::U0;
}
