//! The same elements in another shape.

use super::arithmetic::DimMul;
use super::dim::{Dim, Dim1};
use super::{MAX_RANK, Message, Rule, Shape, Size, Sizes};

/// A shape with all axes but the first as one: `[B, 7, 7, 64]` becomes `[B, 3136]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be flattened",
    label = "the product of these sizes is not known; a scalar has no first axis"
)]
pub trait Flatten: Shape {
    /// The shape of two dimensions.
    type Out: Shape;
}

impl<A: Dim> Flatten for (A,) {
    type Out = (A, Dim1<1>);
}

macro_rules! flatten {
    ($([$first:ident $second:ident $($dim:ident)*] [$($bound:ty),*] $product:ty;)+) => {$(
        impl<$first: Dim, $second: Dim, $($dim: Dim),*> Flatten for ($first, $second, $($dim,)*)
        where
            $($bound: DimMul<$dim>,)*
        {
            type Out = ($first, $product);
        }
    )+};
}

type Product<A, B> = <A as DimMul<B>>::Out;

flatten! {
    [A B] [] B;
    [A B C] [B] Product<B, C>;
    [A B C D] [B, Product<B, C>] Product<Product<B, C>, D>;
    [A B C D E] [B, Product<B, C>, Product<Product<B, C>, D>] Product<Product<Product<B, C>, D>, E>;
    [A B C D E F]
        [B, Product<B, C>, Product<Product<B, C>, D>, Product<Product<Product<B, C>, D>, E>]
        Product<Product<Product<Product<B, C>, D>, E>, F>;
}

/// The rule in numbers of `flatten`.
pub const fn flattened(x: Sizes) -> Rule {
    if x.rank() == 0 {
        return Rule::Refused(Message::new("flatten: a scalar has no first axis"));
    }
    let mut rest = x.without(0).elements();
    if x.rank() == 2 {
        rest = x.at(1);
    }
    Rule::Out(Sizes::new(&[x.at(0), rest]))
}

/// The rule in numbers of `reshape`: both have the same number of elements.
///
/// Axes with the same name, or that only the running program knows, are taken to be the same ones, and the products
/// of the others are compared.
pub const fn reshaped(x: Sizes, target: Sizes) -> Rule {
    let (mut shared, mut left_open, mut paired) = (0, 0, [false; MAX_RANK]);
    let mut axis = 0;
    while axis < x.rank() {
        if x.at(axis).known().is_none() {
            let partner = partner(x.at(axis), target, paired);
            if partner < target.rank() {
                paired[partner] = true;
                shared += 1;
            } else {
                left_open += 1;
            }
        }
        axis += 1;
    }
    let right_open = open(target) - shared;
    let (left, right) = (product(x), product(target));
    let fits = match (left_open, right_open) {
        (0, 0) => left == right,
        // What is open on one side must make up for the factor between the products.
        (0, _) => left == 0 || right != 0 && left % right == 0,
        (_, 0) => right == 0 || left != 0 && right % left == 0,
        _ => true,
    };
    if fits {
        return Rule::Out(target);
    }
    let each = if shared > 0 { " elements a sample, " } else { " elements, " };
    let message = Message::new("reshape: ").sizes(x).text(" has ").number(left).text(each).sizes(target);
    Rule::Refused(message.text(" has ").number(right))
}

/// The first axis of `target` that is not `paired` and has the same name or is unknown like `size`.
const fn partner(size: Size, target: Sizes, paired: [bool; MAX_RANK]) -> usize {
    let mut axis = 0;
    while axis < target.rank() {
        let same = match (size, target.at(axis)) {
            (Size::Named(_), Size::Named(_)) => !size.differs(target.at(axis)),
            (Size::Unknown, Size::Unknown) => true,
            _ => false,
        };
        if same && !paired[axis] {
            return axis;
        }
        axis += 1;
    }
    target.rank()
}

/// The number of axes whose size is not a number.
const fn open(sizes: Sizes) -> usize {
    let (mut count, mut axis) = (0, 0);
    while axis < sizes.rank() {
        count += sizes.at(axis).known().is_none() as usize;
        axis += 1;
    }
    count
}

/// The product of the sizes that are numbers.
const fn product(sizes: Sizes) -> usize {
    let (mut product, mut axis) = (1, 0);
    while axis < sizes.rank() {
        if let Some(size) = sizes.at(axis).known() {
            product *= size;
        }
        axis += 1;
    }
    product
}

/// The sizes of the shape `T` for a tensor of sizes `x`. A [`Dyn`](super::Dyn) axis of `T` has the size that the tensor
/// has there, and the last one of them whatever is left.
pub(crate) fn resolve<T: Shape>(x: &[usize]) -> [usize; MAX_RANK] {
    let mut sizes = [1; MAX_RANK];
    let mut last = None;
    for (axis, size) in sizes.iter_mut().enumerate().take(T::RANK) {
        *size = T::STATIC.at(axis).known().unwrap_or_else(|| {
            last = Some(axis);
            x.get(axis).copied().unwrap_or(1)
        });
    }
    if let Some(last) = last {
        sizes[last] = 1;
        let rest: usize = sizes.iter().product();
        let elements: usize = x.iter().product();
        sizes[last] = elements.checked_div(rest).unwrap_or(0);
    }
    sizes
}
