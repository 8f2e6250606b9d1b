//! A transformed closure: its passes in place, as a block.
//!
//! ```text
//! {
//!     let params_0 = &state.params;
//!     let (logits_1, kept_apply_0) = Input(images).model_vjp(&model, params_0, No);
//!     let (mean_3, kept_mean_0) = Input(…).vjp(mean::Op::new(), Yes);
//!     let term_0 = Loss::seed(&mean_3);
//!     …
//!     (mean_3, gradient_params_0)
//! }
//! ```
//!
//! `grad!` and `value_and_grad!` are such a block, and the closure of `vjp!` is its second half. `jvp!` computes the equations
//! with dual numbers, `hvp!` both passes: reverse once, then forward over it. `jacrev!` is `vjp!` for each row, `jacfwd!`
//! is `jvp!` and `hessian!` is `hvp!` for each column. A transformation in a closure is a block among its statements.

use super::names::{self, tuple};
use super::passes::Passes;
use super::steps::Types;
use crate::analyze::activity::Need;
use crate::diag::Diagnostics;
use crate::ir::transform::{Closure, Transform};
use crate::ir::{Arg, Call, Eqn, Var};
use crate::lower::{Lowered, lower_at};
use crate::messages;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

/// The expression that a closure becomes whose arguments, and their tangents, come from outside.
pub fn closure(closure: &Closure, args: &[Arg], diagnostics: &mut Diagnostics) -> TokenStream {
    check(closure, diagnostics);
    if closure.body.outputs.is_empty() {
        return TokenStream::new();
    }
    let args = args.iter().map(|arg| match arg {
        Arg::Outside(tokens) => tokens.clone(),
        Arg::Var(_) => TokenStream::new(),
    });
    expression(closure, 0, &[], &args.collect::<Vec<_>>())
}

/// Refuses a tree of variables that no model is applied with, and a backward pass through another one.
fn check(closure: &Closure, diagnostics: &mut Diagnostics) {
    let lowered = lowered(closure, 0, &vec![0; closure.body.inputs.len() - closure.arguments]);
    let body = &lowered.body;
    for step in &lowered.backward.steps {
        if let Call::Transform(_) = &body.eqns[step.eqn].call {
            diagnostics.at(body.eqns[step.eqn].span, messages::NESTED_REVERSE);
        }
    }
    for eqn in &body.eqns {
        if matches!(eqn.call, Call::Apply { rngs: Some(_), .. }) && lowered.level_of_equation(eqn) > 0 {
            diagnostics.at(eqn.span, messages::STATEFUL_FORWARD);
        }
    }
    for &input in &body.inputs[..closure.arguments] {
        let reached = lowered.backward.steps.iter().any(|step| match &body.eqns[step.eqn].call {
            Call::Apply { variables, .. } => variables.var() == Some(input),
            _ => false,
        });
        let used = body.eqns.iter().flat_map(|eqn| &eqn.args).any(|arg| arg.var() == Some(input));
        if closure.transform.has_loss() && !reached && (body.info(input).is_tree || !used) {
            diagnostics.at(body.info(input).span, messages::LOSS_INDEPENDENT);
        }
    }
    for eqn in &body.eqns {
        if let Call::Transform(nested) = &eqn.call {
            check(nested, diagnostics);
        }
    }
}

/// The passes of a closure whose arguments are of a level, and which reads variables of others around it.
fn lowered(closure: &Closure, level: usize, captures: &[usize]) -> Lowered {
    let transform = closure.transform;
    let level = level + usize::from(transform.is_forward());
    let levels: Vec<usize> =
        std::iter::repeat_n(level, closure.arguments).chain(captures.iter().copied()).collect();
    let active = if transform.is_reverse() { Need::Yes } else { Need::No };
    let mut needs = vec![Need::No; closure.body.inputs.len()];
    needs[..closure.arguments].fill(active);
    let differentiated = match transform.is_reverse() {
        false => 0,
        true if transform.has_loss() => 1,
        true => closure.body.outputs.len(),
    };
    let lowered = lower_at(closure.body.clone(), &needs, &levels, differentiated);
    Lowered { repeated: transform.is_repeated(), ..lowered }
}

/// The expression of a closure whose arguments, tangents and captured variables are expressions.
fn expression(closure: &Closure, level: usize, captures: &[usize], args: &[TokenStream]) -> TokenStream {
    let lowered = lowered(closure, level, captures);
    let nameless = Ident::new("__Steps", Span::call_site());
    let types = Types::new(&lowered.body, &nameless, TokenStream::new());
    let block = Block {
        closure,
        level: level + usize::from(closure.transform.is_forward()),
        passes: Passes { lowered: &lowered, types, in_place: true, nest: Vec::new() },
    };
    match closure.transform {
        Transform::ValueAndGrad | Transform::Grad => block.gradient(args),
        Transform::Vjp => block.pullback(args),
        Transform::Jvp | Transform::Hvp => block.direction(args),
        Transform::Jacfwd | Transform::Jacrev | Transform::Hessian => block.matrix(args),
    }
}

