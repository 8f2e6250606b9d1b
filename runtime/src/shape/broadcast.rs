//! Broadcasting as in NumPy: shapes are aligned at the right, and a size of one stretches to any other.
//!
//! The rule in types is [`Broadcast`], the rule in numbers [`sizes`], and `Plan` is how a loop walks over two
//! operands.

use super::dim::*;
use super::{MAX_RANK, Message, Rule, Shape, Size, Sizes};

/// Two dimensions that broadcast to one.
///
/// [`Dyn`] against a static dimension other than 1 gives the static one: whether the running program's size is that
/// size or 1, the result is. It panics if the size is another one.
#[diagnostic::on_unimplemented(
    message = "the dimensions `{Self}` and `{Rhs}` do not broadcast",
    label = "they are neither equal, nor is one of them 1"
)]
pub trait BroadcastDim<Rhs>: Dim {
    /// The resulting dimension.
    type Out: Dim;
}

impl<D: Dim> BroadcastDim<D> for D {
    type Out = D;
}

impl BroadcastDim<Dim1<1>> for Dyn {
    type Out = Dyn;
}

impl BroadcastDim<Dyn> for Dim1<1> {
    type Out = Dyn;
}

/// Every static dimension but 1 against 1 and [`Dyn`].
macro_rules! dimensions {
    ($([$($digit:ident)*] $dim:ty;)+) => {$(
        impl<$(const $digit: u8),*> BroadcastDim<Dim1<1>> for $dim {
            type Out = $dim;
        }
        impl<$(const $digit: u8),*> BroadcastDim<$dim> for Dim1<1> {
            type Out = $dim;
        }
        impl<$(const $digit: u8),*> BroadcastDim<Dyn> for $dim {
            type Out = $dim;
        }
        impl<$(const $digit: u8),*> BroadcastDim<$dim> for Dyn {
            type Out = $dim;
        }
    )+};
}

dimensions! {
    [] Dim1<0>;
    [] Dim1<2>;
    [] Dim1<3>;
    [] Dim1<4>;
    [] Dim1<5>;
    [] Dim1<6>;
    [] Dim1<7>;
    [] Dim1<8>;
    [] Dim1<9>;
    [A B] Dim2<A, B>;
    [A B C] Dim3<A, B, C>;
    [A B C D] Dim4<A, B, C, D>;
    [A B C D E] Dim5<A, B, C, D, E>;
    [A B C D E F] Dim6<A, B, C, D, E, F>;
    [A B C D E F G] Dim7<A, B, C, D, E, F, G>;
    [A B C D E F G H] Dim8<A, B, C, D, E, F, G, H>;
    [A B C D E F G H I] Dim9<A, B, C, D, E, F, G, H, I>;
}

/// Two shapes that broadcast to one.
#[diagnostic::on_unimplemented(
    message = "the shapes `{Self}` and `{Rhs}` do not broadcast",
    label = "aligned at the right, two sizes differ and neither is 1"
)]
pub trait Broadcast<Rhs>: Shape {
    /// The resulting shape.
    type Out: Shape;
}

/// For two shapes whose last dimensions face each other, and those that only the longer one has.
macro_rules! shapes {
    ([]; $($a:ident $b:ident),*) => {
        impl<$($a: BroadcastDim<$b>, $b: Dim),*> Broadcast<($($b,)*)> for ($($a,)*) {
            type Out = ($($a::Out,)*);
        }
    };
    ([$first:ident $($front:ident)*]; $($a:ident $b:ident),*) => {
        impl<$first: Dim, $($front: Dim,)* $($a: BroadcastDim<$b>, $b: Dim),*> Broadcast<($($b,)*)>
            for ($first, $($front,)* $($a,)*)
        {
            type Out = ($first, $($front,)* $($a::Out,)*);
        }
        impl<$first: Dim, $($front: Dim,)* $($a: BroadcastDim<$b>, $b: Dim),*>
            Broadcast<($first, $($front,)* $($b,)*)> for ($($a,)*)
        {
            type Out = ($first, $($front,)* $($a::Out,)*);
        }
        shapes!([$($front)*]; $($a $b),*);
    };
}

shapes!([P Q R S T U];);
shapes!([P Q R S T]; A V);
shapes!([P Q R S]; A V, B W);
shapes!([P Q R]; A V, B W, C X);
shapes!([P Q]; A V, B W, C X, D Y);
shapes!([P]; A V, B W, C X, D Y, E Z);
shapes!([]; A U, B V, C W, D X, E Y, F Z);

/// The rule in numbers, for the op called `op`.
pub const fn sizes(op: &str, a: Sizes, b: Sizes) -> Rule {
    let rank = if a.rank() > b.rank() { a.rank() } else { b.rank() };
    let mut out = if a.rank() > b.rank() { a } else { b };
    let mut from_end = 0;
    while from_end < rank {
        if from_end < a.rank() && from_end < b.rank() {
            let (left, right) = (a.from_end(from_end), b.from_end(from_end));
            let size = match (left, right) {
                (Size::Known(1), other) | (other, Size::Known(1)) => other,
                // A size that only the running program knows may be one.
                (Size::Unknown, other) | (other, Size::Unknown) => other,
                _ if left.differs(right) => {
                    let message =
                        Message::new(op).text(": sizes do not broadcast: ").sizes(a).text(" and ").sizes(b);
                    return Rule::Refused(
                        message.text("; sizes are aligned at the right, and must be equal or 1"),
                    );
                }
                _ => left.or(right),
            };
            out = out.with(rank - 1 - from_end, size);
        }
        from_end += 1;
    }
    Rule::Out(out)
}

