//! Branches and loops: their plans, and their statements in the passes.
//!
//! A plan is what the user's plain statements decide before any tensor is computed: which arm is taken, and the parts of
//! every pass.
//!
//! ```text
//! let part_if_0 = if self.wide { Either::Left((part_leaky_relu_0,)) } else { Either::Right(()) };
//! let (y_3, kept_if_0) = match &part_if_0 {
//!     Either::Left((part_leaky_relu_0,)) => { …; (y_1, Either::Left((kept_leaky_relu_0,))) }
//!     Either::Right(()) => { …; (y_2, Either::Right((kept_relu_0,))) }
//! };
//! let (gradients, cotangents) = match (&part_if_0, residuals.kept_if_0) { … };
//!
//! let part_for_0 = each::<4, _, _>(0..4, |i| …);
//! let (x_5, kept_for_0) = scan(&part_for_0, x_0, |pass_0, (), x_1| { …; (x_4, (kept_relu_1,)) });
//! let d_x_1 = scan_back(&part_for_0, residuals.kept_for_0, d_x_5, |pass_0, (), (kept_relu_1,), term_0| …);
//! ```

use super::names::{self, tuple};
use super::passes::Passes;
use super::place::{Declared, Root};
use super::residuals;
use crate::analyze::activity::Need;
use crate::ir::control::{Branch, Level, Loop, Taken};
use crate::ir::{Call, Eqn, Var};
use crate::lower::backward::{Contribution, Gradient, Step, Tree};
use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

