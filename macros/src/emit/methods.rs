//! The methods of a module besides `call`: each is a module by itself, with the same variables.
//!
//! ```text
//! impl AutoEncoder { pub fn encode(&self) -> AutoEncoderEncode<&Self>; pub fn bind<V>(…) -> AutoEncoderBound<'_, V>; }
//! pub struct AutoEncoderEncode<Module>(Module);
//! impl Deref for AutoEncoderEncode<&AutoEncoder> { type Target = AutoEncoder; … }
//! impl AutoEncoderEncode<&AutoEncoder> { pub fn apply(…) -> …; }
//! pub struct AutoEncoderBound<'module, V> { module: &'module AutoEncoder, variables: &'module V }
//! impl<V> AutoEncoderBound<'_, V> { pub fn call(…) -> …; pub fn encode(…) -> …; }
//! ```

use super::module::{Callable, PureCall};
use super::names;
use crate::ir::Module;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The type that a method is: `AutoEncoderEncode`.
pub fn view_name(module: &Ident, method: &Ident) -> Ident {
    format_ident!("{module}{}", names::camel(method), span = module.span())
}

/// The method that gives it.
pub fn accessor(module: &Module, of: &Callable) -> TokenStream {
    let (name, attributes) = (&of.prepared.method.name, &of.prepared.method.attributes);
    let view = view_name(&module.name, name);
    let doc = format!(
        "The method `{name}`, which is applied as a module is: `model.{name}().apply(&variables, …)`."
    );
    quote! {
        #attributes
        ///
        #[doc = #doc]
        pub fn #name(&self) -> #view<&Self> {
            #view(self)
        }
    }
}

/// The type.
pub fn view(module: &Module, of: &Callable) -> TokenStream {
    let (self_ty, method) = (&module.self_ty, &of.prepared.method.name);
    let outer = &of.prepared.method.signature.outer;
    let (params, where_clause) = (&outer.params, &outer.where_clause);
    let (name, ty, applies) = (view_name(&module.name, method), &of.ty, of.applies());
    let doc = format!("The method `{method}` of [`{}`], as a module with the same variables.", module.name);
    let passes = super::summary::passes(&of.prepared.lowered);
    quote! {
        #[doc = #doc]
        pub struct #name<Module>(Module);

        #[doc(hidden)]
        impl<'module, #params> ::core::ops::Deref for #ty #where_clause {
            type Target = #self_ty;

            fn deref(&self) -> &#self_ty {
                self.0
            }
        }

        #[doc = #passes]
        #[allow(private_bounds)]
        impl<'module, #params> #ty #where_clause {
            #applies
        }
    }
}

/// What draws the variables of a method: those of the module.
pub fn init(call: &Callable) -> TokenStream {
    let (ty, input) = (&call.ty, call.input_type_of_params());
    quote!(<#ty as ::flaxen::module::Module<#input>>::init(self.0, scope))
}

/// What draws the variables of a module in a `vmap!`: those of the module.
pub fn init_of_call(call: &Callable) -> TokenStream {
    let input = call.input_type_of_params();
    quote!(<Self as ::flaxen::module::Module<#input>>::init(self, scope))
}

fn bound_name(module: &Module) -> Ident {
    format_ident!("{}Bound", module.name, span = module.name.span())
}

/// The method that puts a module and its variables together.
pub fn bind(module: &Module, call: &Callable) -> TokenStream {
    let (name, outer) = (bound_name(module), call.prepared.all.arguments_of_outer());
    quote! {
        /// The module with its variables, so that its methods can be called without them.
        pub fn bind<'module, Variables>(
            &'module self,
            variables: &'module Variables,
        ) -> #name<'module, #outer Variables> {
            #name { module: self, variables }
        }
    }
}

/// The type of a module with its variables.
pub fn bound(module: &Module, callables: &[Callable]) -> TokenStream {
    let (self_ty, name) = (&module.self_ty, bound_name(module));
    let call = &callables[0];
    let outer = &call.prepared.method.signature.outer;
    let (params, where_clause) = (&outer.params, &outer.where_clause);
    let trailing = (!params.is_empty() && !params.trailing_punct()).then(|| quote!(,));
    let arguments = call.prepared.all.arguments_of_outer();
    let doc = format!("A [`{}`] with its variables: what `bind` gives.", module.name);
    let methods = callables.iter().map(bound_method);
    quote! {
        #[doc = #doc]
        pub struct #name<'module, #params #trailing Variables> #where_clause {
            module: &'module #self_ty,
            variables: &'module Variables,
        }

        #[allow(private_bounds)]
        impl<'module, #params #trailing Variables> #name<'module, #arguments Variables> #where_clause {
            /// The module and its variables again.
            pub fn unbind(self) -> (&'module #self_ty, &'module Variables) {
                (self.module, self.variables)
            }

            #(#methods)*
        }
    }
}

fn bound_method(of: &Callable) -> TokenStream {
    let (name, attributes) = (&of.prepared.method.name, &of.prepared.method.attributes);
    let (params, state) = (of.variables.params.ty(), of.variables.state.ty());
    let PureCall { generics, inputs, output, bounds, given, .. } = of.pure_call(&of.ty);
    let called = match of.lifetime {
        None => quote!(self.module),
        Some(_) => quote!(&self.module.#name()),
    };
    quote! {
        /// Computes the output from the inputs.
        #attributes
        pub fn #name<#generics>(&self, #inputs) -> #output
        where
            for<'__v> &'__v Variables: ::flaxen::module::Collections<'__v, #params, #state>,
            #bounds
        {
            ::flaxen::__private::apply(#called, self.variables, #given)
        }
    }
}
