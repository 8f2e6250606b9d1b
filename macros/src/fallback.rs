//! What is emitted after a mistake: the user's item with stubs, so that one mistake does not cause ten.

use crate::messages;
use crate::parse::methods::{is_lowered, struct_name};
use crate::parse::signature::tensor_type;
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{FnArg, Generics, ImplItem, ItemFn, ItemImpl, ReturnType, Type};

/// An `impl` whose `call` could not be lowered: `init` and `apply` exist; so do the other methods.
pub fn implementation(item: &ItemImpl) -> TokenStream {
    let Some(name) = struct_name(&item.self_ty) else {
        return TokenStream::new();
    };
    let (generics, _, where_clause) = item.generics.split_for_impl();
    let self_ty = &item.self_ty;
    let call = item.items.iter().find_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == "call" => Some(function),
        _ => None,
    });
    let inputs = call
        .into_iter()
        .flat_map(|call| call.sig.inputs.iter().filter_map(|input| self::input(input, &call.sig.generics)));
    let inputs: Vec<_> = inputs
        .enumerate()
        .map(|(index, ty)| (format_ident!("input_{index}"), ty))
        .map(|(name, ty)| quote!(#name: #ty))
        .collect();
    let output = call.map(|call| &call.sig.output);
    let inner = call.map(|call| &call.sig.generics.params);
    let (params, state) = (format_ident!("{name}Params"), format_ident!("{name}State"));
    let result = match output {
        Some(ReturnType::Type(_, ty)) => quote!(#ty),
        _ => quote!(()),
    };
    let others = item.items.iter().filter_map(|part| match part {
        ImplItem::Fn(function) if function.sig.ident == "call" => None,
        ImplItem::Fn(function) if is_lowered(function, item) => {
            let name = &function.sig.ident;
            Some(quote!(pub fn #name(&self) -> &Self { self }))
        }
        other => Some(quote!(#other)),
    });
    quote! {
        /// Stands for the parameters of a module that does not compile yet.
        pub struct #params;

        /// Stands for the state of a module that does not compile yet.
        pub struct #state;

        #[allow(dead_code, unused_variables, missing_docs)]
        impl #generics #self_ty #where_clause {
            pub fn init(&self, rngs: impl ::core::any::Any) -> ::flaxen::module::Variables<#params, #state> {
                ::core::unreachable!()
            }
            pub fn apply<#inner>(&self, variables: impl ::core::marker::Sized, #(#inputs),*) #output {
                ::core::unreachable!()
            }
            pub fn apply_mut<#inner>(
                &self,
                variables: impl ::core::marker::Sized,
                #(#inputs,)*
                rngs: impl ::core::any::Any,
            ) -> (#result, #state) {
                ::core::unreachable!()
            }
            pub const fn shape<const N: usize>(inputs: [::flaxen::shape::Sizes; N]) -> ::flaxen::shape::Rule {
                ::flaxen::shape::Rule::Poisoned
            }
            #(#others)*
        }
    }
}

/// The type of an input. A tensor or a generic decides what the generics are; another type may be the mistake.
fn input(input: &FnArg, generics: &Generics) -> Option<TokenStream> {
    let FnArg::Typed(typed) = input else { return None };
    let is_generic = match &*typed.ty {
        Type::Path(path) => generics.type_params().any(|param| path.path.is_ident(&param.ident)),
        _ => false,
    };
    Some(match is_generic || tensor_type(&typed.ty, messages::INPUT_TYPE).is_ok() {
        true => typed.ty.to_token_stream(),
        false => quote!(impl ::core::any::Any),
    })
}

/// A function that could not be lowered: its signature stays.
pub fn function(item: &ItemFn) -> TokenStream {
    let (attributes, visibility, head) = (&item.attrs, &item.vis, &item.sig);
    quote! {
        #(#attributes)*
        #[allow(unused_variables)]
        #visibility #head {
            ::core::unreachable!()
        }
    }
}
