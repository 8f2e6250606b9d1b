//! What ops of two tensors that broadcast have in common: the loop over pairs of elements, and the way back, which
//! sums a cotangent over the axes along which its input was stretched.

use super::elementwise::zip;
use super::reduction::sum_along;
use crate::backend::map::{self, Function, Swapped, WithLeft, WithRight};
use crate::backend::reduce::Axis;
use crate::batching::{Cotangents, Lane, Outputs, Stack, backward_one_by_one, infer_one_by_one};
use crate::op::{Differentiable, Need, Op};
use crate::shape::broadcast::{Along, Plan};
use crate::shape::{Dyn, MAX_RANK, Shape};
use crate::tensor::{Element, Float, Tensor, shape_of};

/// `f` of every pair of elements, in place of an input that has the output's sizes and that nobody else holds.
#[track_caller]
pub(super) fn broadcast<A: Shape, B: Shape, O: Shape, E: Element>(
    f: &impl Function<(E, E), Out = E>,
    a: Tensor<A, E>,
    b: Tensor<B, E>,
) -> Tensor<O, E> {
    if a.sizes().as_ref() == b.sizes().as_ref() {
        let (sizes, b) = (a.sizes(), b.reshaped(a.sizes().as_ref()));
        return zip(f, a, b).reshaped(sizes.as_ref());
    }
    stretched(f, a, b)
}

/// [`broadcast`] of tensors of different sizes. Not inlined, so that equal ones do without its registers.
#[inline(never)]
#[track_caller]
fn stretched<A: Shape, B: Shape, O: Shape, E: Element>(
    f: &impl Function<(E, E), Out = E>,
    mut a: Tensor<A, E>,
    mut b: Tensor<B, E>,
) -> Tensor<O, E> {
    let plan = Plan::new(a.sizes().as_ref(), b.sizes().as_ref());
    let elements = plan.elements();
    if let Some(own) = a.get_mut().filter(|own| own.len() == elements) {
        overwrite(f, &plan, |row| plan.offsets(row).1, Along::Left, own, b.as_slice());
        return a.reshaped(plan.sizes());
    }
    if let Some(own) = b.get_mut().filter(|own| own.len() == elements) {
        overwrite(&Swapped(f), &plan, |row| plan.offsets(row).0, Along::Right, own, a.as_slice());
        return b.reshaped(plan.sizes());
    }
    pairs(f, &plan, a.as_slice(), b.as_slice())
}

/// `f` of every pair of elements, in a fresh tensor.
pub(super) fn pairs<O: Shape, E: Element, R: Element>(
    f: &impl Function<(E, E), Out = R>,
    plan: &Plan,
    a: &[E],
    b: &[E],
) -> Tensor<O, R> {
    let (len, along) = plan.row();
    Tensor::written(shape_of(plan.sizes()), |out| {
        map::rows(out, len, |row, out| {
            let (left, right) = plan.offsets(row);
            match along {
                Along::Both => map::zip(f, &a[left..][..len], &b[right..][..len], out),
                Along::Left => map::map(&WithRight(f, b[right]), &a[left..][..len], out),
                Along::Right => map::map(&WithLeft(a[left], f), &b[right..][..len], out),
            }
        });
    })
}

/// `own[i] = f(own[i], other[..])`, where `own` has the output's sizes and `alone` says how the plan calls its axes.
fn overwrite<E: Element>(
    f: &impl Function<(E, E), Out = E>,
    plan: &Plan,
    offset: impl Fn(usize) -> usize + Sync,
    alone: Along,
    own: &mut [E],
    other: &[E],
) {
    let (len, along) = plan.row();
    map::rows(own, len, |row, own| {
        let from = offset(row);
        if along == alone {
            map::map_in_place(&WithRight(f, other[from]), own);
        } else {
            map::zip_in_place(f, own, &other[from..][..len]);
        }
    });
}

/// The cotangent of an input of shape `shape` that was stretched to the sizes of `cotangent`.
pub(super) fn sum_to<S: Shape, O: Shape, E: Float>(cotangent: Tensor<O, E>, shape: S) -> Tensor<S, E> {
    let sizes = shape.sizes();
    if cotangent.sizes().as_ref() == sizes.as_ref() {
        return cotangent.reshaped(sizes.as_ref());
    }
    sum_stretched(cotangent, shape)
}

/// [`sum_to`] other sizes. Not inlined, as [`stretched`].
#[inline(never)]
fn sum_stretched<S: Shape, O: Shape, E: Float>(cotangent: Tensor<O, E>, shape: S) -> Tensor<S, E> {
    let (sizes, elements) = (shape.sizes(), cotangent.as_slice().len());
    if elements == 0 {
        return Tensor::zeros(shape);
    }
    let plan = Plan::new(cotangent.sizes().as_ref(), sizes.as_ref());
    let mut sums: Tensor<(Dyn,), E> = cotangent.reshaped(&[elements]);
    let mut inner = 1;
    for &(len, along) in plan.axes() {
        if along == Along::Both {
            inner *= len;
        } else {
            let outer = sums.as_slice().len() / (len * inner);
            sums = sum_along(sums.as_slice(), Axis { outer, len, inner }, (Dyn(outer * inner),));
        }
    }
    sums.reshaped(sizes.as_ref())
}

