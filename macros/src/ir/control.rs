//! Bodies inside of a body: the arms of a branch, the pass of a loop.
//!
//! A nested body is closed, as the jaxprs in JAX's `cond` and `scan`: its inputs are the arguments of the equation that it
//! belongs to. All bodies of a function share their variables, submodules and parameters, each has a copy of the lists, and
//! a variable from outside has the same number inside.

use super::{Body, Call, Eqn, Setup, Submodule, Var};
use proc_macro2::{Span, TokenStream};
use std::collections::BTreeSet;

/// An `if` or a `match` on plain values. The results of all arms have the same types.
#[derive(Clone, Debug)]
pub struct Branch {
    /// Tells it from the others of a function.
    pub id: usize,
    /// `match self.activation`; nothing for an `if`.
    pub scrutinee: Option<TokenStream>,
    /// In the order in which they are tried.
    pub arms: Vec<Arm>,
}

/// An arm of a branch.
#[derive(Clone, Debug)]
pub struct Arm {
    /// What stands before its block: `else if self.wide`, `Activation::Leaky(slope) if slope > 0.0 =>`.
    pub head: TokenStream,
    /// What is computed.
    pub taken: Taken,
    /// Where its result stands.
    pub span: Span,
}

/// What becomes of an arm that is taken.
#[derive(Clone, Debug)]
pub enum Taken {
    /// It computes tensors.
    Body(Box<Body>),
    /// It ends the program: `unreachable!()`.
    Diverges(TokenStream),
}

impl Branch {
    /// The arms that compute something, in order, each with its number among these.
    pub fn bodies(&self) -> impl Iterator<Item = (&Arm, &Body)> {
        self.arms.iter().filter_map(|arm| match &arm.taken {
            Taken::Body(body) => Some((arm, &**body)),
            Taken::Diverges(_) => None,
        })
    }
}

/// A `for` whose passes differ in nothing but plain values. The first inputs of its body are carried from pass to pass,
/// and the outputs are what they are after a pass.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Tells it from the others of a function.
    pub id: usize,
    /// What the user binds in a pass.
    pub pattern: TokenStream,
    /// What the user iterates over.
    pub iterator: TokenStream,
    /// The number of passes, a constant.
    pub length: TokenStream,
    /// What the first pass is called, a constant.
    pub start: TokenStream,
    /// The pass.
    pub body: Box<Body>,
    /// How many inputs are carried.
    pub carried: usize,
}

/// What stands around a declaration.
#[derive(Clone, Debug)]
pub enum Level {
    /// An arm of a branch.
    Arm { branch: usize, arm: usize },
    /// A pass of a loop.
    Pass { of: usize, length: TokenStream, start: TokenStream },
}

/// What tells a submodule from others of its name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// The name is the whole name.
    None,
    /// As many submodules of its class were made before, which only the running program knows.
    Counted,
    /// The number of the pass of this loop.
    Pass(usize),
}

impl Submodule {
    /// Whether something transforms the module.
    pub fn is_transformed(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.to_string() != self.ty.to_string())
    }

    /// Whether its construction computes something: its values, or its number.
    pub fn is_made(&self) -> bool {
        !self.keywords.is_empty() || self.number == Number::Counted
    }
}

impl Call {
    /// The bodies inside of it.
    pub fn bodies(&self) -> Vec<&Body> {
        match self {
            Call::Branch(branch) => branch.bodies().map(|(_, body)| body).collect(),
            Call::Loop(repeated) => vec![&repeated.body],
            _ => Vec::new(),
        }
    }

    /// The bodies inside of it, to be changed.
    pub fn bodies_mut(&mut self) -> Vec<&mut Body> {
        match self {
            Call::Branch(branch) => {
                let bodies = branch.arms.iter_mut().filter_map(|arm| match &mut arm.taken {
                    Taken::Body(body) => Some(&mut **body),
                    Taken::Diverges(_) => None,
                });
                bodies.collect()
            }
            Call::Loop(repeated) => vec![&mut repeated.body],
            _ => Vec::new(),
        }
    }
}

impl Body {
    /// Its own part, without what all bodies of a function share. That stays.
    pub fn take_part(&mut self) -> Body {
        Body {
            inputs: std::mem::take(&mut self.inputs),
            eqns: std::mem::take(&mut self.eqns),
            setup: std::mem::take(&mut self.setup),
            outputs: std::mem::take(&mut self.outputs),
            regions: std::mem::take(&mut self.regions),
            ..Body::default()
        }
    }

