//! What the poolings share: their rules in numbers, and the sizes that the kernels ask for.

use crate::backend::PoolGeometry;
use crate::shape::decimal::Number;
use crate::shape::dim::Dim1;
use crate::shape::window::{AxisWindow, Image, ImagePadding, PerAxis, Valid, slide};
use crate::shape::{Message, Rule, Size, Sizes};

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
