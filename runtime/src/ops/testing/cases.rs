//! The cases of ops of the same kind.

/// The derivatives of an op of two tensors that broadcast, in every way in which one of them is stretched, and what its rule
/// refuses. The second tensor is positive.
macro_rules! broadcasts {
    ($op:ident, $name:literal) => {{
        use $crate::ops::testing::{gradient2, random, random_positive, refused};
        use $crate::prelude::*;
        use $crate::shape::Sizes;

        let matrix = || random((Dyn(3), U5::default()), 1);
        gradient2(&$op, matrix(), random_positive((Dyn(3), U5::default()), 2));
        gradient2(&$op, matrix(), random_positive((U5::default(),), 2));
        let column = || random_positive((Dyn(3), U1::default()), 2);
        gradient2(&$op, matrix(), column());
        gradient2(&$op, random((U1::default(), U5::default()), 1), column());
        let four_axes = (U2::default(), Dyn(3), U1::default(), U2::default());
        gradient2(&$op, random((), 1), random_positive(four_axes, 2));
        gradient2(&$op, random((U5::default(),), 1), random_positive((Dyn(0), U5::default()), 2));

        let message =
            ": sizes do not broadcast: [2, 3] and [2]; sizes are aligned at the right, and must be equal or 1";
        let rule = $op::shape([Sizes::known(&[2, 3]), Sizes::known(&[2])]);
        refused(rule, &format!("{}{message}", $name));
    }};
}
pub(crate) use broadcasts;

/// The derivatives of an op that removes an axis, along each of several axes, and what its rule says.
macro_rules! along_axes {
    ($op:ident, $name:literal) => {{
        use $crate::ops::testing::{fits, gradient, random, refused};
        use $crate::prelude::*;
        use $crate::shape::Sizes;

        let x = || random((Dyn(3), U5::default(), U2::default()), 1);
        gradient(&$op::<U0>::new(), x());
        gradient(&$op::<U1>::new(), x());
        gradient(&$op::<U2>::new(), x());
        gradient(&$op::<U0>::new(), random((U1::default(),), 1));
        gradient(&$op::<U1>::new(), random((Dyn(0), U5::default()), 1));

        fits($op::<U1>::shape([Sizes::known(&[2, 3])]), "[2]");
        let message = ": there is no axis 2 in [2, 3]; axes count from 0";
        refused($op::<U2>::shape([Sizes::known(&[2, 3])]), &format!("{}{message}", $name));
    }};
}
pub(crate) use along_axes;
