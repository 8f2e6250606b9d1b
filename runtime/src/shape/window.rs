//! Windows that slide over images: those of a convolution and of a pooling.
//!
//! The rule in types is [`Slide`] for one axis and [`Pools`], [`Tiles`], [`Convolves`] for an image; the rule in numbers is
//! [`AxisWindow`]. Both are those of `jax.lax`, for an axis of size `H`, windows of `K` elements that are `D` apart, and a
//! stride of `S`:
//!
//! | padding | size of the output |
//! |---|---|
//! | [`Same`] | `ceil(H / S)` |
//! | [`Valid`] | `floor((H - ((K - 1) D + 1)) / S) + 1` |
//! | [`Pad<LO, HI>`] | as `Valid`, with `LO + H + HI` in place of `H` |

use super::decimal::{Decimal, Number};
use super::dim::Dim1;
use super::divide::{CeilDivides, Divided, Steps};
use super::matmul::Contracts;
use super::{Dim, Dyn, Message, Rule, Shape, Size, Sizes};
use std::marker::PhantomData;
use std::ops::{Add, Mul, Sub};
use typenum::{Add1, B1, Diff, Prod, Sub1, Sum};

/// As much padding as makes the output `ceil(H / S)`: with stride 1, the input's own size. JAX's `'SAME'`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Same;

/// No padding: only windows that lie inside. JAX's `'VALID'`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valid;

/// `LO` elements of padding before and `HI` after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pad<LO, HI>(PhantomData<(LO, HI)>);

/// The size of a pooling window: `Window<3, 3>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window<H, W>(PhantomData<(H, W)>);

/// The distance between windows: `Strides<2, 2>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strides<H, W>(PhantomData<(H, W)>);

/// A size for each axis of an image, `(U3, U3)`, or one for both, `U3`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a size for each axis of an image",
    label = "write two integers, `(3, 3)`, or one for both axes, `3`"
)]
pub trait PerAxis: 'static {
    /// For the rows.
    type Height: Number;
    /// For the columns.
    type Width: Number;
}

impl<D: Number> PerAxis for D {
    type Height = D;
    type Width = D;
}

macro_rules! per_axis {
    ($($pair:ty),+) => {$(
        impl<H: Number, W: Number> PerAxis for $pair {
            type Height = H;
            type Width = W;
        }
    )+};
}
per_axis! { (H, W), Window<H, W>, Strides<H, W> }

/// The padding of one axis.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a padding",
    label = "the paddings of an axis are `Same`, `Valid` and `Pad<LO, HI>`"
)]
pub trait AxisPadding: 'static {
    /// In numbers.
    const PADDING: Padding;
}

impl AxisPadding for Same {
    const PADDING: Padding = Padding::Same;
}

impl AxisPadding for Valid {
    const PADDING: Padding = Padding::Valid;
}

impl<LO: Number, HI: Number> AxisPadding for Pad<LO, HI> {
    const PADDING: Padding = Padding::Explicit([LO::N, HI::N]);
}

/// As Flax writes it: `(1, 2)` is `Pad<1, 2>`.
impl<LO: Number, HI: Number> AxisPadding for (LO, HI) {
    const PADDING: Padding = Padding::Explicit([LO::N, HI::N]);
}

/// A padding for each axis of an image, `(Pad<1, 2>, Same)`, or one for both, `Valid`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a padding",
    label = "write `Same`, `Valid`, `Pad<LO, HI>`, or one for each axis, `((1, 2), (0, 1))`"
)]
pub trait ImagePadding: 'static {
    /// Of the rows.
    type Height: AxisPadding;
    /// Of the columns.
    type Width: AxisPadding;
}

impl<H: AxisPadding, W: AxisPadding> ImagePadding for (H, W) {
    type Height = H;
    type Width = W;
}

macro_rules! both_axes {
    ($($padding:ty [$($parameter:ident)*]),+) => {$(
        impl<$($parameter: Number),*> ImagePadding for $padding {
            type Height = Self;
            type Width = Self;
        }
    )+};
}
both_axes! { Same [], Valid [], Pad<LO, HI> [LO HI] }

