//! The types of a body's values, each projected from the ones before, so that rustc infers shapes as Flax does.
//!
//! ```text
//! trait __CnnSteps { type V0; type V1; … }
//! impl<B: Batch> __CnnSteps for Steps<(B,)> {
//!     type V0 = <Checked<Tensor<(B, Dim2<2, 8>, Dim2<2, 8>, Dim1<1>)>, __CnnShapes> as Passed>::Type;
//!     type V1 = <Conv<Dim2<3, 2>, (Dim1<3>, Dim1<3>)> as Module<Self::V0>>::Out;
//!     …
//! }
//! ```

use super::generics::AllGenerics;
use super::names::{self, tuple};
use crate::ir::control::{Branch, Loop};
use crate::ir::{Body, Call, Eqn, Signature, Var};
use crate::parse::dims::TensorType;
use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

/// How generated code writes the type of a variable.
#[derive(Clone)]
pub struct Types<'a> {
    body: &'a Body,
    /// `__CnnSteps`
    pub steps: &'a Ident,
    /// `H, O, B`, or `H, O, Dyn` in the parameters.
    pub arguments: TokenStream,
}

impl<'a> Types<'a> {
    /// The types with these arguments for the generics.
    pub fn new(body: &'a Body, steps: &'a Ident, arguments: TokenStream) -> Self {
        Types { body, steps, arguments }
    }

    /// The type of a variable.
    pub fn var(&self, var: Var) -> TokenStream {
        let (steps, arguments, name) = (self.steps, &self.arguments, names::type_of(var));
        quote!(<::flaxen::__private::Steps<(#arguments)> as #steps>::#name)
    }

    /// The type of what an equation is called on.
    pub fn input(&self, eqn: &Eqn) -> TokenStream {
        let vars = eqn.args.iter().filter_map(|arg| arg.var());
        tuple(&vars.map(|var| self.var(var)).collect::<Vec<_>>())
    }

    /// The variables' type as a whole: one or a tuple.
    pub fn all(&self, vars: &[Var]) -> TokenStream {
        tuple(&vars.iter().map(|&var| self.var(var)).collect::<Vec<_>>())
    }

    /// What the equation calls, as a type.
    pub fn callee(&self, eqn: &Eqn) -> TokenStream {
        callee(self.body, eqn)
    }
}

/// What an equation calls, as a type.
pub fn callee(body: &Body, eqn: &Eqn) -> TokenStream {
    match &eqn.call {
        Call::Op { ty, .. } => ty.clone(),
        Call::Submodule(index) => body.submodules[*index].ty.clone(),
        _ => TokenStream::new(),
    }
}

/// The trait and its implementation.
pub fn steps(body: &Body, signature: &Signature, name: &Ident, shapes: &Ident) -> TokenStream {
    let all = AllGenerics::of(signature);
    let (declared, arguments, where_clause) = (all.declared(), all.types(), all.where_clause());
    let mut types = Vec::new();
    for (&input, (_, ty)) in body.inputs.iter().zip(&signature.inputs) {
        let ty = ty.tensor().map_or_else(|| ty.to_type(), |tensor| checked(tensor, shapes));
        types.push((input, ty));
    }
    for eqn in &body.eqns {
        types.extend(outputs(body, eqn, shapes));
    }
    let names: Vec<_> = types.iter().map(|(var, _)| names::type_of(*var)).collect();
    let types = types.iter().map(|(_, ty)| ty);
    quote! {
        #[doc(hidden)]
        #[allow(missing_docs)]
        trait #name { #(type #names;)* }

        #[doc(hidden)]
        impl<#declared> #name for ::flaxen::__private::Steps<(#arguments)> #where_clause {
            #(type #names = #types;)*
        }
    }
}

fn checked(tensor: &TensorType, shapes: &Ident) -> TokenStream {
    let tensor = tensor.to_type();
    quote!(<::flaxen::__private::Checked<#tensor, #shapes> as ::flaxen::__private::Passed>::Type)
}

/// What an equation yields by declarations alone: its submodule's type is not known here.
pub fn declared<'a>(body: &'a Body, eqn: &'a Eqn) -> Option<impl Iterator<Item = (Var, &'a TensorType)>> {
    let opaque = matches!(eqn.call, Call::Submodule(index) if body.submodules[index].opaque);
    opaque.then(|| eqn.outs.iter().filter_map(|&out| Some((out, body.info(out).declared.as_ref()?))))
}

fn outputs(body: &Body, eqn: &Eqn, shapes: &Ident) -> Vec<(Var, TokenStream)> {
    let args = eqn.args.iter().filter_map(|arg| arg.var());
    let input = tuple(&args.map(names::type_of).map(|name| quote!(Self::#name)).collect::<Vec<_>>());
    if let Some(declared) = declared(body, eqn) {
        return declared.map(|(out, tensor)| (out, checked(tensor, shapes))).collect();
    }
    let callee = callee(body, eqn);
    let whole = match &eqn.call {
        Call::Op { .. } => quote_spanned!(eqn.span=> <#callee as ::flaxen::op::Op<#input>>::Out),
        Call::Submodule(_) => quote_spanned!(eqn.span=> <#callee as ::flaxen::module::Module<#input>>::Out),
        Call::Param(index) => checked(&body.params[*index].tensor, shapes),
        Call::Branch(branch) => return of_branch(body, eqn, branch, shapes),
        Call::Loop(repeated) => return of_loop(body, eqn, repeated, shapes),
        Call::Variable(index) => checked(&body.variables[*index].tensor, shapes),
        Call::MakeRng(_) => quote!(::flaxen::rng::Key),
        Call::Phase(phase) => phase.clone(),
        Call::Write { .. } | Call::Sow { .. } | Call::Apply { .. } | Call::Transform(_) => return Vec::new(),
    };
    match eqn.outs.as_slice() {
        [one] => vec![(*one, whole)],
        several => several
            .iter()
            .enumerate()
            .map(|(index, &out)| {
                (out, quote_spanned!(eqn.span=> <#whole as ::flaxen::__private::Part<#index>>::Out))
            })
            .collect(),
    }
}

/// The types in all arms, and those of the results: the first arm's.
fn of_branch(body: &Body, eqn: &Eqn, branch: &Branch, shapes: &Ident) -> Vec<(Var, TokenStream)> {
    let arms = branch.bodies().flat_map(|(_, arm)| &arm.eqns);
    let mut types: Vec<_> = arms.flat_map(|eqn| outputs(body, eqn, shapes)).collect();
    let first = branch.bodies().next().map(|(_, arm)| &arm.outputs);
    types.extend(eqn.outs.iter().zip(first.into_iter().flatten()).map(|(&out, &of)| (out, same(of))));
    types
}

/// What is carried from pass to pass keeps its type.
fn of_loop(body: &Body, eqn: &Eqn, repeated: &Loop, shapes: &Ident) -> Vec<(Var, TokenStream)> {
    let inputs = &repeated.body.inputs[..repeated.carried];
    let initial = eqn.args.iter().filter_map(|arg| arg.var());
    let mut types: Vec<_> = inputs.iter().zip(initial).map(|(&input, of)| (input, same(of))).collect();
    types.extend(repeated.body.eqns.iter().flat_map(|eqn| outputs(body, eqn, shapes)));
    types.extend(eqn.outs.iter().zip(inputs).map(|(&out, &of)| (out, same(of))));
    types
}

fn same(of: Var) -> TokenStream {
    let of = names::type_of(of);
    quote!(Self::#of)
}
