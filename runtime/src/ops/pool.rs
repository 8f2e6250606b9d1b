//! What the poolings share: their rules in numbers, the sizes that the kernels ask for, and the cotangents of their inputs,
//! which an elementwise function may follow.

use super::elementwise::Each;
use crate::backend::map::{Function, zip_within};
use crate::backend::{
    Divisor, Halving, PoolGeometry, avg_pool_gradient, avg_pool_gradient_in_place, max_pool_gradient,
};
use crate::op::{Binary, Deferred, Handover};
use crate::shape::decimal::Number;
use crate::shape::dim::Dim1;
use crate::shape::window::{AxisWindow, Image, ImagePadding, PerAxis, Valid, slide};
use crate::shape::{Message, Rule, Shape, Size, Sizes};
use crate::tensor::{Float, Tensor};

/// Windows of `K` with strides `S` and padding `P`.
pub(super) const fn windows<K: PerAxis, S: PerAxis, P: ImagePadding>() -> [AxisWindow; 2] {
    use crate::shape::Static;
    AxisWindow::of_image::<S, P, Dim1<1>>([K::Height::N, K::Width::N])
}

/// Windows of `H` x `W` that lie side by side.
pub(super) const fn tiles<H: Number, W: Number>() -> [AxisWindow; 2] {
    windows::<(H, W), (H, W), Valid>()
}

/// The rule of windows that slide.
pub(super) const fn sliding(op: &str, windows: [AxisWindow; 2], x: Sizes) -> Rule {
    let features = if x.rank() > 0 { x.from_end(0) } else { Size::Unknown };
    slide(op, windows, x, features)
}

/// The rule of windows that lie side by side: they must cover the whole image.
pub(super) const fn tiling(op: &str, windows: [AxisWindow; 2], x: Sizes) -> Rule {
    if x.rank() < 3 || (divides(windows[0], x.from_end(2)) && divides(windows[1], x.from_end(1))) {
        return sliding(op, windows, x);
    }
    let message = Message::new(op).text(": a window of ").number(windows[0].size);
    let message = message.text("x").number(windows[1].size).text(" does not divide ").sizes(x);
    Rule::Refused(message.text("; `").text(op).text("_with` can drop the rest, or pad"))
}

const fn divides(window: AxisWindow, size: Size) -> bool {
    match size {
        Size::Known(size) => window.size > 0 && size % window.size == 0,
        _ => true,
    }
}

/// The sizes that the kernels ask for.
pub(super) fn geometry<X: Image, Y: Image>(windows: [AxisWindow; 2], x: X, y: Y) -> PoolGeometry {
    let (x, y) = (x.sizes(), y.sizes());
    let (batch, x) = x.as_ref().split_at(X::RANK - 3);
    let y = &y.as_ref()[Y::RANK - 3..];
    PoolGeometry {
        batch: batch.iter().product(),
        input: [x[0], x[1]],
        output: [y[0], y[1]],
        features: x[2],
        window: windows.map(|window| window.size),
        strides: windows.map(|window| window.stride),
        padding: [windows[0].padding(x[0]), windows[1].padding(x[1])],
    }
}

/// The halving of images `x` to `y`, if these windows do that.
pub(super) fn halving<X: Image, Y: Image>(
    halving: Halving,
    windows: [AxisWindow; 2],
    x: X,
    y: Y,
) -> Option<(Halving, Y)> {
    geometry(windows, x, y).halves().then_some((halving, y))
}

/// What becomes of the input: these windows may halve it before it is written.
pub(super) const fn handover([rows, columns]: [AxisWindow; 2]) -> Handover {
    match (rows.size, rows.stride, columns.size, columns.stride) {
        (2, 2, 2, 2) => Handover::Pooled,
        _ => Handover::Written,
    }
}

/// The cotangent of what was averaged in windows.
pub(super) struct OfAverages<X: Shape, Y: Shape, E: Float> {
    pub windows: [AxisWindow; 2],
    pub divisor: Divisor,
    /// The shape of the input.
    pub x: X,
    pub cotangent: Tensor<Y, E>,
}

impl<X: Image, Y: Image, E: Float> OfAverages<X, Y, E> {
    fn write(self, finish: impl Fn(usize, &mut [E]) + Sync) -> Tensor<X, E> {
        let OfAverages { windows, divisor, x, cotangent } = self;
        let geometry = geometry(windows, x, cotangent.shape());
        Tensor::written(x, |dx| avg_pool_gradient(&geometry, divisor, cotangent.as_slice(), finish, dx))
    }
}

impl<X: Image, Y: Image, E: Float> Deferred<Tensor<X, E>> for OfAverages<X, Y, E> {
    fn compute(self) -> Tensor<X, E> {
        self.write(|_, _| ())
    }

    fn zip<F: Binary>(self, f: F, mut other: Tensor<X, E>) -> Tensor<X, E> {
        let OfAverages { windows, divisor, x, cotangent } = &self;
        let geometry = geometry(*windows, *x, cotangent.shape());
        let Some(own) = other.get_mut().filter(|_| geometry.is_side_by_side()) else {
            return self.write(zipped(Each(f), other.as_slice()));
        };
        // Less memory to fetch: what stands at the same place is read in any case.
        avg_pool_gradient_in_place(
            &geometry,
            *divisor,
            cotangent.as_slice(),
            #[inline(always)]
            |cotangent, other| f.at(cotangent, other),
            own,
        );
        other
    }
}

/// The cotangent of what maxima were taken of in windows.
pub(super) struct OfMaxima<X: Shape, Y: Shape, E: Float> {
    pub windows: [AxisWindow; 2],
    pub x: Tensor<X, E>,
    pub cotangent: Tensor<Y, E>,
}

impl<X: Image, Y: Image, E: Float> OfMaxima<X, Y, E> {
    fn write(self, finish: impl Fn(usize, &mut [E]) + Sync) -> Tensor<X, E> {
        let OfMaxima { windows, x, cotangent } = self;
        let geometry = geometry(windows, x.shape(), cotangent.shape());
        Tensor::written(x.shape(), |dx| {
            max_pool_gradient(&geometry, x.as_slice(), cotangent.as_slice(), finish, dx);
        })
    }
}

impl<X: Image, Y: Image, E: Float> Deferred<Tensor<X, E>> for OfMaxima<X, Y, E> {
    fn compute(self) -> Tensor<X, E> {
        self.write(|_, _| ())
    }

    fn zip<F: Binary>(self, f: F, other: Tensor<X, E>) -> Tensor<X, E> {
        self.write(zipped(Each(f), other.as_slice()))
    }
}

/// Makes of each part of a cotangent `f` of it and of what stands at the same place in `other`.
fn zipped<E: Float>(f: impl Function<(E, E), Out = E>, other: &[E]) -> impl Fn(usize, &mut [E]) + Sync {
    #[inline(always)]
    move |from, part| zip_within(&f, part, &other[from..])
}
