//! The ops: one file each, with its formula, shape rule, body, derivative and cases.
//!
//! Enters: the op contract and the kernels of the backend. Leaves: for every op a module with a type `Op` in it and,
//! where no type-level arguments are needed, a function of the same name for use outside of modules.

mod broadcast;
mod elementwise;
mod extremum;
mod operators;
mod reduction;
#[cfg(test)]
pub(crate) mod testing;


pub mod abs;
pub mod add;
pub mod argmax;
pub mod celu;
pub mod div;
pub mod elu;
pub mod equal;
pub mod exp;
pub mod gelu;
pub mod gelu_exact;
pub mod hard_sigmoid;
pub mod hard_swish;
pub mod hard_tanh;
pub mod leaky_relu;
pub mod log;
pub mod log_sigmoid;
pub mod log_softmax;
pub mod logsumexp;
pub mod max;
pub mod max_axis;
pub mod maximum;
pub mod mean;
pub mod mean_axis;
pub mod min;
pub mod min_axis;
pub mod minimum;
pub mod mul;
pub mod neg;
pub mod pow;
pub mod relu;
pub mod relu6;
pub mod selu;
pub mod sigmoid;
pub mod silu;
pub mod soft_sign;
pub mod softmax;
pub mod softplus;
pub mod sqrt;
pub mod square;
pub mod stop_gradient;
pub mod sub;
pub mod sum;
pub mod sum_axis;
pub mod tanh;

pub use elementwise::{Elementwise, Input, Keep, Nothing, Output};
pub use abs::abs;
pub use add::add;
pub use argmax::argmax;
pub use celu::celu;
pub use div::div;
pub use elu::elu;
pub use equal::equal;
pub use exp::exp;
pub use gelu::gelu;
pub use gelu_exact::gelu_exact;
pub use hard_sigmoid::hard_sigmoid;
pub use hard_swish::hard_swish;
pub use hard_tanh::hard_tanh;
pub use leaky_relu::leaky_relu;
pub use log::log;
pub use log_sigmoid::log_sigmoid;
pub use log_softmax::log_softmax;
pub use logsumexp::logsumexp;
pub use max::max;
pub use maximum::maximum;
pub use mean::mean;
pub use min::min;
pub use minimum::minimum;
pub use mul::mul;
pub use neg::neg;
pub use pow::pow;
pub use relu::relu;
pub use relu6::relu6;
pub use selu::selu;
pub use sigmoid::sigmoid;
pub use silu::silu;
pub use soft_sign::soft_sign;
pub use softmax::softmax;
pub use softplus::softplus;
pub use sqrt::sqrt;
pub use square::square;
pub use stop_gradient::stop_gradient;
pub use sub::sub;
pub use sum::sum;
pub use tanh::tanh;

// Flax's other names.
pub use {hard_swish as hard_silu, silu as swish};
