//! A module: its types, parameters, passes, and the methods that a user calls.
//!
//! ```text
//! impl Cnn { pub fn init(&self, key: Key) -> …; pub fn bind(…) -> …; pub const fn shape(…) -> Rule; }
//! impl Cnn { pub fn apply(…) -> …; }
//! impl<B: Batch> Module<Tensor![B, 28, 28, 1]> for Cnn { … }
//! impl<B: Batch, Need0: Need> Trainable<Tensor![B, 28, 28, 1], Need0> for Cnn { … }
//! ```
//!
//! Each method besides `call` has the same, for a type of its own ([`methods`](super::methods)).

use super::blocks::blocks;
use super::bounds::Bounds;
use super::effects::effects;
use super::generics::AllGenerics;
use super::lift::lift;
use super::names::{self, tuple};
use super::passes::Passes;
use super::residuals::residuals;
use super::steps::{Types, steps};
use super::variables::{self, Field, Kind, Structure};
use super::{bounds, checks, methods, summary};
use crate::analyze::activity::Need;
use crate::ir::{Method, Module, Signature};
use crate::lower::backward::{Tree, touched};
use crate::lower::{Lowered, lower};
use crate::parse::methods::Implementation;
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
    let Implementation { module, others } = implementation;
    let methods = if module.names_axes { &module.vmapped } else { &module.methods };
    let prepared: Vec<Prepared> = methods.iter().map(|method| Prepared::of(&module, method, "")).collect();
    let mut fields: Vec<Field> = Vec::new();
    for method in &prepared {
        let new = variables::fields(&method.passes(), &method.types_of_params());
        let known: Vec<Ident> = fields.iter().map(|field| field.key.clone()).collect();
        fields.extend(new.into_iter().filter(|field| !known.contains(&field.key)));
    }
    variables::fill_arrays(&mut fields);
    let of_params = prepared.iter().flat_map(bounds::of_params);
    let of_params: Vec<TokenStream> = of_params.collect();
    let all = prepared[0].all.with(&of_params);
    let [params, state] =
        ["Params", "State"].map(|kind| format_ident!("{}{kind}", module.name, span = module.name.span()));
    let variables = Variables {
        params: variables::params(&module.name, &all, &params, &fields),
        state: variables::state(&module.name, &all, &state, &fields),
        fields: &fields,
    };
    let callables: Vec<Callable> =
        prepared.iter().map(|method| Callable::of(&module, method, &of_params, &variables)).collect();
    let call = &callables[0];
    let mut items: Vec<TokenStream> = callables.iter().map(Callable::types).collect();
    let spoken = callables.iter().map(|callable| &callable.spoken);
    items.extend(module.methods.iter().zip(&prepared).zip(spoken).map(|((method, prepared), spoken)| {
        checks::checks(&method.body, &method.signature, &prepared.names.shapes, spoken)
    }));
    if !module.names_axes {
        items.extend(module.vmapped.first().map(|method| {
            let prepared = Prepared::of(&module, method, "Vmapped");
            let callable = Callable::of(&module, &prepared, &of_params, &variables);
            let (types, init) = (callable.types(), methods::init_of_call(call));
            let (module_impl, trainable_impl) = (callable.module_impl(&init), callable.trainable_impl());
            quote!(#types #module_impl #trainable_impl)
        }));
    }
    items.extend([
        variables.params.item(),
        variables.state.item(),
        variables.state.stateless_item(),
        lift(&variables.params),
        lift(&variables.state),
        call.methods(&module, &callables, &others),
        call.module_impl(&call.init(&callables)),
        call.trainable_impl(),
    ]);
    for other in &callables[1..] {
        items.extend([
            methods::view(&module, other),
            other.module_impl(&methods::init(call)),
            other.trainable_impl(),
        ]);
    }
    items.push(methods::bound(&module, &callables));
    items.into_iter().collect()
}

/// The names of the generated items of a method.
pub struct Names {
    steps: Ident,
    pub shapes: Ident,
    residuals: Ident,
    effects: Ident,
}

impl Names {
    fn of(module: &Ident, method: &Ident, kind: &str) -> Self {
        let method = if method == "call" { String::new() } else { names::camel(method) };
        Names {
            steps: format_ident!("__{module}{method}{kind}Steps"),
            shapes: format_ident!("__{module}{method}Shapes"),
            residuals: format_ident!("__{module}{method}{kind}Residuals"),
            effects: format_ident!("__{module}{method}{kind}Effects"),
        }
    }
}

