//! A module: its types, parameters, passes, and the methods that a user calls.
//!
//! ```text
//! impl Cnn { pub fn init(&self, key: Key) -> …; pub fn apply(…) -> …; pub const fn shape(…) -> Rule; }
//! impl<B: Batch> Module<Tensor![B, 28, 28, 1]> for Cnn { … }
//! impl<B: Batch, Need0: Need> Trainable<Tensor![B, 28, 28, 1], Need0> for Cnn { … }
//! ```

use super::effects::effects;
use super::generics::AllGenerics;
use super::names::{self, tuple};
use super::passes::Passes;
use super::residuals::residuals;
use super::steps::{Types, steps};
use super::variables::{self, Field, Structure};
use super::{checks, summary};
use crate::analyze::activity::Need;
use crate::ir::Signature;
use crate::lower::backward::{Tree, touched};
use crate::lower::{Lowered, lower};
use crate::parse::structure::Implementation;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// What an input's element says of its cotangent: integers and booleans have none.
pub fn input_needs(signature: &Signature) -> Vec<Need> {
    let needs = signature.inputs.iter().enumerate().map(|(index, (_, ty))| match ty.is_differentiable() {
        true => Need::input(index),
        false => Need::No,
    });
    needs.collect()
}

/// Everything that `#[module]` makes of an `impl`.
pub fn module(implementation: Implementation) -> TokenStream {
    let Implementation { module, attributes, others } = implementation;
    let names = Names::of(&module.name);
    let all = AllGenerics::of(&module.signature);
    let count = module.signature.outputs.len();
    let lowered = lower(module.body.clone(), &input_needs(&module.signature), count);
    let types = Types::new(&lowered.body, &names.steps, all.types());
    let passes = Passes { lowered: &lowered, types, in_place: false, nest: Vec::new() };
    let parameter_types = Types::new(&lowered.body, &names.steps, all.types_without_batch());
    let known = Passes { lowered: &lowered, types: parameter_types, in_place: false, nest: Vec::new() };
    let fields = variables::fields(&module, &known);
    let params = variables::params(&module, &all, &names.params, &fields);
    let state = variables::state(&module, &all, &names.state, &fields);
    let (params_item, state_item, stateless_item) = (params.item(), state.item(), state.stateless_item());
    let parts = Parts {
        names: &names,
        all: &all,
        signature: &module.signature,
        passes,
        fields: &fields,
        params,
        state,
    };
    let self_ty = &module.self_ty;

    let items = [
        steps(&lowered.body, &module.signature, &names.steps, &names.shapes),
        params_item,
        state_item,
        stateless_item,
        effects(&parts.passes, &all, &names.effects),
        parts.methods(self_ty, &attributes, &others, &module.name, &lowered),
        parts.module_impl(self_ty),
        parts.trainable_impl(self_ty),
        checks::checks(&lowered.body, &module.signature, &names.shapes, &module.name.to_string()),
    ];
    items.into_iter().collect()
}

/// The names of the generated items.
struct Names {
    steps: Ident,
    shapes: Ident,
    params: Ident,
    state: Ident,
    residuals: Ident,
    effects: Ident,
}

impl Names {
    fn of(module: &Ident) -> Self {
        Names {
            steps: format_ident!("__{module}Steps"),
            shapes: format_ident!("__{module}Shapes"),
            params: format_ident!("{module}Params", span = module.span()),
            state: format_ident!("{module}State", span = module.span()),
            residuals: format_ident!("__{module}Residuals"),
            effects: format_ident!("__{module}Effects"),
        }
    }
}

struct Parts<'a> {
    names: &'a Names,
    all: &'a AllGenerics,
    signature: &'a Signature,
    passes: Passes<'a>,
    fields: &'a [Field<'a>],
    params: Structure<'a>,
    state: Structure<'a>,
}

