//! `value_and_grad!`: the passes in place, as a block.
//!
//! ```text
//! {
//!     let params_0 = &state.params;
//!     let (logits_1, kept_apply_0) = Input(images).model_vjp(&model, params_0, No);
//!     let (mean_3, kept_mean_0) = Input(…).vjp(mean::Op::new(), Yes);
//!     let d_mean_3 = Loss::seed(&mean_3);
//!     …
//!     (mean_3, gradient_params_0)
//! }
//! ```

use super::names::{self, tuple};
use super::passes::Passes;
use super::steps::Types;
use crate::analyze::activity::Need;
use crate::diag::Diagnostics;
use crate::lower::{Lowered, lower};
use crate::messages;
use crate::parse::closure::Closure;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

/// The block that a closure becomes.
pub fn closure(closure: Closure, diagnostics: &mut Diagnostics) -> TokenStream {
    let inputs: Vec<Need> = closure.body.inputs.iter().map(|_| Need::Yes).collect();
    let lowered = lower(closure.body, &inputs, 1);
    refuse_independent(&lowered, diagnostics);
    let body = &lowered.body;
    let Some(&loss) = body.outputs.first() else {
        return TokenStream::new();
    };
    let nameless = Ident::new("__Steps", Span::call_site());
    let types = Types::new(body, &nameless, TokenStream::new());
    let passes = Passes { lowered: &lowered, types, in_place: true, nest: Vec::new() };
    let bound = body.inputs.iter().zip(&closure.arguments).map(|(&input, argument)| {
        let name = names::var(body, input);
        quote!(let #name = #argument;)
    });
    let gradients = body.inputs.iter().map(|&input| {
        let gradient = match body.info(input).is_tree {
            true => names::gradient(&names::var(body, input)),
            false => names::cotangent(body, input),
        };
        quote!(#gradient)
    });
    let gradients = tuple(&gradients.collect::<Vec<_>>());
    let (loss_var, seed) = (names::var(body, loss), names::term(0));
    let seeded = quote_spanned! {body.info(loss).span=>
        let #seed = ::flaxen::__private::Loss::seed(&#loss_var);
    };
    let (forward, zeros, backward) =
        (passes.forward_in_place(), passes.zeros(), passes.backward(&[quote!(#seed)]));
    let outputs = passes.outputs();
    quote! {{
        #(#bound)*
        #forward
        #seeded
        #zeros
        #backward
        (#outputs, #gradients)
    }}
}

/// A tree of variables that no model is applied with has no gradient.
fn refuse_independent(lowered: &Lowered, diagnostics: &mut Diagnostics) {
    let body = &lowered.body;
    for &input in &body.inputs {
        let reached = lowered.backward.steps.iter().any(|step| match &body.eqns[step.eqn].call {
            crate::ir::Call::Apply { variables, .. } => variables.var() == Some(input),
            _ => false,
        });
        let used = body.eqns.iter().flat_map(|eqn| &eqn.args).any(|arg| arg.var() == Some(input));
        if !reached && (body.info(input).is_tree || !used) {
            diagnostics.at(body.info(input).span, messages::LOSS_INDEPENDENT);
        }
    }
}