/// A method and its passes.
pub struct Prepared<'a> {
    pub method: &'a Method,
    pub names: Names,
    pub all: AllGenerics,
    pub lowered: Lowered,
}

impl<'a> Prepared<'a> {
    /// A method; `kind` is part of the names of what is generated for it.
    fn of(module: &Module, method: &'a Method, kind: &str) -> Self {
        let signature = &method.signature;
        let lowered = lower(method.body.clone(), &input_needs(signature), signature.outputs.len());
        let names = Names::of(&module.name, &method.name, kind);
        Prepared { method, names, all: AllGenerics::of(signature), lowered }
    }

    pub fn passes(&self) -> Passes<'_> {
        let types = Types::new(&self.lowered.body, &self.names.steps, self.all.types());
        Passes { lowered: &self.lowered, types, in_place: false, nest: Vec::new() }
    }

    /// The types of the values as parameters see them: with any batch.
    pub fn types_of_params(&self) -> Types<'_> {
        Types::new(&self.lowered.body, &self.names.steps, self.all.types_without_batch())
    }
}

/// The variables that all methods of a module share.
pub struct Variables<'a> {
    pub params: Structure<'a>,
    pub state: Structure<'a>,
    pub fields: &'a [Field],
}

/// Something that can be called: the module itself, or one of its methods.
pub struct Callable<'a> {
    pub prepared: &'a Prepared<'a>,
    pub passes: Passes<'a>,
    pub variables: &'a Variables<'a>,
    /// The type that is called, and the lifetime that it has.
    pub ty: TokenStream,
    pub lifetime: Option<TokenStream>,
    /// The bounds of what names the variables.
    of_params: &'a [TokenStream],
    bounds: Bounds,
    /// Its name in texts: `Cnn`, `AutoEncoder::encode`.
    spoken: String,
}

