//! The name of an axis that is mapped over, as a type.

/// A name for the examples of a `vmap!`, as JAX's `axis_name`. [`axis!`](crate::axis) declares one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the name of an axis",
    label = "declare it with `axis!({Self});`"
)]
pub trait Axis: Copy + Default + 'static {
    /// The name.
    const NAME: &'static str;
}

/// The axis of a `vmap!` that names none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unnamed;

impl Axis for Unnamed {
    const NAME: &'static str = "unnamed";
}

/// Declares the names of axes: `axis!(pub batch);`. A `vmap!` binds one, and what reduces along it names it.
///
/// ```
/// use flaxen::prelude::*;
///
/// axis!(batch);
///
/// let x = Tensor::<(U4,)>::of(&[1.0, 2.0, 3.0, 6.0])?;
/// let centered = vmap!(|x| x - pmean::<batch>(x), x, axis = batch);
/// assert_eq!(centered.as_slice(), [-2.0, -1.0, 0.0, 3.0]);
/// # Ok::<(), flaxen::Error>(())
/// ```
#[macro_export]
macro_rules! axis {
    ($($visibility:vis $name:ident),+ $(,)?) => {$(
        #[doc = concat!("The axis `", stringify!($name), "`.")]
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        $visibility struct $name;

        impl $crate::batching::Axis for $name {
            const NAME: &'static str = stringify!($name);
        }
    )+};
}