impl Parts<'_> {
    fn input_type(&self) -> TokenStream {
        tuple(&self.signature.inputs.iter().map(|(_, ty)| ty.to_type()).collect::<Vec<_>>())
    }

    fn output_type(&self) -> TokenStream {
        tuple(&self.signature.outputs.iter().map(|tensor| tensor.to_type()).collect::<Vec<_>>())
    }

    /// `init`, `apply`, `shape`, with the passes in their documentation.
    fn methods(
        &self,
        self_ty: &syn::Type,
        attributes: &[syn::Attribute],
        others: &TokenStream,
        name: &Ident,
        lowered: &Lowered,
    ) -> TokenStream {
        let outer = &self.signature.outer;
        let (generics, _, where_clause) = outer.split_for_impl();
        let (inner, inner_of_params) = (self.all.declared_inner(), self.all.declared_inner_of_params());
        let inner_where = &self.signature.inner.where_clause;
        let inner_predicates = inner_where.iter().flat_map(|clause| &clause.predicates);
        let input = self.input_type();
        let pure = quote! {
            for<'call> <Self as ::flaxen::module::Module<#input>>::Updates: ::flaxen::module::effect::NoUpdates<&'call ()>,
            for<'call> <Self as ::flaxen::module::Module<#input>>::Draws: ::flaxen::module::effect::NoDraws<&'call ()>,
        };
        let (params, state, output) = (self.params.ty(), self.state.ty(), self.output_type());
        let inputs: Vec<_> = self.signature.inputs.iter().map(|(name, _)| name).collect();
        let types: Vec<_> = self.signature.inputs.iter().map(|(_, ty)| ty.to_type()).collect();
        let input_for_init =
            Types::new(&self.passes.lowered.body, &self.names.steps, self.all.types_without_batch());
        let input_for_init = input_for_init.all(&self.passes.lowered.body.inputs);
        let (given, shape) = (
            tuple(&inputs.iter().map(|name| quote!(#name)).collect::<Vec<_>>()),
            checks::shape(name, self.signature),
        );
        let passes = summary::passes(lowered);
        quote! {
            #[doc = #passes]
            impl #generics #self_ty #where_clause {
                /// Draws the variables, each with the key that Flax derives from its path.
                pub fn init<#inner_of_params>(
                    &self,
                    key: ::flaxen::rng::Key,
                ) -> ::flaxen::module::Variables<#params, #state>
                #inner_where
                {
                    let scope = ::flaxen::rng::Scope::root(key);
                    let (params, state) = <Self as ::flaxen::module::Module<#input_for_init>>::init(self, &scope);
                    ::flaxen::module::Variables { params, state }
                }

                /// Computes the output from the variables and the inputs.
                #(#attributes)*
                pub fn apply<#inner>(
                    &self,
                    variables: &impl ::flaxen::module::Collections<#params, #state>,
                    #(#inputs: #types,)*
                ) -> #output
                where
                    #pure
                    #(#inner_predicates,)*
                {
                    ::flaxen::__private::apply(self, variables, #given)
                }

                #shape
                #others
            }
        }
    }

    fn module_impl(&self, self_ty: &syn::Type) -> TokenStream {
        let (declared, where_clause) = (self.all.declared(), self.all.where_clause());
        let (input, output) = (self.input_type(), self.output_type());
        let (params, state) = (self.params.ty(), self.state.ty());
        let (effects, arguments) = (&self.names.effects, self.all.arguments());
        let (pattern, setup, infer, out) =
            (self.passes.inputs(), self.passes.setup(), self.passes.infer(), self.passes.outputs());
        let draws = variables::draws(self.fields);
        let (drawn, drawn_state) = (self.params.drawn(names::drawn), self.state.drawn(names::drawn_state));
        quote! {
            #[doc(hidden)]
            #[allow(unused_variables, unused_assignments, clippy::all)]
            impl<#declared> ::flaxen::module::Module<#input> for #self_ty #where_clause {
                type Out = #output;
                type Params = #params;
                type State = #state;
                type Updates = #effects<#arguments>;
                type Draws = #effects<#arguments>;

                fn init(&self, scope: &::flaxen::rng::Scope) -> (Self::Params, Self::State) {
                    #setup
                    #draws
                    (#drawn, #drawn_state)
                }

                fn infer(
                    &self,
                    params: &Self::Params,
                    state: &mut Self::State,
                    scope: &::flaxen::rng::Scope,
                    input: #input,
                ) -> Self::Out {
                    #pattern
                    #setup
                    #infer
                    #out
                }
            }
        }
    }

    fn trainable_impl(&self, self_ty: &syn::Type) -> TokenStream {
        let (declared, where_clause) = (self.all.declared(), self.all.where_clause());
        let input = self.input_type();
        let needs: Vec<_> = (0..self.signature.inputs.len()).map(names::need_of_input).collect();
        let need = tuple(&needs.iter().map(|need| quote!(#need)).collect::<Vec<_>>());
        let kept = residuals(&self.passes, &self.names.residuals, self.all, &needs);
        let (item, ty, value) = (kept.item, kept.ty, kept.value);
        let (pattern, setup, forward, out) =
            (self.passes.inputs(), self.passes.setup(), self.passes.forward(), self.passes.outputs());
        let cotangents: Vec<_> = (0..self.signature.outputs.len()).map(names::term).collect();
        let cotangents: Vec<_> = cotangents.iter().map(|name| quote!(#name)).collect();
        let cotangent = tuple(&cotangents);
        let (zeros, backward) = (self.passes.zeros(), self.passes.backward(&cotangents));
        let (gradients, of_inputs) = (self.gradients(), self.passes.cotangents_of_inputs());
        quote! {
            #item

            #[doc(hidden)]
            #[allow(unused_variables, unused_assignments, unused_mut, clippy::all)]
            impl<#declared #(#needs: ::flaxen::op::Need,)*> ::flaxen::module::Trainable<#input, #need> for #self_ty
            #where_clause
            {
                type Residuals = #ty;

                fn forward(
                    &self,
                    params: &Self::Params,
                    state: &mut Self::State,
                    scope: &::flaxen::rng::Scope,
                    input: #input,
                ) -> (Self::Out, Self::Residuals) {
                    #pattern
                    #setup
                    #forward
                    (#out, #value)
                }

                fn backward(
                    &self,
                    params: &Self::Params,
                    residuals: Self::Residuals,
                    #cotangent: Self::Out,
                ) -> (Self::Params, <#need as ::flaxen::op::Needs<#input>>::Cotangents) {
                    #setup
                    #zeros
                    #backward
                    (#gradients, #of_inputs)
                }
            }
        }
    }

    /// The gradients as parameters; zeros for what no output depends on.
    fn gradients(&self) -> TokenStream {
        let lowered = self.passes.lowered;
        let pulled = |field: &Ident| {
            let reached = touched(std::slice::from_ref(lowered));
            reached.into_iter().any(|tree| match tree {
                Tree::Submodule(index) => lowered.body.submodules[index].field == *field,
                Tree::Param(index) => lowered.body.params[index].field == *field,
                Tree::Var(_) => false,
            })
        };
        let parts = self.fields.iter().map(|field| {
            let name = field.declared.field;
            let gradient = names::gradient(name);
            let value = match pulled(name) {
                true => quote!(#gradient),
                false => quote!(::flaxen::tree::Tree::zeros_like(&params.#name)),
            };
            (name.clone(), value)
        });
        self.params.construct(parts)
    }
}