impl<'a> Callable<'a> {
    fn of(
        module: &Module,
        prepared: &'a Prepared<'a>,
        of_params: &'a [TokenStream],
        variables: &'a Variables<'a>,
    ) -> Self {
        let passes = prepared.passes();
        let is_call = prepared.method.name == "call";
        let (self_ty, view) = (&module.self_ty, methods::view_name(&module.name, &prepared.method.name));
        let contract = |key: &Ident| {
            let field = variables.fields.iter().find(|field| field.key == *key);
            field.and_then(|field| match &field.kind {
                Kind::Submodule { callee, input, .. } => Some((callee.clone(), input.clone())),
                _ => None,
            })
        };
        let bounds = bounds::bounds(prepared, of_params, contract);
        let spoken = match is_call {
            true => module.name.to_string(),
            false => format!("{}::{}", module.name, prepared.method.name),
        };
        Callable {
            spoken,
            ty: if is_call { quote!(#self_ty) } else { quote!(#view<&'module #self_ty>) },
            lifetime: (!is_call).then(|| quote!('module,)),
            prepared,
            passes,
            variables,
            of_params,
            bounds,
        }
    }

    pub fn signature(&self) -> &Signature {
        &self.prepared.method.signature
    }

    pub fn input_type(&self) -> TokenStream {
        tuple(&self.signature().inputs.iter().map(|(_, ty)| ty.to_type()).collect::<Vec<_>>())
    }

    /// The inputs as parameters see them.
    pub fn input_type_of_params(&self) -> TokenStream {
        self.prepared.types_of_params().all(&self.prepared.lowered.body.inputs)
    }

    pub fn output_type(&self) -> TokenStream {
        tuple(&self.signature().outputs.iter().map(|tensor| tensor.to_type()).collect::<Vec<_>>())
    }

    /// The types of its values, and what it does besides computing them.
    fn types(&self) -> TokenStream {
        let (names, body) = (&self.prepared.names, &self.prepared.lowered.body);
        let items = [
            steps(body, self.signature(), &names.steps, &names.shapes),
            effects(&self.passes, &self.bounds.call, &names.effects),
        ];
        items.into_iter().collect()
    }

    /// `init`, `bind`, `shape`, the other methods, and `apply`, with the passes in their documentation.
    fn methods(&self, module: &Module, callables: &[Callable], others: &TokenStream) -> TokenStream {
        let (generics, _, where_clause) = self.signature().outer.split_for_impl();
        let (self_ty, inner_of_params) = (&module.self_ty, self.prepared.all.declared_inner_of_params());
        let predicates = self.inner_predicates();
        let (params, state) = (self.variables.params.ty(), self.variables.state.ty());
        let (input, shape) = (self.input_type_of_params(), checks::shape(&module.name, self.signature()));
        let of_params = self.of_params;
        let accessors = callables[1..].iter().map(|other| methods::accessor(module, other));
        let (bind, applies, passes) =
            (methods::bind(module, self), self.applies(), summary::passes(&self.prepared.lowered));
        quote! {
            #[doc = #passes]
            #[allow(private_bounds)]
            impl #generics #self_ty #where_clause {
                /// Draws the variables, each with the key that Flax derives from its path. A bare key is that for `params`; other
                /// streams, `rngs! { params: key, dropout: other }`, are not drawn from here.
                pub fn init<#inner_of_params>(
                    &self,
                    rngs: impl ::flaxen::rng::Provides<::flaxen::rng::params>,
                ) -> ::flaxen::module::Variables<#params, #state>
                where
                    #(#of_params,)*
                    #(#predicates,)*
                {
                    let scope = ::flaxen::rng::Rngs::scope(rngs);
                    let (params, state) = <Self as ::flaxen::module::Module<#input>>::init(self, &scope);
                    ::flaxen::module::Variables { params, state }
                }

                #applies
                #bind
                #(#accessors)*
                #shape
                #others
            }
        }
    }

    fn inner_predicates(&self) -> Vec<TokenStream> {
        let predicates = self.signature().inner.where_clause.iter().flat_map(|clause| &clause.predicates);
        predicates.map(|predicate| quote!(#predicate)).collect()
    }

    /// The method `apply` of what is called.
    pub fn applies(&self) -> TokenStream {
        let call = self.pure_call(&quote!(Self));
        let attributes = match self.lifetime {
            None => self.prepared.method.attributes.clone(),
            Some(_) => TokenStream::new(),
        };
        let (params, state) = (self.variables.params.ty(), self.variables.state.ty());
        let mutable = self.apply_mut(&call);
        let PureCall { generics, inputs, output, bounds, given, .. } = call;
        quote! {
            /// Computes the output from the variables and the inputs.
            #attributes
            pub fn apply<'__v, #generics>(
                &self,
                variables: impl ::flaxen::module::Collections<'__v, #params, #state>,
                #inputs
            ) -> #output
            where
                #bounds
            {
                ::flaxen::__private::apply(self, variables, #given)
            }

            #mutable
        }
    }

    /// The parts of a method that calls `of` and updates nothing.
    pub fn pure_call(&self, of: &TokenStream) -> PureCall {
        let (input, output) = (self.input_type(), self.output_type());
        let (params, state) = (self.variables.params.ty(), self.variables.state.ty());
        let names: Vec<_> = self.signature().inputs.iter().map(|(name, _)| quote!(#name)).collect();
        let types: Vec<_> = self.signature().inputs.iter().map(|(_, ty)| ty.to_type()).collect();
        let (predicates, of_params) = (self.inner_predicates(), self.of_params);
        let inner = self.prepared.all.declared_inner();
        let contract = quote!(<#of as ::flaxen::module::Module<#input>>);
        let (generics, updates, draws, known) = match self.bounds.is_opaque {
            false => (inner, quote!(#contract::Updates), quote!(#contract::Draws), TokenStream::new()),
            true => (
                quote!(#inner __Updates, __Draws,),
                quote!(__Updates),
                quote!(__Draws),
                quote! {
                    #of: ::flaxen::module::Module<
                        #input, Out = #output, Params = #params, State = #state, Updates = __Updates, Draws = __Draws,
                    >,
                    #(#of_params,)*
                },
            ),
        };
        let others = quote!(#known #(#predicates,)*);
        PureCall {
            generics,
            inputs: quote!(#(#names: #types,)*),
            output,
            bounds: quote! {
                for<'call> #updates: ::flaxen::module::effect::NoUpdates<&'call ()>,
                for<'call> #draws: ::flaxen::module::effect::NoDraws<&'call ()>,
                #others
            },
            others,
            draws,
            given: tuple(&names),
        }
    }

    /// What draws the variables of all methods, those of `call` first.
    fn init(&self, callables: &[Callable]) -> TokenStream {
        let mut drawn: Vec<Ident> = Vec::new();
        let mut statements = TokenStream::new();
        let fields = self.variables.fields;
        for callable in callables {
            let own = variables::fields(&callable.passes, &callable.prepared.types_of_params());
            let is_own =
                |field: &&Field| own.iter().any(|own| own.key == field.key) && !drawn.contains(&field.key);
            let own: Vec<&Field> = fields.iter().filter(is_own).collect();
            statements.extend(callable.passes.setup());
            statements.extend(variables::draws(own.iter().copied()));
            drawn.extend(own.iter().map(|field| field.key.clone()));
        }
        statements.extend(variables::draws(fields.iter().filter(|field| !drawn.contains(&field.key))));
        let (params, state) =
            (self.variables.params.drawn(names::drawn), self.variables.state.drawn(names::drawn_state));
        quote!(#statements (#params, #state))
    }

    fn module_impl(&self, init: &TokenStream) -> TokenStream {
        let (declared, where_clause) =
            (self.bounds.call_impl.declared(), self.bounds.call_impl.where_clause());
        let (lifetime, ty) = (&self.lifetime, &self.ty);
        let (input, output) = (self.input_type(), self.output_type());
        let (params, state) = (self.variables.params.ty(), self.variables.state.ty());
        let (effects, arguments) = (&self.prepared.names.effects, self.prepared.all.arguments());
        let (pattern, setup, infer, out) =
            (self.passes.inputs(), self.passes.setup(), self.passes.infer(), self.passes.outputs());
        let (example_bytes, by_blocks) = blocks(self);
        quote! {
            #[doc(hidden)]
            #[allow(unused_variables, unused_assignments, clippy::all)]
            impl<#lifetime #declared> ::flaxen::module::Module<#input> for #ty #where_clause {
                type Out = #output;
                type Params = #params;
                type State = #state;
                type Updates = #effects<#arguments>;
                type Draws = #effects<#arguments>;
                #example_bytes

                fn init(&self, scope: &::flaxen::rng::Scope) -> (Self::Params, Self::State) {
                    #init
                }

                fn infer(
                    &self,
                    params: &Self::Params,
                    state: &mut Self::State,
                    scope: &::flaxen::rng::Scope,
                    input: #input,
                ) -> Self::Out {
                    #by_blocks
                    #pattern
                    #setup
                    #infer
                    #out
                }
            }
        }
    }

    fn trainable_impl(&self) -> TokenStream {
        let (declared, where_clause) =
            (self.bounds.training_impl.declared(), self.bounds.training_impl.where_clause());
        let (lifetime, implementor) = (&self.lifetime, &self.ty);
        let input = self.input_type();
        let needs: Vec<_> = (0..self.signature().inputs.len()).map(names::need_of_input).collect();
        let need = tuple(&needs.iter().map(|need| quote!(#need)).collect::<Vec<_>>());
        let kept = residuals(&self.passes, &self.prepared.names.residuals, &self.bounds.training, &needs);
        let (item, ty, value) = (kept.item, kept.ty, kept.value);
        let (pattern, setup, forward, out) =
            (self.passes.inputs(), self.passes.setup(), self.passes.forward(), self.passes.outputs());
        let cotangents: Vec<_> = (0..self.signature().outputs.len()).map(names::term).collect();
        let cotangents: Vec<_> = cotangents.iter().map(|name| quote!(#name)).collect();
        let cotangent = tuple(&cotangents);
        let (zeros, backward) = (self.passes.zeros(), self.passes.backward(&cotangents));
        let (gradients, of_inputs) = (self.gradients(), self.passes.cotangents_of_inputs());
        quote! {
            #item

            #[doc(hidden)]
            #[allow(unused_variables, unused_assignments, unused_mut, clippy::all)]
            impl<#lifetime #declared #(#needs: ::flaxen::op::Need,)*> ::flaxen::module::Trainable<#input, #need>
                for #implementor
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
        let lowered = &self.prepared.lowered;
        let reached = touched(std::slice::from_ref(lowered));
        let pulled = |key: &Ident| {
            reached.iter().any(|tree| match tree {
                Tree::Submodule(index) => names::key(&lowered.body.submodules[*index]) == *key,
                Tree::Param(index) => lowered.body.params[*index].field == *key,
                Tree::Var(_) => false,
            })
        };
        self.variables.params.construct(|part| {
            let (place, gradient) = (part.field.place(), names::gradient(&part.field.key));
            match pulled(&part.field.key) {
                true => quote!(#gradient),
                false => quote!(::flaxen::tree::Tree::zeros_like(&params.#place)),
            }
        })
    }
}

/// The parts of a method that makes a call which updates nothing.
pub struct PureCall {
    pub generics: TokenStream,
    pub inputs: TokenStream,
    pub output: TokenStream,
    /// Its bounds, and those that have nothing to do with what it updates.
    pub bounds: TokenStream,
    pub others: TokenStream,
    /// The type of what it draws from.
    pub draws: TokenStream,
    /// The inputs as one.
    pub given: TokenStream,
}
