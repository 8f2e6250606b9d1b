//! The variables of a module: a struct of its parameters and one of its state, each with a field a submodule or variable,
//! in the order of their creation.
//!
//! ```text
//! pub struct CnnParams {
//!     /// `Conv_0`
//!     pub conv_0: <Conv<Dim2<3, 2>, …> as Module<<Steps<(Dyn,)> as __CnnSteps>::V0>>::Params,
//! }
//! impl Tree for CnnParams { … }
//! impl Debug for CnnParams { … }
//! pub struct CnnState { pub conv_0: <Conv<Dim2<3, 2>, …> as Module<…>>::State }
//! …
//! ```

use super::generics::AllGenerics;
use super::names;
use super::steps::Types;
use crate::ir::{Call, Module};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// A submodule or a variable of a module.
pub struct Field<'a> {
    /// Flax's name.
    pub name: &'a str,
    /// The field of the structs.
    pub field: &'a Ident,
    pub kind: Kind,
    /// The expression that draws it.
    pub init: TokenStream,
}

/// What a field holds.
pub enum Kind {
    /// The variables of a submodule: `<Conv<…> as Module<V0>>`.
    Submodule(TokenStream),
    /// A parameter of this type.
    Param(TokenStream),
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
                let contract = quote!(<#callee as ::flaxen::module::Module<#input>>);
                let init = quote!(#contract::init(#part, &scope.child(#name)));
                Field { name, field: &submodule.field, kind: Kind::Submodule(contract), init }
            }
            Call::Param(of) => {
                let param = &body.params[*of];
                let (ty, initializer) = (param.tensor.to_type(), made(index));
                let init = quote! {
                    ::flaxen::init::Initializer::init(#initializer, scope.param(), ::core::default::Default::default())
                };
                Field { name: &param.name, field: &param.field, kind: Kind::Param(ty), init }
            }
            _ => continue,
        };
        if fields.iter().all(|other| other.field != field.field) {
            fields.push(field);
        }
    }
    fields
}

/// The statements that draw all fields, each into a local of its own.
pub fn draws(fields: &[Field]) -> TokenStream {
    let draws = fields.iter().map(|field| {
        let (param, state, init) = (names::drawn(field.field), names::drawn_state(field.field), &field.init);
        match field.kind {
            Kind::Submodule(_) => quote!(let (#param, #state) = #init;),
            Kind::Param(_) => quote!(let #param = #init;),
        }
    });
    draws.collect()
}

/// One of the two structs.
pub struct Structure<'a> {
    pub(super) all: &'a AllGenerics,
    name: &'a Ident,
    doc: String,
    parts: Vec<Part<'a>>,
}

/// A field of a struct.
struct Part<'a> {
    name: &'a str,
    field: &'a Ident,
    ty: TokenStream,
    /// Whether it is a tensor rather than the variables of a submodule.
    leaf: bool,
}

/// The struct of the parameters.
pub fn params<'a>(
    module: &Module,
    all: &'a AllGenerics,
    name: &'a Ident,
    fields: &[Field<'a>],
) -> Structure<'a> {
    let parts = fields.iter().map(|field| {
        let (ty, leaf) = match &field.kind {
            Kind::Submodule(contract) => (quote!(#contract::Params), false),
            Kind::Param(ty) => (ty.clone(), true),
        };
        Part { name: field.name, field: field.field, ty, leaf }
    });
    Structure { all, name, doc: format!("The parameters of [`{}`].", module.name), parts: parts.collect() }
}

/// The struct of the state.
pub fn state<'a>(
    module: &Module,
    all: &'a AllGenerics,
    name: &'a Ident,
    fields: &[Field<'a>],
) -> Structure<'a> {
    let parts = fields.iter().filter_map(|field| match &field.kind {
        Kind::Submodule(contract) => {
            Some(Part { name: field.name, field: field.field, ty: quote!(#contract::State), leaf: false })
        }
        Kind::Param(_) => None,
    });
    let doc = format!("The variables of [`{}`] besides its parameters.", module.name);
    Structure { all, name, doc, parts: parts.collect() }
}

impl Structure<'_> {
    /// The struct and what it implements.
    pub fn item(&self) -> TokenStream {
        let (declared, arguments) = (self.all.declared_of_params(), self.all.arguments_of_params());
        let (name, doc, where_clause) = (self.name, &self.doc, self.all.where_clause());
        let (idents, types, names) = (self.idents(), self.types(), self.names());
        let docs = names.iter().map(|name| format!("`{name}`"));
        let marker = self.marker().map(
            |ty| quote!(#[doc(hidden)] #[serde(skip)] pub __generics: ::core::marker::PhantomData<#ty>,),
        );
        let entries = self.parts.iter().map(|part| {
            let (name, ident) = (part.name, part.field);
            let value = match part.leaf {
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

    /// The state of a module none of whose parts has one.
    pub fn stateless_item(&self) -> TokenStream {
        let (declared, predicates) = (self.all.declared_of_params(), self.all.predicates());
        let (ty, types) = (self.ty(), self.types());
        let value = self.construct(
            self.idents()
                .into_iter()
                .map(|ident| (ident.clone(), quote!(::flaxen::module::Stateless::<Call>::stateless()))),
        );
        quote! {
            impl<#declared Call> ::flaxen::module::Stateless<Call> for #ty
            where
                #(#types: ::flaxen::module::Stateless<Call>,)*
                #(#predicates,)*
            {
                fn stateless() -> Self {
                    #value
                }
            }
        }
    }

    /// The expression that makes the struct from one expression a field.
    pub fn construct(&self, parts: impl Iterator<Item = (Ident, TokenStream)>) -> TokenStream {
        let parts = parts.map(|(field, value)| quote!(#field: #value));
        let (name, marker) = (self.name, self.marker());
        let marker = marker.map(|_| quote!(__generics: ::core::marker::PhantomData,));
        quote!(#name { #(#parts,)* #marker })
    }

    /// The struct, made of what [`draws`] drew.
    pub fn drawn(&self, local: fn(&Ident) -> Ident) -> TokenStream {
        self.construct(self.parts.iter().map(|part| {
            let local = local(part.field);
            (part.field.clone(), quote!(#local))
        }))
    }

    /// The struct's type.
    pub fn ty(&self) -> TokenStream {
        let (name, arguments) = (self.name, self.all.arguments_of_params());
        quote!(#name<#arguments>)
    }

    /// The marker that uses generics which no field may use.
    fn marker(&self) -> Option<TokenStream> {
        let arguments = self.all.arguments_of_params();
        (!self.all.params_are_concrete()).then(|| quote!((#arguments)))
    }

    pub(super) fn idents(&self) -> Vec<&Ident> {
        self.parts.iter().map(|part| part.field).collect()
    }

    fn names(&self) -> Vec<&str> {
        self.parts.iter().map(|part| part.name).collect()
    }

    pub(super) fn types(&self) -> Vec<&TokenStream> {
        self.parts.iter().map(|part| &part.ty).collect()
    }
}
