//! Self-attention with several heads.

use flaxen::prelude::*;

/// Self-attention of `H` heads of `D` features each, over tokens of `W = H * D` features: Hugging Face's
/// `FlaxCLIPAttention`.
#[module]
pub struct Attention<W: Static, H: Static, D: Static>;

#[module]
impl<W: Static, H: Static, D: Static> Attention<W, H, D> {
    fn call<B: Batch, T: Dim>(&self, x: Tensor![B, T, W]) -> Tensor![B, T, W] {
        let query = compact!(Dense<W>, name = "q_proj")(x.clone());
        let key = compact!(Dense<W>, name = "k_proj")(x.clone());
        let value = compact!(Dense<W>, name = "v_proj")(x);
        let query = reshape::<Tensor![B, T, H, D]>(query);
        let key = reshape::<Tensor![B, T, H, D]>(key);
        let value = reshape::<Tensor![B, T, H, D]>(value);
        let x = dot_product_attention(query, key, value);
        let x = reshape::<Tensor![B, T, W]>(x);
        compact!(Dense<W>, name = "out_proj")(x)
    }
}
