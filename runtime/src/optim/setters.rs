//! Setters of a recipe: each writes a field of one transform of its chain.

/// `b1: f64 => 0;` is a method `b1` that sets the field `b1` of transform 0 of a chain.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty => $index:tt;)+) => {$(
        $(#[$doc])*
        pub fn $name(mut self, $name: $type) -> Self {
            self.0.$index.$name = $name;
            self
        }
    )+};
}
pub(super) use setters;

/// Setters of the decays and the numbers in the denominator that Adam and its relatives have.
macro_rules! adam_setters {
    () => {
        super::setters::setters! {
            /// With this decay of the mean of the gradients.
            b1: f64 => 0;
            /// With this decay of the mean of their squares.
            b2: f64 => 0;
            /// With this number added outside of the root.
            eps: f64 => 0;
            /// With this number added inside of the root.
            eps_root: f64 => 0;
        }
    };
}
pub(super) use adam_setters;

/// The setter of Nesterov's momentum, which the field `nesterov` of a transform switches on.
macro_rules! nesterov_setter {
    ($index:tt) => {
        /// With Nesterov's momentum.
        pub fn nesterov(mut self) -> Self {
            self.0.$index.nesterov = true;
            self
        }
    };
}
pub(super) use nesterov_setter;