/// A closure's statements.
struct Block<'a> {
    closure: &'a Closure,
    /// How many tangents the closure's arguments carry in it.
    level: usize,
    passes: Passes<'a>,
}

impl Block<'_> {
    fn arguments(&self) -> &[Var] {
        &self.closure.body.inputs[..self.closure.arguments]
    }

    fn captures(&self) -> TokenStream {
        let captures = self.closure.body.inputs[self.closure.arguments..].iter();
        tuple(&captures.map(|&var| self.passes.var(var)).collect::<Vec<_>>())
    }

    /// Binds the arguments and what is captured, all at once: a name here may hide one that is read here.
    fn bind(&self, values: impl Iterator<Item = TokenStream>) -> TokenStream {
        let names = self.closure.body.inputs.iter().map(|&var| self.passes.var(var));
        let (names, values) = (names.collect::<Vec<_>>(), values.collect::<Vec<_>>());
        quote!(let (#(#names,)*) = (#(#values,)*);)
    }

    /// The arguments with their tangents; a tree is held by reference.
    fn bind_with_tangents(&self, args: &[TokenStream]) -> TokenStream {
        let (primals, rest) = args.split_at(self.closure.arguments);
        let (tangents, captures) = rest.split_at(self.closure.arguments);
        let duals =
            self.arguments().iter().zip(primals.iter().zip(tangents)).map(|(&var, (primal, tangent))| {
                let span = primal.span();
                let [primal, tangent] = [primal, tangent].map(|part| names::reference(part.clone()));
                let dual = quote_spanned!(span=> ::flaxen::__private::dual(#primal, #tangent));
                if self.closure.body.info(var).is_tree { quote!(&#dual) } else { dual }
            });
        self.bind(duals.chain(captures.iter().cloned()))
    }

    /// The forward pass and the backward pass, for a closure that ends in a loss.
    fn both_passes(&self) -> TokenStream {
        let body = &self.closure.body;
        let (loss, seed) = (body.outputs[0], names::term(0));
        let loss_var = self.passes.var(loss);
        let seeded = quote_spanned! {body.info(loss).span=>
            let #seed = ::flaxen::__private::Loss::seed(&#loss_var);
        };
        let (forward, backward) = (self.passes.forward_in_place(), self.backward(&[quote!(#seed)]));
        quote!(#forward #seeded #backward)
    }

    fn backward(&self, cotangents: &[TokenStream]) -> TokenStream {
        let (zeros, backward) = (self.passes.zeros(), self.passes.backward(cotangents));
        quote!(#zeros #backward)
    }

    /// The gradients of the arguments.
    fn gradients(&self) -> Vec<TokenStream> {
        let body = &self.closure.body;
        let gradients = self.arguments().iter().map(|&input| {
            let gradient = match body.info(input).is_tree {
                true => names::gradient(&names::var(body, input)),
                false => names::cotangent(body, input),
            };
            quote!(#gradient)
        });
        gradients.collect()
    }

    /// The results, each lifted to the level of the arguments.
    fn outputs(&self) -> Vec<TokenStream> {
        let lowered = self.passes.lowered;
        let outputs = lowered.body.outputs.iter().zip(&lowered.moved_outputs).map(|(&var, &moves)| {
            let above = self.level - lowered.level(var);
            names::lifted(self.passes.read(var, moves), above, lowered.body.info(var).span)
        });
        outputs.collect()
    }

    /// `value_and_grad!` and `grad!`.
    fn gradient(&self, args: &[TokenStream]) -> TokenStream {
        let (bound, passes) = (self.bind(args.iter().cloned()), self.both_passes());
        let outputs = names::nested(&self.closure.results, &self.outputs());
        let result = self.result(&outputs, &self.gradients());
        quote!({ #bound #passes #result })
    }

    /// The result from outputs and gradients, or the pattern that takes it apart.
    fn result(&self, outputs: &[TokenStream], gradients: &[TokenStream]) -> TokenStream {
        let gradient = tuple(gradients);
        match (self.closure.transform, outputs) {
            (Transform::Grad, [_]) => gradient,
            (Transform::Grad, [_, aux]) => quote!((#gradient, #aux)),
            _ => {
                let outputs = tuple(outputs);
                quote!((#outputs, #gradient))
            }
        }
    }

    /// `vjp!`: the output, and the closure that pulls a cotangent back.
    fn pullback(&self, args: &[TokenStream]) -> TokenStream {
        let (bound, forward) = (self.bind(args.iter().cloned()), self.passes.forward_in_place());
        let (outputs, pull) = (tuple(&self.outputs()), self.pull());
        quote!({ #bound #forward (#outputs, #pull) })
    }

    /// The closure that pulls a cotangent back.
    fn pull(&self) -> TokenStream {
        let cotangents = (0..self.closure.body.outputs.len()).map(names::term).map(|name| quote!(#name));
        let cotangents: Vec<_> = cotangents.collect();
        let (given, backward, gradients) =
            (tuple(&cotangents), self.backward(&cotangents), tuple(&self.gradients()));
        quote!(move |#given| { #backward #gradients })
    }

    /// `jvp!`: the outputs and their tangents; `hvp!`: the tangents of the gradients.
    fn direction(&self, args: &[TokenStream]) -> TokenStream {
        let bound = self.bind_with_tangents(args);
        let (passes, duals) = match self.closure.transform {
            Transform::Hvp => (self.both_passes(), self.gradients()),
            _ => (self.passes.forward_in_place(), self.outputs()),
        };
        let parts: Vec<_> = (0..duals.len()).map(names::part_of_dual).collect();
        let split = duals.iter().zip(&parts).map(|(dual, [value, tangent])| {
            quote_spanned!(dual.span()=> let (#value, #tangent) = ::flaxen::__private::split(#dual);)
        });
        let values: Vec<_> = parts.iter().map(|[value, _]| quote!(#value)).collect();
        let tangents: Vec<_> = parts.iter().map(|[_, tangent]| quote!(#tangent)).collect();
        let result = match self.closure.transform {
            Transform::Hvp => tuple(&tangents),
            _ => self.result(&values, &tangents),
        };
        quote!({ #bound #passes #(#split)* #result })
    }

    /// `jacfwd!`, `jacrev!` and `hessian!`: the closure is called for each column or row.
    fn matrix(&self, args: &[TokenStream]) -> TokenStream {
        let (argument, captures) = (self.passes.var(self.arguments()[0]), self.captures());
        let (primal, captured) = (&args[0], tuple(&args[1..]));
        let (by, statements) = match self.closure.transform {
            Transform::Jacrev => {
                let (forward, output, pull) =
                    (self.passes.forward_in_place(), tuple(&self.outputs()), self.pull());
                (quote!(jacobian_by_rows), quote!(#forward (#output, #pull)))
            }
            Transform::Hessian => {
                let (passes, gradient) = (self.both_passes(), tuple(&self.gradients()));
                (quote!(jacobian_by_columns), quote!(#passes #gradient))
            }
            _ => {
                let (forward, output) = (self.passes.forward_in_place(), tuple(&self.outputs()));
                (quote!(jacobian_by_columns), quote!(#forward #output))
            }
        };
        let name = Ident::new("captured", Span::mixed_site());
        quote! {{
            let (#argument, #name) = (#primal, #captured);
            ::flaxen::__private::#by(#argument, |#argument| {
                let #captures = ::core::clone::Clone::clone(&#name);
                #statements
            })
        }}
    }
}

impl Passes<'_> {
    /// The statement of a transformation in this closure.
    pub(super) fn transformed(&self, eqn: &Eqn, closure: &Closure, moves: &[bool]) -> TokenStream {
        let (lowered, level) = (self.lowered, self.lowered.level_of_equation(eqn));
        let given = eqn.args.len() - (closure.body.inputs.len() - closure.arguments);
        let args = eqn.args.iter().zip(moves).enumerate().map(|(index, (arg, &moves))| match arg {
            // What is captured keeps its level, and is lifted where it is read.
            Arg::Var(var) if index >= given => self.read(*var, moves),
            Arg::Var(var) => {
                let above = level - lowered.level(*var);
                self.handed_on(
                    *var,
                    names::lifted(self.read(*var, moves || above > 0), above, eqn.span),
                    above,
                )
            }
            Arg::Outside(tokens) => names::lifted(tokens.clone(), level, eqn.span),
        });
        let args: Vec<_> = args.collect();
        let captured = eqn.args[given..].iter().filter_map(Arg::var).map(|var| lowered.level(var));
        let block = expression(closure, level, &captured.collect::<Vec<_>>(), &args);
        let outs: Vec<_> = eqn.outs.iter().map(|&out| self.var(out)).collect();
        let pattern = pattern(closure, &outs);
        quote!(let #pattern = #block;)
    }

    /// A tree is held by reference, also a lifted one.
    fn handed_on(&self, var: Var, value: TokenStream, above: usize) -> TokenStream {
        match self.lowered.body.info(var).is_tree && above > 0 {
            true => quote!(&#value),
            false => value,
        }
    }
}

/// The pattern that takes a transformation's result apart.
fn pattern(closure: &Closure, outs: &[TokenStream]) -> TokenStream {
    let outputs = closure.body.outputs.len();
    match closure.transform {
        Transform::ValueAndGrad | Transform::Jvp => {
            let (values, rest) = outs.split_at(outputs);
            let (values, rest) = (tuple(&names::nested(&closure.results, values)), tuple(rest));
            quote!((#values, #rest))
        }
        Transform::Grad if outputs > 1 => {
            let (gradients, aux) = outs.split_at(closure.arguments);
            let (aux, gradients) = (&names::nested(&closure.results[1..], aux)[0], tuple(gradients));
            quote!((#gradients, #aux))
        }
        _ => tuple(outs),
    }
}