impl<'a> Passes<'a> {
    /// The passes of the bodies inside of an equation.
    pub fn inner(&self, index: usize) -> Vec<Passes<'a>> {
        let call = &self.lowered.body.eqns[index].call;
        let inner = self.lowered.inner[index].iter().enumerate().map(|(arm, lowered)| {
            let level = match call {
                Call::Loop(Loop { id, length, start, .. }) => {
                    Level::Pass { of: *id, length: length.clone(), start: start.clone() }
                }
                Call::Branch(Branch { id, .. }) => Level::Arm { branch: *id, arm },
                _ => unreachable!("other calls have no bodies"),
            };
            let nest = self.nest.iter().cloned().chain([level]).collect();
            Passes { lowered, types: self.types.clone(), in_place: false, nest }
        });
        inner.collect()
    }

    /// The expression that decides what the bodies inside of an equation do.
    pub fn plan_of_bodies(&self, index: usize) -> Option<TokenStream> {
        let inner = self.inner(index);
        match &self.lowered.body.eqns[index].call {
            Call::Branch(Branch { scrutinee, arms, .. }) => {
                let count = inner.len();
                let mut plans = inner.iter().enumerate().map(|(arm, passes)| {
                    let (statements, parts) = passes.plan();
                    let side = side(arm, count, quote!((#(#parts,)*)));
                    quote!(#statements #side)
                });
                let arms = arms.iter().map(|arm| {
                    let (head, block) = (
                        &arm.head,
                        match &arm.taken {
                            Taken::Body(_) => plans.next().unwrap_or_default(),
                            Taken::Diverges(tokens) => tokens.clone(),
                        },
                    );
                    quote!(#head { #block })
                });
                Some(match scrutinee {
                    Some(scrutinee) => quote!(#scrutinee { #(#arms)* }),
                    None => quote!(#(#arms)*),
                })
            }
            Call::Loop(Loop { pattern, iterator, length, .. }) => {
                let (statements, parts) = inner.first()?.plan();
                Some(quote! {
                    ::flaxen::__private::each::<{ #length }, _, _>(#iterator, |#pattern| {
                        #statements
                        (#(#parts,)*)
                    })
                })
            }
            _ => None,
        }
    }

    /// The pattern that takes the plan of this body apart.
    pub fn parts(&self) -> TokenStream {
        let parts = self.plan().1;
        quote!((#(#parts,)*))
    }

    /// What is kept by the bodies inside of an equation, as a type.
    pub fn kept_by_bodies(&self, index: usize) -> Option<TokenStream> {
        let inner = self.inner(index);
        let kept = inner.iter().map(|passes| {
            let (_, types) = residuals::kept(passes);
            quote!((#(#types,)*))
        });
        let kept: Vec<TokenStream> = kept.collect();
        match &self.lowered.body.eqns[index].call {
            Call::Branch(_) => {
                let either = |rest, one| quote!(::flaxen::__private::Either<#one, #rest>);
                kept.into_iter().rev().reduce(either)
            }
            Call::Loop(Loop { length, .. }) => kept.first().map(|kept| quote!([#kept; { #length }])),
            _ => None,
        }
    }

    /// The arms of a branch in a pass, each a match arm: its pattern, then the statements that `block` makes.
    fn arms(
        &self,
        index: usize,
        block: impl Fn(usize, &Passes<'a>) -> (TokenStream, TokenStream),
    ) -> TokenStream {
        let inner = self.inner(index);
        let arms = inner.iter().enumerate().map(|(arm, passes)| {
            let (pattern, block) = block(arm, passes);
            quote!(#pattern => { #block })
        });
        arms.collect()
    }

    /// Binds the inputs of an arm.
    fn bind_inputs(&self, index: usize, inner: &Passes, moves: &[bool]) -> TokenStream {
        let (pattern, values) =
            (self.bound(&inner.lowered.body.inputs), self.arguments(&self.lowered.body.eqns[index], moves));
        quote!(let #pattern = #values;)
    }

    /// The results of an arm, which have the types of the first one's.
    fn results(&self, index: usize, arm: usize, inner: &Passes) -> TokenStream {
        let eqn = &self.lowered.body.eqns[index];
        let span = match &eqn.call {
            Call::Branch(branch) => branch.bodies().nth(arm).map_or(eqn.span, |(arm, _)| arm.span),
            _ => eqn.span,
        };
        let (ty, outputs, results) = (self.types.all(&eqn.outs), inner.outputs(), names::results());
        quote_spanned!(span=> let #results: #ty = #outputs;)
    }

    pub fn infer_branch(&self, index: usize, moves: &[bool]) -> TokenStream {
        let eqn = &self.lowered.body.eqns[index];
        let count = self.lowered.inner[index].len();
        let name = names::results();
        let arms = self.arms(index, |arm, inner| {
            let (inputs, infer, results) =
                (self.bind_inputs(index, inner, moves), inner.infer(), self.results(index, arm, inner));
            (side(arm, count, inner.parts()), quote!(#inputs #infer #results #name))
        });
        let (outs, part) = (self.bound(&eqn.outs), names::part(&eqn.label));
        quote!(let #outs = match &#part { #arms };)
    }

    pub fn forward_branch(&self, index: usize, moves: &[bool]) -> TokenStream {
        let eqn = &self.lowered.body.eqns[index];
        let count = self.lowered.inner[index].len();
        let name = names::results();
        let arms = self.arms(index, |arm, inner| {
            let (inputs, forward, results) =
                (self.bind_inputs(index, inner, moves), inner.forward(), self.results(index, arm, inner));
            let (kept, _) = residuals::kept(inner);
            let kept = side(arm, count, quote!((#(#kept,)*)));
            (side(arm, count, inner.parts()), quote!(#inputs #forward #results (#name, #kept)))
        });
        let (outs, part, kept) = (self.bound(&eqn.outs), names::part(&eqn.label), names::residual(eqn));
        quote!(let (#outs, #kept) = match &#part { #arms };)
    }

    pub fn backward_branch(&self, step: &Step, pattern: &TokenStream, kept: &TokenStream) -> TokenStream {
        let eqn = &self.lowered.body.eqns[step.eqn];
        let count = self.lowered.inner[step.eqn].len();
        let arms = self.arms(step.eqn, |arm, inner| {
            let (names, _) = residuals::kept(inner);
            let (parts, kept) = (side(arm, count, inner.parts()), side(arm, count, quote!((#(#names,)*))));
            let cotangents = eqn.outs.iter().map(|&out| match self.lowered.need(out) {
                Need::No => quote!(()),
                _ => {
                    let name = names::cotangent(&self.lowered.body, out);
                    quote!(#name)
                }
            });
            let pulled = inner.pulled(&self.needs_of(&eqn.outs), cotangents.collect());
            let gradients = step.inner.iter().map(|(tree, _)| self.gradient_in_arm(*tree, inner));
            let gradients: Vec<_> = gradients.collect();
            let inputs = eqn
                .args
                .iter()
                .zip(&inner.lowered.body.inputs)
                .map(|(arg, &input)| self.to_argument(arg.var(), input, inner));
            let inputs = tuple(&inputs.collect::<Vec<_>>());
            (quote!((#parts, #kept)), quote!(#pulled ((#(#gradients,)*), #inputs)))
        });
        let other = (count > 1).then(|| quote!(_ => ::flaxen::__private::other_arm(),));
        let (part, (gradients, add)) = (names::part(&eqn.label), self.inner_gradients(step));
        quote!(let (#gradients, #pattern) = match (&#part, #kept) { #arms #other }; #add)
    }

    /// Where the arguments of a loop go: those carried into the first pass, and those that every pass reads.
    fn loop_inputs(&self, eqn: &Eqn, repeated: &Loop, moves: &[bool]) -> (TokenStream, TokenStream) {
        let (initial, captured) = eqn.args.split_at(repeated.carried);
        let carried = Eqn { args: initial.to_vec(), ..eqn.clone() };
        let read = Eqn { args: captured.to_vec(), ..eqn.clone() };
        let pattern = self.bound(&repeated.body.inputs[repeated.carried..]);
        let values = self.arguments(&read, &vec![false; captured.len()]);
        (self.arguments(&carried, &moves[..repeated.carried]), quote!(let #pattern = #values;))
    }

    pub fn infer_loop(&self, index: usize, repeated: &Loop, moves: &[bool]) -> TokenStream {
        let eqn = &self.lowered.body.eqns[index];
        let (initial, captured) = self.loop_inputs(eqn, repeated, moves);
        let passes = self.inner(index).into_iter().map(|inner| {
            let (pass, parts, carried) = (
                names::pass(repeated.id),
                inner.parts(),
                self.bound(&repeated.body.inputs[..repeated.carried]),
            );
            let (infer, outputs) = (inner.infer(), inner.outputs());
            quote!(|#pass, #parts, #carried| { #captured #infer #outputs })
        });
        let (outs, part) = (self.bound(&eqn.outs), names::part(&eqn.label));
        quote!(let #outs = ::flaxen::__private::fold(&#part, #initial, #(#passes)*);)
    }

    pub fn forward_loop(&self, index: usize, repeated: &Loop, moves: &[bool]) -> TokenStream {
        let eqn = &self.lowered.body.eqns[index];
        let (initial, captured) = self.loop_inputs(eqn, repeated, moves);
        let passes = self.inner(index).into_iter().map(|inner| {
            let (pass, parts, carried) = (
                names::pass(repeated.id),
                inner.parts(),
                self.bound(&repeated.body.inputs[..repeated.carried]),
            );
            let (forward, outputs) = (inner.forward(), inner.outputs());
            let (kept, _) = residuals::kept(&inner);
            quote!(|#pass, #parts, #carried| { #captured #forward (#outputs, (#(#kept,)*)) })
        });
        let (outs, part, kept) = (self.bound(&eqn.outs), names::part(&eqn.label), names::residual(eqn));
        quote!(let (#outs, #kept) = ::flaxen::__private::scan(&#part, #initial, #(#passes)*);)
    }

    pub fn backward_loop(
        &self,
        step: &Step,
        repeated: &Loop,
        pattern: &TokenStream,
        kept: &TokenStream,
    ) -> TokenStream {
        let eqn = &self.lowered.body.eqns[step.eqn];
        let Some(inner) = self.inner(step.eqn).into_iter().next() else { return TokenStream::new() };
        let (carried, captured) = repeated.body.inputs.split_at(repeated.carried);
        let needs = self.needs_of(&eqn.outs);
        let terms: Vec<Ident> = (0..carried.len()).map(names::term).collect();
        let pulled = inner.pulled(&needs, terms.iter().map(|term| quote!(#term)).collect());
        let carried_on = tuple(&carried.iter().map(|&input| inner.own_cotangent(input)).collect::<Vec<_>>());
        let sums = Sums::of(&inner, step, captured);
        let (declare, add, finish) = (sums.declare(), sums.add(), sums.finish());
        let begin = eqn.outs.iter().map(|&out| self.own_cotangent(out));
        let begin = tuple(&begin.collect::<Vec<_>>());
        let (names, _) = residuals::kept(&inner);
        let (pass, parts, part) = (names::pass(repeated.id), inner.parts(), names::part(&eqn.label));
        let terms = tuple(&terms.iter().map(|term| quote!(#term)).collect::<Vec<_>>());
        let results = carried.iter().map(|&input| match inner.lowered.need(input) {
            Need::No => quote!(_),
            _ => {
                let name = names::cotangent(&inner.lowered.body, input);
                quote!(#name)
            }
        });
        let results = tuple(&results.collect::<Vec<_>>());
        let gradients = step.inner.iter().map(|(tree, _)| {
            let gradient = names::gradient(&self.declared(*tree).key);
            quote!(#gradient)
        });
        let inputs = eqn.args.iter().zip(&repeated.body.inputs);
        let inputs = inputs.map(|(arg, &input)| self.to_argument(arg.var(), input, &inner));
        let inputs = tuple(&inputs.collect::<Vec<_>>());
        let (outer_gradients, outer_add) = self.inner_gradients(step);
        quote! {
            let (#outer_gradients, #pattern) = {
                #declare
                let #results = ::flaxen::__private::scan_back(
                    &#part, #kept, #begin,
                    |#pass, #parts, (#(#names,)*), #terms| { #pulled #add #carried_on },
                );
                #finish
                ((#(#gradients,)*), #inputs)
            };
            #outer_add
        }
    }

    fn needs_of(&self, vars: &[Var]) -> Vec<Need> {
        vars.iter().map(|&var| self.lowered.need(var).clone()).collect()
    }

    /// The statements of the backward pass of a nested body, from cotangents of its results that have these needs.
    fn pulled(&self, needs: &[Need], cotangents: Vec<TokenStream>) -> TokenStream {
        let mut tokens = self.zeros();
        let outputs = self.lowered.backward.outputs.iter().zip(needs.iter().zip(cotangents));
        for (contribution, (need, cotangent)) in outputs {
            let (Contribution::Assign(var) | Contribution::Add(var)) = *contribution else { continue };
            let cotangent = self.narrowed(need, self.lowered.need(var), var, cotangent);
            tokens.extend(self.contribute(*contribution, cotangent));
        }
        tokens.extend(self.backward_steps());
        tokens
    }

    /// A cotangent that is there for one need, as another, smaller need asks for it.
    fn narrowed(&self, have: &Need, want: &Need, var: Var, cotangent: TokenStream) -> TokenStream {
        if have == want {
            return cotangent;
        }
        let (have, want, ty) = (names::need(have), names::need(want), self.types.var(var));
        quote!(::flaxen::__private::narrowed::<#have, #want, #ty>(#cotangent))
    }

    /// The cotangent of a variable, nothing if it has none.
    fn own_cotangent(&self, var: Var) -> TokenStream {
        match self.lowered.need(var) {
            Need::No => quote!(()),
            _ => {
                let name = names::cotangent(&self.lowered.body, var);
                quote!(#name)
            }
        }
    }

    /// The cotangent of an input of a nested body as that of the argument.
    fn to_argument(&self, arg: Option<Var>, input: Var, inner: &Passes) -> TokenStream {
        let need = arg.map_or(&Need::No, |arg| self.lowered.need(arg));
        match need {
            Need::No => quote!(()),
            need => inner.narrowed(inner.lowered.need(input), need, input, inner.own_cotangent(input)),
        }
    }

    fn declared(&self, tree: Tree) -> Declared<'_> {
        match tree {
            Tree::Submodule(index) => Declared::submodule(&self.lowered.body, index),
            Tree::Param(index) => Declared::param(&self.lowered.body, index),
            Tree::Var(_) => unreachable!("no model is applied in a nested body"),
        }
    }

    /// A gradient that an arm contributes: zeros if it does not go through the tree.
    fn gradient_in_arm(&self, tree: Tree, inner: &Passes) -> TokenStream {
        let (declared, depth) = (self.declared(tree), self.nest.len());
        if !inner.goes_through(tree) {
            let place = self.place_around(Root::Params, &declared, depth);
            return quote!(::flaxen::tree::Tree::zeros_like(&#place));
        }
        let gradient = names::gradient(&declared.key);
        match declared.nest.len() > depth {
            true => quote!(::core::option::Option::Some(#gradient)),
            false => quote!(#gradient),
        }
    }

    /// Whether the backward pass of this body goes through a submodule or parameter.
    fn goes_through(&self, tree: Tree) -> bool {
        self.lowered.backward.steps.iter().any(|step| {
            let own = match &self.lowered.body.eqns[step.eqn].call {
                Call::Submodule(of) => tree == Tree::Submodule(*of),
                Call::Param(of) => tree == Tree::Param(*of),
                _ => false,
            };
            own || step.inner.iter().any(|(inner, _)| *inner == tree)
        })
    }

    /// The pattern for the gradients out of nested bodies, and the statements that add those that are not the first.
    fn inner_gradients(&self, step: &Step) -> (TokenStream, TokenStream) {
        let mut add = TokenStream::new();
        let pattern = step.inner.iter().map(|(tree, gradient)| {
            let declared = self.declared(*tree);
            let (name, term) = (names::gradient(&declared.key), names::inner_gradient(&declared.key));
            match gradient {
                Gradient::Assign => quote!(#name),
                Gradient::Add => {
                    add.extend(
                        quote!(let #name = <::flaxen::op::Yes as ::flaxen::op::Need>::add(#name, #term);),
                    );
                    quote!(#term)
                }
            }
        });
        let pattern: Vec<_> = pattern.collect();
        (quote!((#(#pattern,)*)), add)
    }
}

/// What the passes of a loop contribute to: gradients, one for each pass or summed, and cotangents of what they all read.
struct Sums<'a, 'b> {
    inner: &'a Passes<'b>,
    /// One for each pass.
    each: Vec<Ident>,
    /// Summed.
    gradients: Vec<Ident>,
    captured: Vec<Var>,
}

impl<'a, 'b> Sums<'a, 'b> {
    fn of(inner: &'a Passes<'b>, step: &Step, captured: &[Var]) -> Self {
        let depth = inner.nest.len();
        let (mut each, mut gradients) = (Vec::new(), Vec::new());
        for (tree, _) in &step.inner {
            let declared = inner.declared(*tree);
            let list = if declared.nest.len() >= depth { &mut each } else { &mut gradients };
            list.push(declared.key);
        }
        let captured = captured.iter().copied().filter(|&var| *inner.lowered.need(var) != Need::No);
        Sums { inner, each, gradients, captured: captured.collect() }
    }

    fn cotangents(&self) -> Vec<Ident> {
        self.captured.iter().map(|&var| names::cotangent(&self.inner.lowered.body, var)).collect()
    }

    fn declare(&self) -> TokenStream {
        let each = self.each.iter().map(names::sum);
        let gradients = self.gradients.iter().map(names::sum);
        let cotangents = self.cotangents().into_iter().map(|name| names::sum(&name));
        let sums = gradients.chain(cotangents);
        quote! {
            #(let mut #each = ::flaxen::__private::Slots::new();)*
            #(let mut #sums = ::core::option::Option::None;)*
        }
    }

    fn add(&self) -> TokenStream {
        let each = self.each.iter().map(|field| {
            let (slots, gradient) = (names::sum(field), names::gradient(field));
            let pass = self.inner.nest.last().map(|level| match level {
                Level::Pass { of, .. } => names::pass(*of),
                Level::Arm { .. } => unreachable!("the innermost level is the loop"),
            });
            quote!(#slots.put(#pass, #gradient);)
        });
        let gradients = self.gradients.iter().map(|field| {
            let (sum, gradient) = (names::sum(field), names::gradient(field));
            quote!(::flaxen::__private::accumulate::<::flaxen::op::Yes, _>(&mut #sum, #gradient);)
        });
        let cotangents = self.captured.iter().zip(self.cotangents()).map(|(&var, name)| {
            let (sum, need, ty) =
                (names::sum(&name), names::need(self.inner.lowered.need(var)), self.inner.types.var(var));
            quote!(::flaxen::__private::accumulate::<#need, #ty>(&mut #sum, #name);)
        });
        each.chain(gradients).chain(cotangents).collect()
    }

    fn finish(&self) -> TokenStream {
        let each = self.each.iter().map(|field| {
            let (slots, gradient) = (names::sum(field), names::gradient(field));
            quote!(let #gradient = #slots.finish();)
        });
        let gradients = self.gradients.iter().map(names::gradient).zip(self.gradients.iter().map(names::sum));
        let cotangents = self.cotangents().into_iter().map(|name| {
            let sum = names::sum(&name);
            (name, sum)
        });
        let sums = gradients
            .chain(cotangents)
            .map(|(name, sum)| quote!(let #name = ::flaxen::__private::summed(#sum);));
        each.chain(sums).collect()
    }
}

/// One of so many sides: `Left`, `Right(Left)`, `Right(Right)`. Of one there is no choice.
pub fn side(index: usize, count: usize, inside: TokenStream) -> TokenStream {
    match (index, count) {
        (_, 0 | 1) => inside,
        (0, _) => quote!(::flaxen::__private::Either::Left(#inside)),
        _ => {
            let rest = side(index - 1, count - 1, inside);
            quote!(::flaxen::__private::Either::Right(#rest))
        }
    }
}
