//! How a tensor is printed: `f32[2, 3]` and its elements in nested brackets, long axes cut in the middle.

use super::{Element, Tensor, bracketed};
use crate::shape::Shape;
use std::fmt;

/// Longer axes show this many elements at either end.
const ENDS: usize = 3;

impl<S: Shape, E: Element> fmt::Debug for Tensor<S, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{} ", E::NAME, bracketed(self.shape()))?;
        fmt::Display::fmt(self, formatter)
    }
}

impl<S: Shape, E: Element> fmt::Display for Tensor<S, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_masked() {
            return formatter.write_str("masked");
        }
        nested(self.as_slice(), self.sizes().as_ref(), formatter)
    }
}

fn nested<E: Element>(elements: &[E], sizes: &[usize], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some((&size, inner)) = sizes.split_first() else {
        return fmt::Display::fmt(&elements[0], formatter);
    };
    let stride = inner.iter().product::<usize>();
    let cut = size > 2 * ENDS + 1;
    formatter.write_str("[")?;
    for index in (0..size).filter(|&index| !cut || index <= ENDS || index >= size - ENDS) {
        if index > 0 {
            formatter.write_str(", ")?;
        }
        if cut && index == ENDS {
            formatter.write_str("…")?;
        } else {
            nested(&elements[index * stride..][..stride], inner, formatter)?;
        }
    }
    formatter.write_str("]")
}

#[cfg(test)]
mod tests {
    use crate::shape::Dyn;
    use crate::tensor::Tensor;

    #[test]
    fn long_axes_are_cut() {
        let tensor = Tensor::from_fn((Dyn(2), Dyn(9)), |i| i as i32);
        assert_eq!(format!("{tensor:?}"), "i32[2, 9] [[0, 1, 2, …, 6, 7, 8], [9, 10, 11, …, 15, 16, 17]]");
        assert_eq!(format!("{}", Tensor::scalar(1.5)), "1.5");
        assert_eq!(format!("{}", Tensor::<_, f32>::zeros((Dyn(0), Dyn(2)))), "[]");
    }
}
