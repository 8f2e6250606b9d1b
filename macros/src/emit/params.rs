//! The parameters of a module: a struct with a field a submodule or parameter, in the order of their creation.
//!
//! ```text
//! pub struct CnnParams {
//!     /// `Conv_0`
//!     pub conv_0: <Conv<Dim2<3, 2>, …> as Module<<Steps<(Dyn,)> as __CnnSteps>::V0>>::Params,
//! }
//! impl Tree for CnnParams { … }
//! impl Debug for CnnParams { … }
//! ```

use super::generics::AllGenerics;
use super::steps::Types;
use crate::ir::{Call, Module};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// One field of the parameters.
pub struct Field<'a> {
    /// Flax's name.
    pub name: &'a str,
    /// The field.
    pub field: &'a Ident,
    /// The type.
    pub ty: TokenStream,
    /// Whether it is a tensor rather than the parameters of a submodule.
    pub leaf: bool,
    /// The statement that draws it.
    pub init: TokenStream,
}

/// The fields, in the order in which Flax creates them: that of the first calls.
pub fn fields<'a>(module: &'a Module, types: &Types, made: impl Fn(usize) -> TokenStream) -> Vec<Field<'a>> {
    let body = &module.body;
    let mut fields: Vec<Field> = Vec::new();
    for (index, eqn) in body.eqns.iter().enumerate() {
        let field = match &eqn.call {
            Call::Submodule(of) => {
                let submodule = &body.submodules[*of];
                let (callee, input, part, name) =
                    (&submodule.ty, types.input(eqn), made(index), &submodule.name);
                let trait_ = quote!(<#callee as ::flaxen::module::Module<#input>>);
                let init = quote!(#trait_::init(#part, &mut scope.child(#name)));
                Field { name, field: &submodule.field, ty: quote!(#trait_::Params), leaf: false, init }
            }
            Call::Param(of) => {
                let param = &body.params[*of];
                let (ty, initializer) = (param.tensor.to_type(), made(index));
                let init = quote! {
                    ::flaxen::init::Initializer::init(#initializer, scope.param(), ::core::default::Default::default())
                };
                Field { name: &param.name, field: &param.field, ty, leaf: true, init }
            }
            _ => continue,
        };
        if fields.iter().all(|other| other.field != field.field) {
            fields.push(field);
        }
    }
    fields
}

/// The struct and what it implements.
pub fn params(module: &Module, name: &Ident, fields: &[Field]) -> TokenStream {
    let all = AllGenerics::of(&module.signature);
    let (declared, arguments) = (all.declared_of_params(), all.arguments_of_params());
    let where_clause = all.where_clause();
    let idents: Vec<_> = fields.iter().map(|field| field.field).collect();
    let types = fields.iter().map(|field| &field.ty);
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    let docs = names.iter().map(|name| format!("`{name}`"));
    let doc = format!("The parameters of [`{}`].", module.name);
    let marker = marker(&all)
        .map(|ty| quote!(#[doc(hidden)] #[serde(skip)] pub __generics: ::core::marker::PhantomData<#ty>,));
    let entries = fields.iter().map(|field| {
        let (name, ident) = (field.name, field.field);
        let value = match field.leaf {
            true => quote!(&::flaxen::__private::LeafShape(&self.#ident)),
            false => quote!(&self.#ident),
        };
        quote!(.entry(&::core::format_args!("{}", #name), #value))
    });
    quote! {
        #[doc = #doc]
        #[allow(private_interfaces, private_bounds)]
        #[derive(Clone, PartialEq, ::flaxen::__private::serde::Serialize, ::flaxen::__private::serde::Deserialize)]
        #[serde(crate = "::flaxen::__private::serde", bound = "")]
        pub struct #name<#declared> #where_clause {
            #(#[doc = #docs] #[serde(rename = #names)] pub #idents: #types,)*
            #marker
        }

        impl<#declared> ::flaxen::tree::Tree for #name<#arguments> #where_clause {
            #[allow(unused_variables)]
            fn visit(&self, path: &::flaxen::tree::Path, visitor: &mut impl ::flaxen::tree::Visit) {
                #(::flaxen::tree::Tree::visit(&self.#idents, &path.child(#names), visitor);)*
            }

            #[allow(unused_variables, unused_mut)]
            fn zip<const N: usize>(
                &mut self,
                mut others: [&mut Self; N],
                path: &::flaxen::tree::Path,
                zip: &mut impl ::flaxen::tree::Zip<N>,
            ) {
                #({
                    let parts = others.each_mut().map(|tree| &mut tree.#idents);
                    ::flaxen::tree::Tree::zip(&mut self.#idents, parts, &path.child(#names), zip);
                })*
            }
        }

        impl<#declared> ::core::fmt::Debug for #name<#arguments> #where_clause {
            fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                formatter.debug_map()#(#entries)*.finish()
            }
        }
    }
}

/// The marker that uses generics which no field may use.
fn marker(all: &AllGenerics) -> Option<TokenStream> {
    let arguments = all.arguments_of_params();
    (!all.params_are_concrete()).then(|| quote!((#arguments)))
}

/// The expression that makes the parameters from one expression a field.
pub fn construct(
    all: &AllGenerics,
    name: &Ident,
    parts: impl Iterator<Item = (Ident, TokenStream)>,
) -> TokenStream {
    let parts = parts.map(|(field, value)| quote!(#field: #value));
    let marker = marker(all).map(|_| quote!(__generics: ::core::marker::PhantomData,));
    quote!(#name { #(#parts,)* #marker })
}