/// Which of the operands have an axis; the others stretch along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Along {
    /// Both have it.
    Both,
    /// Only the left one.
    Left,
    /// Only the right one.
    Right,
}

/// How a loop walks over two operands: neighbouring axes that are alike are one, axes of size one are none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    sizes: [usize; MAX_RANK],
    rank: usize,
    axes: [(usize, Along); MAX_RANK],
    count: usize,
}

impl Plan {
    /// The plan for operands of these sizes, outermost first.
    ///
    /// # Panics
    /// If they do not broadcast: types exclude it but for `Dyn` dimensions.
    #[track_caller]
    pub fn new(a: &[usize], b: &[usize]) -> Self {
        let rank = a.len().max(b.len());
        let mut plan = Plan { sizes: [1; MAX_RANK], rank, axes: [(1, Along::Both); MAX_RANK], count: 0 };
        for from_end in 0..rank {
            let size =
                |operand: &[usize]| operand.len().checked_sub(from_end + 1).map_or(1, |axis| operand[axis]);
            let (size, along) = match (size(a), size(b)) {
                (left, right) if left == right => (left, Along::Both),
                (left, 1) => (left, Along::Left),
                (1, right) => (right, Along::Right),
                _ => panic!("tensors of sizes {a:?} and {b:?} do not broadcast"),
            };
            plan.sizes[rank - 1 - from_end] = size;
            plan.push(size, along);
        }
        plan
    }

    /// Adds an axis outside of those before it.
    fn push(&mut self, size: usize, along: Along) {
        match self.axes[..self.count].last_mut() {
            _ if size == 1 => {}
            Some(last) if last.1 == along => last.0 *= size,
            _ => {
                self.axes[self.count] = (size, along);
                self.count += 1;
            }
        }
    }

    /// The sizes of the result.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes[..self.rank]
    }

    /// The number of elements of the result.
    pub fn elements(&self) -> usize {
        self.sizes().iter().product()
    }

    /// The axes, innermost first: a size and who has it.
    pub fn axes(&self) -> &[(usize, Along)] {
        &self.axes[..self.count]
    }

    /// The innermost axis: a row.
    pub fn row(&self) -> (usize, Along) {
        self.axes().first().copied().unwrap_or((1, Along::Both))
    }

    /// Where row number `row` begins in the left and in the right operand.
    pub fn offsets(&self, mut row: usize) -> (usize, usize) {
        let (mut left, mut right) = (0, 0);
        let (mut left_stride, mut right_stride) = (1, 1);
        for (place, &(size, along)) in self.axes().iter().enumerate() {
            let index = if place == 0 { 0 } else { row % size };
            if place > 0 {
                row /= size;
            }
            if along != Along::Right {
                left += index * left_stride;
                left_stride *= size;
            }
            if along != Along::Left {
                right += index * right_stride;
                right_stride *= size;
            }
        }
        (left, right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::dim::names::*;

    fn out<A: Broadcast<B>, B>() -> Sizes {
        A::Out::STATIC
    }

    fn generic<B: Dim>() -> Sizes {
        out::<<(B, U32) as Broadcast<(B, U32)>>::Out, (U32,)>()
    }

    #[test]
    fn types_and_numbers_agree() {
        fn check<A: Broadcast<B>, B: Shape>() {
            let text = |sizes| Message::new("").sizes(sizes).as_str().to_string();
            let Rule::Out(sizes) = sizes("add", A::STATIC, B::STATIC) else { panic!("refused") };
            assert_eq!(text(sizes), text(out::<A, B>()));
        }
        check::<(), ()>();
        check::<(U2, U3), ()>();
        check::<(U2, U3), (U3,)>();
        check::<(U3,), (U2, U1)>();
        check::<(U1, U1), (U1,)>();
        check::<(Dyn, U3), (Dyn, U1)>();
        check::<(Dyn, U3), (U10, U1, U1)>();
        check::<(U2, U3, U4, U5, U6, U7), (U7,)>();
        check::<(U0, U3), (U1, U3)>();
        assert_eq!(Message::new("").sizes(generic::<Dyn>()).as_str(), "[?, 32]");
    }

    #[test]
    fn sizes_that_differ_are_refused() {
        let named = Sizes::new(&[Size::Named("B"), Size::Known(32)]);
        let Rule::Refused(message) = sizes("add", named, Sizes::known(&[31])) else { panic!("accepted") };
        let expected = "add: sizes do not broadcast: [B, 32] and [31]; \
                        sizes are aligned at the right, and must be equal or 1";
        assert_eq!(message.as_str(), expected);
        assert!(!sizes("add", named, Sizes::new(&[Size::Named("N"), Size::Known(32)])).fits());
        assert!(sizes("add", named, Sizes::new(&[Size::Named("B"), Size::Known(1)])).fits());
    }

    #[test]
    fn a_plan_joins_axes_that_are_alike() {
        let plan = Plan::new(&[2, 3, 4], &[4]);
        assert_eq!(plan.axes(), [(4, Along::Both), (6, Along::Left)]);
        assert_eq!(plan.offsets(5), (20, 0));
        let plan = Plan::new(&[2, 1, 4], &[1, 3, 1]);
        assert_eq!(plan.sizes(), [2, 3, 4]);
        assert_eq!(plan.axes(), [(4, Along::Left), (3, Along::Right), (2, Along::Left)]);
        assert_eq!(plan.offsets(4), (4, 1));
    }
}