/// A tensor of which only the running program knows the sizes, padded with ones at the left.
type Padded = (Dyn, Dyn, Dyn, Dyn, Dyn, Dyn);

/// Whether examples of these ranks have room for one more axis.
fn has_room(a: usize, b: usize) -> bool {
    a.max(b) < MAX_RANK
}

/// An input of a `vmap!` as a tensor: its examples are the first axis.
fn padded<S: Shape, E: Element>(lane: Lane<Tensor<S, E>>) -> Tensor<Padded, E> {
    let mut sizes = [1; MAX_RANK];
    let (count, tensor) = match lane {
        Lane::Shared(tensor) => (1, Stack::of_one(tensor)),
        Lane::Each(stack) => (stack.count(), stack),
    };
    sizes[0] = count;
    sizes[MAX_RANK - S::RANK..].copy_from_slice(tensor.shape().sizes().as_ref());
    tensor.into_tensor(&sizes)
}

/// The examples of such a tensor, in the shape of the last `S::RANK` axes.
fn unpadded<S: Shape, E: Element>(tensor: Tensor<Padded, E>) -> Stack<Tensor<S, E>> {
    let sizes = tensor.sizes();
    Stack::of(sizes[0], shape_of(&sizes[MAX_RANK - S::RANK..]), tensor)
}

/// What an op that broadcasts computes for many examples: it takes them as one more axis.
pub(super) fn infer_each<A: Shape, B: Shape, O: Shape, E: Element, R: Element, F>(
    op: &F,
    (a, b): (Lane<Tensor<A, E>>, Lane<Tensor<B, E>>),
) -> Outputs<Tensor<O, R>>
where
    F: Op<(Tensor<A, E>, Tensor<B, E>), Out = Tensor<O, R>>
        + Op<(Tensor<Padded, E>, Tensor<Padded, E>), Out = Tensor<Padded, R>>,
{
    if !has_room(A::RANK, B::RANK) {
        return infer_one_by_one::<(Tensor<A, E>, Tensor<B, E>), F>(op, &(a, b));
    }
    let inputs = (padded(a), padded(b));
    Outputs(unpadded(Op::<(Tensor<Padded, E>, Tensor<Padded, E>)>::infer(op, inputs)))
}

/// The way back.
pub(super) fn backward_each<A: Shape, B: Shape, O: Shape, E: Float, NA: Need, NB: Need, F>(
    op: &F,
    (a, b): (Lane<Tensor<A, E>>, Lane<Tensor<B, E>>),
    cotangents: Stack<Tensor<O, E>>,
) -> Cotangents<(Tensor<A, E>, Tensor<B, E>), (NA, NB)>
where
    F: Differentiable<(Tensor<A, E>, Tensor<B, E>), (NA, NB)>
        + Differentiable<(Tensor<Padded, E>, Tensor<Padded, E>), (NA, NB)>
        + Op<(Tensor<A, E>, Tensor<B, E>), Out = Tensor<O, E>>
        + Op<(Tensor<Padded, E>, Tensor<Padded, E>), Out = Tensor<Padded, E>>,
{
    if !has_room(A::RANK, B::RANK) {
        return backward_one_by_one::<(Tensor<A, E>, Tensor<B, E>), (NA, NB), F>(op, &(a, b), &cotangents);
    }
    let (a_varies, b_varies) = (a.count().is_some(), b.count().is_some());
    let inputs = (padded(a), padded(b));
    let (_, residuals) =
        Differentiable::<(Tensor<Padded, E>, Tensor<Padded, E>), (NA, NB)>::forward(op, inputs);
    let cotangents = padded(Lane::Each(cotangents));
    let (da, db) = Differentiable::<(Tensor<Padded, E>, Tensor<Padded, E>), (NA, NB)>::backward(
        op, residuals, cotangents,
    );
    Cotangents((NA::map(da, |da| lane(da, a_varies)), NB::map(db, |db| lane(db, b_varies))))
}

fn lane<S: Shape, E: Element>(cotangent: Tensor<Padded, E>, varies: bool) -> Lane<Tensor<S, E>> {
    let stack = unpadded(cotangent);
    if varies { Lane::Each(stack) } else { Lane::Shared(stack.into_one()) }
}

/// The methods of an op that broadcasts for many examples.
macro_rules! each {
    (infer $a:ident $b:ident $e:ident $r:ident) => {
        fn infer_each(
            &self,
            inputs: $crate::batching::Inputs<(Tensor<$a, $e>, Tensor<$b, $e>)>,
        ) -> $crate::batching::Outputs<Tensor<$a::Out, $r>> {
            $crate::ops::broadcast::infer_each(self, inputs.0)
        }
    };
    (backward $a:ident $b:ident $e:ident $na:ident $nb:ident) => {
        fn backward_each(
            &self,
            inputs: $crate::batching::Inputs<(Tensor<$a, $e>, Tensor<$b, $e>)>,
            _: $crate::batching::Outputs<Tensor<$a::Out, $e>>,
            cotangents: $crate::batching::Outputs<Tensor<$a::Out, $e>>,
        ) -> $crate::batching::Cotangents<(Tensor<$a, $e>, Tensor<$b, $e>), ($na, $nb)> {
            $crate::ops::broadcast::backward_each(self, inputs.0, cotangents.0)
        }
    };
}
pub(super) use each;