/// An axis over which windows of `K` elements, `D` apart, slide in steps of `S` with padding `P`.
///
/// [`Same`] with stride 1 gives the very dimension back, also where it is generic.
#[diagnostic::on_unimplemented(
    message = "windows of `{K}` with strides `{S}` and padding `{P}` do not fit an axis of `{Self}`",
    label = "the size of this axis does not fit"
)]
pub trait Slide<K, S, P, D>: Dim {
    /// The number of windows.
    type Out: Dim;
}

impl<H: Dim, K, S: CeilDivides<H>, D> Slide<K, S, Same, D> for H {
    type Out = S::Out;
}

impl<H: Number, K: Number, S, D: Number> Slide<K, S, Valid, D> for H
where
    H::Number: Count<K::Number, S, D::Number>,
{
    type Out = <H::Number as Count<K::Number, S, D::Number>>::Out;
}

impl<K: Number, S: Number, D: Number> Slide<K, S, Valid, D> for Dyn {
    type Out = Dyn;
}

impl<H: Number, K: Number, S, D: Number, LO: Number, HI: Number> Slide<K, S, Pad<LO, HI>, D> for H
where
    H::Number: Add<LO::Number>,
    Sum<H::Number, LO::Number>: Add<HI::Number>,
    Sum<Sum<H::Number, LO::Number>, HI::Number>: Count<K::Number, S, D::Number>,
{
    type Out = <Sum<Sum<H::Number, LO::Number>, HI::Number> as Count<K::Number, S, D::Number>>::Out;
}

impl<K: Number, S: Number, D: Number, LO: Number, HI: Number> Slide<K, S, Pad<LO, HI>, D> for Dyn {
    type Out = Dyn;
}

impl<H: Slide<K, S, Pad<LO, HI>, D>, K, S, D, LO, HI> Slide<K, S, (LO, HI), D> for H {
    type Out = H::Out;
}

/// A typenum number of elements, with the number of windows inside them.
pub trait Count<K, S, D> {
    /// `(self - ((K - 1) D + 1)) / S + 1`
    type Out: Dim;
}

impl<N, K, S, D> Count<K, S, D> for N
where
    K: Extent<D>,
    N: Sub<K::Out>,
    S: Steps<Diff<N, K::Out>>,
    S::Out: Decimal,
{
    type Out = <S::Out as Decimal>::Dim;
}

/// A typenum number of taps, with the number of elements from the first to the last.
pub trait Extent<D> {
    /// `(self - 1) D + 1`
    type Out;
}

impl<K, D> Extent<D> for K
where
    K: Sub<B1>,
    Sub1<K>: Mul<D>,
    Prod<Sub1<K>, D>: Add<B1>,
{
    type Out = Add1<Prod<Sub1<K>, D>>;
}

/// The shape of images, channels last: `[.., H, W, C]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shape of images",
    label = "images are `[.., H, W, C]`: height, width and channels last"
)]
pub trait Image: Shape {
    /// Rows of an image.
    type Height: Dim;
    /// Columns of an image.
    type Width: Dim;
    /// Channels.
    type Features: Dim;
    /// The same number of images of other sizes.
    type With<H: Dim, W: Dim, C: Dim>: Image;
}

macro_rules! images {
    ($($($batch:ident)*;)+) => {$(
        impl<$($batch: Dim,)* Y: Dim, X: Dim, Z: Dim> Image for ($($batch,)* Y, X, Z) {
            type Height = Y;
            type Width = X;
            type Features = Z;
            type With<H: Dim, W: Dim, C: Dim> = ($($batch,)* H, W, C);
        }
    )+};
}
images! {
    ;
    A;
    A B;
    A B C1;
}

/// Images that windows of `K` with strides `S` and padding `P` slide over, each channel for itself.
pub trait Pools<K, S, P>: Image {
    /// `[.., H', W', C]`
    type Out: Image;
}

impl<X: Image, K: PerAxis, S: PerAxis, P: ImagePadding> Pools<K, S, P> for X
where
    X::Height: Slide<K::Height, S::Height, P::Height, Dim1<1>>,
    X::Width: Slide<K::Width, S::Width, P::Width, Dim1<1>>,
{
    type Out = X::With<
        <X::Height as Slide<K::Height, S::Height, P::Height, Dim1<1>>>::Out,
        <X::Width as Slide<K::Width, S::Width, P::Width, Dim1<1>>>::Out,
        X::Features,
    >;
}

