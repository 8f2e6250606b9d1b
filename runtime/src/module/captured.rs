//! What a call has sown: values of the inside of a model, for who looks at them.

use crate::__private::LeafShape;
use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::{Element, Tensor};
use std::any::{Any, type_name};
use std::fmt;

/// The values that a call has sown, and the outputs of all its submodules: what Flax's
/// `apply(variables, x, capture_intermediates=True, mutable=["intermediates"])` returns as its second part.
///
/// A value is found by its collection, the path of its module and its name. A name that was sown several times, as by a
/// submodule that is called twice, has several values. The output of a module is called `__call__`.
///
/// ```
/// use flaxen::prelude::*;
///
/// #[module]
/// struct Net;
///
/// #[module]
/// impl Net {
///     fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 1] {
///         let x = relu(compact!(Dense<4>)(x));
///         sow!(Intermediates, "features", x);
///         compact!(Dense<1>)(x)
///     }
/// }
///
/// let variables = Net::new().init(Key::new(0));
/// let x: Tensor![2, 3] = Tensor::full(Default::default(), 1.0);
/// let (_, captured) = Net::new().apply_and_capture(&variables, x);
/// let features: Vec<&Tensor![2, 4]> = captured.get("intermediates/features")?;
/// assert!(features[0].as_slice().iter().all(|&x| x >= 0.0));
/// assert_eq!(
///     format!("{captured:?}"),
///     "{intermediates/Dense_0/__call__: ((2, 4),), intermediates/features: ((2, 4),), \
///       intermediates/Dense_1/__call__: ((2, 1),), intermediates/__call__: ((2, 1),)}"
/// );
/// # Ok::<(), flaxen::Error>(())
/// ```
#[derive(Default)]
pub struct Captured(Vec<Entry>);

/// The values of one name.
struct Entry {
    path: String,
    values: Vec<Box<dyn Sown>>,
}

impl Captured {
    /// The values of a path, the first that was sown first.
    ///
    /// # Errors
    /// If nothing was sown there, or a value is of another type.
    pub fn get<T: Any>(&self, path: &str) -> Result<Vec<&T>> {
        let mismatch = |found: String| Error::Mismatch {
            what: format!("captured values at `{path}`"),
            expected: type_name::<T>().to_string(),
            found,
        };
        let entry = self.0.iter().find(|entry| entry.path == path);
        let entry = entry.ok_or_else(|| mismatch(format!("values at {:?}", self.paths())))?;
        let values = entry.values.iter().map(|value| {
            value.as_any().downcast_ref::<T>().ok_or_else(|| mismatch(value.type_name().to_string()))
        });
        values.collect()
    }

    /// The paths at which there are values, in the order in which they were sown.
    pub fn paths(&self) -> Vec<&str> {
        self.0.iter().map(|entry| entry.path.as_str()).collect()
    }

    pub(crate) fn push(&mut self, path: String, value: impl Sown) {
        match self.0.iter_mut().find(|entry| entry.path == path) {
            Some(entry) => entry.values.push(Box::new(value)),
            None => self.0.push(Entry { path, values: vec![Box::new(value)] }),
        }
    }
}

/// Prints the shapes, as Flax's `tree_map(jnp.shape, …)`.
impl fmt::Debug for Captured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Values<'a>(&'a [Box<dyn Sown>]);
        impl fmt::Debug for Values<'_> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("(")?;
                for (index, value) in self.0.iter().enumerate() {
                    formatter.write_str(if index > 0 { " " } else { "" })?;
                    value.print(formatter)?;
                    formatter.write_str(if index + 1 == self.0.len() && index > 0 { "" } else { "," })?;
                }
                formatter.write_str(")")
            }
        }
        let entries = self.0.iter().map(|entry| (Raw(&entry.path), Values(&entry.values)));
        formatter.debug_map().entries(entries).finish()
    }
}

/// A path without quotes.
struct Raw<'a>(&'a str);

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// What can be sown: a tensor, or the outputs of a module.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be sown", label = "expected a tensor")]
pub trait Sown: Any {
    /// The value, to be asked for its type.
    fn as_any(&self) -> &dyn Any;
    /// The name of its type.
    fn type_name(&self) -> &'static str;
    /// Prints its shape.
    fn print(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl<S: Shape, E: Element> Sown for Tensor<S, E> {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn type_name(&self) -> &'static str {
        type_name::<Self>()
    }
    fn print(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&LeafShape(self), formatter)
    }
}

macro_rules! tuples {
    ($($($part:ident $index:tt)+;)+) => {$(
        impl<$($part: Sown),+> Sown for ($($part,)+) {
            fn as_any(&self) -> &dyn Any {
                self
            }
            fn type_name(&self) -> &'static str {
                type_name::<Self>()
            }
            fn print(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("(")?;
                $(
                    formatter.write_str(if $index > 0 { ", " } else { "" })?;
                    self.$index.print(formatter)?;
                )+
                formatter.write_str(")")
            }
        }
    )+};
}

tuples! {
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
}
