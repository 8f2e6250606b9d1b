//! What can be made of a closure: its gradient, its pullback, its derivative in a direction, its Jacobian.

use super::Body;

/// One of the transformations of JAX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    /// `value_and_grad!`
    ValueAndGrad,
    /// `grad!`
    Grad,
    /// `vjp!`
    Vjp,
    /// `jvp!`
    Jvp,
    /// `hvp!`
    Hvp,
    /// `jacfwd!`
    Jacfwd,
    /// `jacrev!`
    Jacrev,
    /// `hessian!`
    Hessian,
}

impl Transform {
    /// All of them, with the names of their macros.
    const ALL: [(Transform, &'static str); 8] = [
        (Transform::ValueAndGrad, "value_and_grad"),
        (Transform::Grad, "grad"),
        (Transform::Vjp, "vjp"),
        (Transform::Jvp, "jvp"),
        (Transform::Hvp, "hvp"),
        (Transform::Jacfwd, "jacfwd"),
        (Transform::Jacrev, "jacrev"),
        (Transform::Hessian, "hessian"),
    ];

    /// The transformation whose macro has this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, of)| *of == name).map(|(transform, _)| *transform)
    }

    /// The name of its macro.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(transform, _)| *transform == self).map_or("", |(_, name)| name)
    }

    /// Whether it goes backward through the equations.
    pub fn is_reverse(self) -> bool {
        !matches!(self, Transform::Jvp | Transform::Jacfwd)
    }

    /// Whether the equations are computed with dual numbers, which carry a tangent.
    pub fn is_forward(self) -> bool {
        matches!(self, Transform::Jvp | Transform::Hvp | Transform::Jacfwd | Transform::Hessian)
    }

    /// Whether the closure ends in a scalar, from which the backward pass begins with 1.
    pub fn has_loss(self) -> bool {
        self.is_reverse() && !matches!(self, Transform::Vjp | Transform::Jacrev)
    }

    /// Whether tangents are given beside the arguments.
    pub fn takes_tangents(self) -> bool {
        matches!(self, Transform::Jvp | Transform::Hvp)
    }

    /// Whether the closure runs once for each row or column of the result.
    pub fn is_repeated(self) -> bool {
        matches!(self, Transform::Jacfwd | Transform::Jacrev | Transform::Hessian)
    }

    /// The most results that the closure may have.
    pub fn most_results(self) -> usize {
        match self {
            Transform::ValueAndGrad | Transform::Grad => 2,
            Transform::Vjp | Transform::Jvp => 4,
            _ => 1,
        }
    }

    /// The number of tensors and trees in the result, for a closure of so many arguments and results.
    pub fn results(self, arguments: usize, outputs: usize) -> usize {
        match self {
            Transform::ValueAndGrad => outputs + arguments,
            Transform::Grad => arguments + outputs.saturating_sub(1),
            Transform::Hvp => arguments,
            Transform::Jvp => 2 * outputs,
            _ => 1,
        }
    }
}

/// A closure that is transformed.
#[derive(Clone, Debug)]
pub struct Closure {
    /// What is made of it.
    pub transform: Transform,
    /// Its equations. The inputs are its arguments, and then what it reads of the closure around it.
    pub body: Body,
    /// The number of its arguments.
    pub arguments: usize,
    /// How its results stand in tuples.
    pub results: Vec<Nest>,
}

/// One result, or several in a tuple: `(logits, state)`.
#[derive(Clone, Debug, PartialEq)]
pub enum Nest {
    /// One result.
    One,
    /// A tuple.
    Tuple(Vec<Nest>),
}

impl Nest {
    /// The number of results.
    pub fn count(&self) -> usize {
        match self {
            Nest::One => 1,
            Nest::Tuple(parts) => parts.iter().map(Nest::count).sum(),
        }
    }
}