    /// Takes a part in the place of its own, which is returned.
    pub fn replace_part(&mut self, part: Body) -> Body {
        let own = self.take_part();
        (self.inputs, self.eqns, self.setup) = (part.inputs, part.eqns, part.setup);
        (self.outputs, self.regions) = (part.outputs, part.regions);
        own
    }

    /// Gives the bodies inside of this one what all share.
    pub fn share(&mut self) {
        let mut part = self.take_part();
        for inner in part.eqns.iter_mut().flat_map(|eqn| eqn.call.bodies_mut()) {
            let own = inner.take_part();
            *inner = self.clone();
            inner.replace_part(own);
            inner.share();
        }
        self.replace_part(part);
    }

    /// Leaves out constructions that nothing depends on, and blocks in which nothing is left.
    pub fn drop_idle_setup(&mut self) {
        let mut kept: Vec<(usize, Setup)> = Vec::new();
        for (before, setup) in std::mem::take(&mut self.setup) {
            match (&setup, kept.last()) {
                (Setup::Submodule(index), _) if !self.submodules[*index].is_made() => {}
                (Setup::Leave, Some((_, Setup::Enter))) => {
                    kept.pop();
                }
                _ => kept.push((before, setup)),
            }
        }
        self.setup = kept;
        self.eqns.iter_mut().flat_map(|eqn| eqn.call.bodies_mut()).for_each(Body::drop_idle_setup);
    }

    /// The variables from outside that it uses, in the order of their first use.
    pub fn free(&self) -> Vec<Var> {
        let mut bound: BTreeSet<Var> = self.inputs.iter().copied().collect();
        let mut free = Vec::new();
        let read = |var: Var, bound: &mut BTreeSet<Var>, free: &mut Vec<Var>| {
            if bound.insert(var) {
                free.push(var);
            }
        };
        for eqn in &self.eqns {
            eqn.reads().for_each(|var| read(var, &mut bound, &mut free));
            bound.extend(&eqn.outs);
        }
        self.outputs.iter().for_each(|&var| read(var, &mut bound, &mut free));
        free
    }

    /// Whether an equation of it, at any depth, yields a variable.
    pub fn defines(&self, var: Var) -> bool {
        self.all_eqns().iter().any(|eqn| eqn.outs.contains(&var))
    }

    /// All equations, those of the bodies inside of it in their places: before the equation to which they belong.
    pub fn all_eqns(&self) -> Vec<&Eqn> {
        let all = self.eqns.iter().flat_map(|eqn| {
            let inner = eqn.call.bodies().into_iter().flat_map(Body::all_eqns);
            inner.chain([eqn])
        });
        all.collect()
    }
}

/// Whether a submodule is called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Called {
    Never,
    /// In an arm that may not be taken.
    Sometimes,
    Always,
}

impl Body {
    /// The body at a place inside of this one.
    pub fn at(&self, nest: &[Level]) -> Option<&Body> {
        let Some((level, rest)) = nest.split_first() else { return Some(self) };
        let inner = self.eqns.iter().find_map(|eqn| match (&eqn.call, level) {
            (Call::Branch(branch), Level::Arm { branch: id, arm }) if branch.id == *id => {
                branch.bodies().nth(*arm).map(|(_, body)| body)
            }
            (Call::Loop(repeated), Level::Pass { of, .. }) if repeated.id == *of => Some(&*repeated.body),
            _ => None,
        });
        inner.and_then(|inner| inner.at(rest))
    }

    /// Whether the body calls a submodule.
    pub fn calls(&self, submodule: usize) -> Called {
        let called = self.eqns.iter().map(|eqn| match &eqn.call {
            Call::Submodule(index) if *index == submodule => Called::Always,
            call => {
                let inner: Vec<Called> = call.bodies().iter().map(|body| body.calls(submodule)).collect();
                match () {
                    () if inner.iter().all(|called| *called == Called::Never) => Called::Never,
                    () if inner.iter().all(|called| *called == Called::Always) => Called::Always,
                    () => Called::Sometimes,
                }
            }
        });
        called.fold(Called::Never, |all, one| match (all, one) {
            (Called::Always, _) | (_, Called::Always) => Called::Always,
            (Called::Never, Called::Never) => Called::Never,
            _ => Called::Sometimes,
        })
    }
}
