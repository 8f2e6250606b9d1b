//! Losses, under Optax's names. They are ops: a model's body and `value_and_grad!` may call them.
//!
//! A loss takes predictions (or logits) and targets (or labels), in this order, and returns one number for each element or
//! for each row, as Optax does; `.mean()` makes one number of them.

mod pairwise;
mod regression;
mod rows;
mod sizes;

pub mod cosine_distance;
pub mod cosine_similarity;
pub mod hinge_loss;
pub mod huber_loss;
pub mod kl_divergence;
pub mod kl_divergence_with_log_targets;
pub mod l2_loss;
pub mod log_cosh;
pub mod mse;
pub mod perceptron_loss;
pub mod sigmoid_binary_cross_entropy;
pub mod softmax_cross_entropy;
pub mod softmax_cross_entropy_with_integer_labels;
pub mod squared_error;

pub use cosine_distance::cosine_distance;
pub use cosine_similarity::cosine_similarity;
pub use hinge_loss::hinge_loss;
pub use huber_loss::huber_loss;
pub use kl_divergence::kl_divergence;
pub use kl_divergence_with_log_targets::kl_divergence_with_log_targets;
pub use l2_loss::l2_loss;
pub use log_cosh::log_cosh;
pub use mse::mse;
pub use perceptron_loss::perceptron_loss;
pub use sigmoid_binary_cross_entropy::sigmoid_binary_cross_entropy;
pub use softmax_cross_entropy::softmax_cross_entropy;
pub use softmax_cross_entropy_with_integer_labels::softmax_cross_entropy_with_integer_labels;
pub use squared_error::squared_error;
