//! What ops of a tensor and a number have in common.

/// The type of an op that has one number, `v`, and works element by element.
macro_rules! scalar {
    ($(#[$doc:meta])+ $op:ident) => {
        $(#[$doc])+
        #[derive(Clone, Copy, Debug)]
        pub struct $op<V = f64>(V);

        impl<V> $op<V> {
            /// The op with this `v`.
            pub const fn new(v: V) -> Self {
                $op(v)
            }

            /// The rule in numbers: the output has the input's sizes.
            pub const fn shape([x]: [$crate::shape::Sizes; 1]) -> $crate::shape::Rule {
                $crate::shape::Rule::Out(x)
            }
        }
    };
}
pub(super) use scalar;
