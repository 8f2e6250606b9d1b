//! How a tensor is printed: `f32[2, 3]` and its elements in nested brackets, long axes cut in the middle. In a tree it
//! is printed as its shape, `(2, 3)`.

use super::{Element, Tensor, bracketed};
use crate::shape::Shape;
use std::fmt;

/// Longer axes show this many elements at either end.
const ENDS: usize = 3;

impl<S: Shape, E: Element> fmt::Debug for Tensor<S, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{} ", E::NAME, bracketed(self.shape()))?;
        nested(self.as_slice(), self.sizes().as_ref(), formatter)
    }
}

impl<S: Shape, E: Element> fmt::Display for Tensor<S, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        nested(self.as_slice(), self.sizes().as_ref(), formatter)
    }
}

/// A leaf of a tree, which prints as its shape, as in Flax: `(10, 5)`.
pub struct ShapeOf<'a, S: Shape, E: Element>(pub &'a Tensor<S, E>);

impl<S: Shape, E: Element> fmt::Debug for ShapeOf<'_, S, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.0.sizes();
        formatter.write_str("(")?;
        for (axis, size) in sizes.as_ref().iter().enumerate() {
            let separator = if axis > 0 { ", " } else { "" };
            write!(formatter, "{separator}{size}")?;
        }
        formatter.write_str(if sizes.as_ref().len() == 1 { ",)" } else { ")" })
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
    fn a_leaf_prints_as_pythons_tuple() {
        let printed = |sizes: &[usize]| match *sizes {
            [] => format!("{:#?}", super::ShapeOf(&Tensor::scalar(1.0))),
            [a] => format!("{:#?}", super::ShapeOf(&Tensor::<_, f32>::zeros((Dyn(a),)))),
            _ => format!(
                "{:#?}",
                super::ShapeOf(&Tensor::<_, f32>::zeros((Dyn(sizes[0]), Dyn(sizes[1]))))
            ),
        };
        assert_eq!(
            [printed(&[]), printed(&[5]), printed(&[10, 5])],
            ["()", "(5,)", "(10, 5)"]
        );
    }

    #[test]
    fn long_axes_are_cut() {
        let tensor = Tensor::from_fn((Dyn(2), Dyn(9)), |i| i as i32);
        assert_eq!(
            format!("{tensor:?}"),
            "i32[2, 9] [[0, 1, 2, …, 6, 7, 8], [9, 10, 11, …, 15, 16, 17]]"
        );
        assert_eq!(format!("{}", Tensor::scalar(1.5)), "1.5");
        assert_eq!(format!("{}", Tensor::<_, f32>::zeros((Dyn(0), Dyn(2)))), "[]");
    }
}