/// Images that windows of `H` by `W` cover, side by side and without a rest.
pub trait Tiles<H, W>: Image {
    /// `[.., height / H, width / W, C]`
    type Out: Image;
}

impl<X: Image, H, W> Tiles<H, W> for X
where
    X::Height: Divided<H>,
    X::Width: Divided<W>,
{
    type Out = X::With<<X::Height as Divided<H>>::Out, <X::Width as Divided<W>>::Out, X::Features>;
}

/// Images that are convolved with a kernel `[KH, KW, C / G, F]`, with strides `S`, padding `P`, dilation `D` of the kernel and
/// `G` groups of features.
pub trait Convolves<Kernel, S, P, D, G>: Image {
    /// `[.., H', W', F]`
    type Out: Image;
}

impl<X: Image, KH: Number, KW: Number, C: Dim, F: Dim, S: PerAxis, P: ImagePadding, D: PerAxis, G>
    Convolves<(KH, KW, C, F), S, P, D, G> for X
where
    X::Features: Divided<G>,
    <X::Features as Divided<G>>::Out: Contracts<C>,
    F: Divided<G>,
    X::Height: Slide<KH, S::Height, P::Height, D::Height>,
    X::Width: Slide<KW, S::Width, P::Width, D::Width>,
{
    type Out = X::With<
        <X::Height as Slide<KH, S::Height, P::Height, D::Height>>::Out,
        <X::Width as Slide<KW, S::Width, P::Width, D::Width>>::Out,
        F,
    >;
}

/// The padding of one axis, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// [`Same`]
    Same,
    /// [`Valid`]
    Valid,
    /// So many elements before and after.
    Explicit([usize; 2]),
}

/// The windows along one axis, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AxisWindow {
    /// The taps of a window.
    pub size: usize,
    /// From one window to the next.
    pub stride: usize,
    /// From one tap to the next.
    pub dilation: usize,
    /// What is added on both sides.
    pub padding: Padding,
}

impl AxisWindow {
    /// Windows over the rows and the columns of an image, with the arguments that a call gives as types.
    pub const fn of_image<S: PerAxis, P: ImagePadding, D: PerAxis>(size: [usize; 2]) -> [Self; 2] {
        use super::Static;
        let [rows, columns] = size;
        let (height, width) = (P::Height::PADDING, P::Width::PADDING);
        [
            AxisWindow { size: rows, stride: S::Height::N, dilation: D::Height::N, padding: height },
            AxisWindow { size: columns, stride: S::Width::N, dilation: D::Width::N, padding: width },
        ]
    }

    /// The elements from the first to the last tap.
    const fn extent(&self) -> usize {
        (self.size - 1) * self.dilation + 1
    }

    /// The number of windows over an axis, or `None` if there can be none: one window is larger than the padded axis, or a
    /// size or a stride is zero.
    pub const fn output(&self, input: Size) -> Option<Size> {
        if self.size == 0 || self.stride == 0 || self.dilation == 0 {
            return None;
        }
        if let (Padding::Same, 1) = (self.padding, self.stride) {
            return Some(input);
        }
        let Some(input) = input.known() else {
            return Some(Size::Unknown);
        };
        let padded = match self.padding {
            Padding::Same => return Some(Size::Known(input.div_ceil(self.stride))),
            Padding::Valid => input,
            Padding::Explicit([low, high]) => low + input + high,
        };
        match padded.checked_sub(self.extent()) {
            Some(room) => Some(Size::Known(room / self.stride + 1)),
            None => None,
        }
    }

    /// The padding before and after an axis, as `lax.padtype_to_pads` splits it: of an odd number of elements, the larger
    /// half comes after.
    pub const fn padding(&self, input: usize) -> [usize; 2] {
        match self.padding {
            Padding::Valid => [0, 0],
            Padding::Explicit(padding) => padding,
            Padding::Same => {
                let reached = input.div_ceil(self.stride) * self.stride + self.extent();
                let total = reached.saturating_sub(input + self.stride);
                [total / 2, total - total / 2]
            }
        }
    }
}

