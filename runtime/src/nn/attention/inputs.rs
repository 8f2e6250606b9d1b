//! The forms that the inputs of attention have.

use crate::op::{Need, Needs, No};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};

/// Inputs of attention: `x`, `(queries, keys)` or `(queries, keys, values)`; a mask may follow `x` or the values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not inputs of attention",
    label = "expected `x`, `(queries, keys)` or `(queries, keys, values)`, and after `x` or the values a mask of bool"
)]
pub trait Inputs: Sized {
    /// The shape of the queries.
    type Queries: Shape;
    /// The shape of the keys.
    type Keys: Shape;
    /// The shape of the values.
    type Values: Shape;
    /// The mask, or `()`.
    type Mask: Clone;
    /// The elements.
    type Element: Float;

    /// Queries, keys, values and the mask.
    #[allow(clippy::type_complexity)]
    fn parts(
        self,
    ) -> (
        Tensor<Self::Queries, Self::Element>,
        Tensor<Self::Keys, Self::Element>,
        Tensor<Self::Values, Self::Element>,
        Self::Mask,
    );
}

/// Inputs of attention of which `N` says whose cotangents are needed.
pub trait Pull<N: Needs<Self>>: Inputs {
    /// Whether that of the queries is needed.
    type NeedQueries: Need;
    /// Whether that of the keys is needed.
    type NeedKeys: Need;
    /// Whether that of the values is needed.
    type NeedValues: Need;

    /// The cotangents of the inputs, from those of queries, keys and values.
    fn pull(
        queries: <Self::NeedQueries as Need>::Of<Tensor<Self::Queries, Self::Element>>,
        keys: <Self::NeedKeys as Need>::Of<Tensor<Self::Keys, Self::Element>>,
        values: <Self::NeedValues as Need>::Of<Tensor<Self::Values, Self::Element>>,
    ) -> N::Cotangents;
}

macro_rules! forms {
    ($(
        [$($shape:ident)*] $input:ty, [$keys:ident, $values:ident, $mask:ty], $pattern:pat => $parts:expr;
        [$($need:ident)+] $needs:ty, [$need_keys:ident, $need_values:ident], |$q:ident, $k:ident, $v:ident| $pull:expr;
    )+) => {$(
        impl<Q: Shape, $($shape: Shape,)* E: Float> Inputs for $input {
            type Queries = Q;
            type Keys = $keys;
            type Values = $values;
            type Mask = $mask;
            type Element = E;

            fn parts(self) -> (Tensor<Q, E>, Tensor<$keys, E>, Tensor<$values, E>, $mask) {
                let $pattern = self;
                $parts
            }
        }

        impl<Q: Shape, $($shape: Shape,)* E: Float, $($need: Need),+> Pull<$needs> for $input {
            type NeedQueries = NQ;
            type NeedKeys = $need_keys;
            type NeedValues = $need_values;

            fn pull(
                $q: NQ::Of<Tensor<Q, E>>,
                $k: $need_keys::Of<Tensor<$keys, E>>,
                $v: $need_values::Of<Tensor<$values, E>>,
            ) -> <$needs as Needs<Self>>::Cotangents {
                $pull
            }
        }
    )+};
}

forms! {
    [] Tensor<Q, E>, [Q, Q, ()], x => (x.clone(), x.clone(), x, ());
    [NQ] NQ, [NQ, NQ], |q, k, v| NQ::add(NQ::add(q, k), v);

    [M] (Tensor<Q, E>, Tensor<M, bool>), [Q, Q, Tensor<M, bool>], (x, mask) => (x.clone(), x.clone(), x, mask);
    [NQ] (NQ, No), [NQ, NQ], |q, k, v| (NQ::add(NQ::add(q, k), v), ());

    [K] (Tensor<Q, E>, Tensor<K, E>), [K, K, ()], (q, k) => (q, k.clone(), k, ());
    [NQ NK] (NQ, NK), [NK, NK], |q, k, v| (q, NK::add(k, v));

    [K V] (Tensor<Q, E>, Tensor<K, E>, Tensor<V, E>), [K, V, ()], (q, k, v) => (q, k, v, ());
    [NQ NK NV] (NQ, NK, NV), [NK, NV], |q, k, v| (q, k, v);

    [K V M] (Tensor<Q, E>, Tensor<K, E>, Tensor<V, E>, Tensor<M, bool>), [K, V, Tensor<M, bool>],
        (q, k, v, mask) => (q, k, v, mask);
    [NQ NK NV] (NQ, NK, NV, No), [NK, NV], |q, k, v| (q, k, v, ());
}