/// The rule in numbers of windows that slide over images `x` and give so many features; `op` is who refuses.
pub const fn slide(op: &str, windows: [AxisWindow; 2], x: Sizes, features: Size) -> Rule {
    if x.rank() < 3 {
        return Rule::Refused(Message::new(op).text(": expects images [.., H, W, C], got ").sizes(x));
    }
    let (rows, columns) = (windows[0].output(x.from_end(2)), windows[1].output(x.from_end(1)));
    let (Some(rows), Some(columns)) = (rows, columns) else {
        let message = Message::new(op).text(": no window of ").number(windows[0].size);
        let message = message.text("x").number(windows[1].size).text(" fits ").sizes(x);
        return Rule::Refused(message.text("; pad with `Same`, or take a smaller window"));
    };
    let axis = x.rank() - 3;
    Rule::Out(x.with(axis, rows).with(axis + 1, columns).with(axis + 2, features))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{fits, refused};
    use crate::shape::Static;
    use crate::shape::dim::names::*;

    /// The rule in types, checked against the rule in numbers.
    fn out<H, K: Static, S: Static, P: AxisPadding, D: Static>() -> usize
    where
        H: Static + Slide<K, S, P, D>,
        H::Out: Static,
    {
        let window = AxisWindow { size: K::N, stride: S::N, dilation: D::N, padding: P::PADDING };
        let out = <H::Out as Static>::N;
        assert_eq!(window.output(H::SIZE).and_then(Size::known), Some(out));
        out
    }

    #[test]
    fn types_and_numbers_agree() {
        assert_eq!(out::<U28, U3, U1, Same, U1>(), 28);
        assert_eq!(out::<U28, U3, U2, Same, U1>(), 14);
        assert_eq!(out::<U7, U3, U2, Same, U1>(), 4);
        assert_eq!(out::<U7, U3, U10, Same, U1>(), 1);
        assert_eq!(out::<U28, U3, U1, Valid, U1>(), 26);
        assert_eq!(out::<U28, U5, U3, Valid, U2>(), 7);
        assert_eq!(out::<U3, U3, U2, Valid, U1>(), 1);
        assert_eq!(out::<U6, U3, U1, Pad<U1, U2>, U1>(), 7);
        assert_eq!(out::<U5, U3, U2, (U0, U1), U2>(), 1);
        assert_eq!(out::<U1, U1, U1, Valid, U1>(), 1);
    }

    #[test]
    fn same_with_stride_one_keeps_any_dimension() {
        fn kept<H: Dim>(height: H) -> <H as Slide<U3, U1, Same, U2>>::Out {
            height
        }
        assert_eq!(kept(Dyn(5)), Dyn(5));
        assert_eq!(kept(U7::default()), U7::default());
    }

    /// `jax.lax.padtype_to_pads`
    #[test]
    fn same_pads_as_lax_does() {
        let pads = |size, stride, dilation, input| {
            AxisWindow { size, stride, dilation, padding: Padding::Same }.padding(input)
        };
        assert_eq!(pads(3, 1, 1, 28), [1, 1]);
        assert_eq!(pads(2, 1, 1, 28), [0, 1]);
        assert_eq!(pads(3, 2, 1, 28), [0, 1]);
        assert_eq!(pads(3, 2, 1, 7), [1, 1]);
        assert_eq!(pads(4, 1, 2, 9), [3, 3]);
        assert_eq!(pads(1, 3, 1, 7), [0, 0]);
        assert_eq!(pads(5, 10, 1, 2), [1, 2]);
    }

    #[test]
    fn what_does_not_fit_is_refused_in_numbers() {
        let windows = |size, padding| [AxisWindow { size, stride: 1, dilation: 2, padding }; 2];
        let x = Sizes::new(&[Size::Named("B"), Size::Known(4), Size::Unknown, Size::Known(1)]);
        refused(
            slide("conv", windows(3, Padding::Valid), x, Size::Known(8)),
            "conv: no window of 3x3 fits [B, 4, ?, 1]; pad with `Same`, or take a smaller window",
        );
        fits(slide("conv", windows(3, Padding::Explicit([1, 0])), x, Size::Known(8)), "[B, 1, ?, 8]");
        assert!(!slide("conv", windows(0, Padding::Same), x, Size::Known(8)).fits());
        assert!(!slide("conv", windows(1, Padding::Same), Sizes::known(&[3, 3]), Size::Unknown).fits());
    }
}
