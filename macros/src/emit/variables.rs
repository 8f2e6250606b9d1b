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
    /// A variable of this type in another collection, which is a type too.
    Variable(TokenStream, TokenStream),
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
            Call::Variable(of) => {
                let variable = &body.variables[*of];
                let (ty, initializer) = (variable.tensor.to_type(), made(index));
                let kind = Kind::Variable(ty, variable.collection.clone());
                let init = quote!(::flaxen::__private::variable(#initializer, scope));
                Field { name: &variable.name, field: &variable.field, kind, init }
            }
            _ => continue,
        };
        let same = |other: &Field| other.field == field.field && other.is_variable() == field.is_variable();
        if !fields.iter().any(same) {
            fields.push(field);
        }
    }
    fields
}

impl Field<'_> {
    /// Whether it is in the state alone.
    pub fn is_variable(&self) -> bool {
        matches!(self.kind, Kind::Variable(..))
    }
}

/// The statements that draw all fields, each into a local of its own.
pub fn draws(fields: &[Field]) -> TokenStream {
    let draws = fields.iter().map(|field| {
        let (param, state, init) = (names::drawn(field.field), names::drawn_state(field.field), &field.init);
        match field.kind {
            Kind::Submodule(_) => quote!(let (#param, #state) = #init;),
            Kind::Param(_) => quote!(let #param = #init;),
            Kind::Variable(..) => quote!(let #state = #init;),
        }
    });
    draws.collect()
}

/// One of the two structs.
pub struct Structure<'a> {
    all: &'a AllGenerics,
    name: &'a Ident,
    doc: String,
    parts: Vec<Part<'a>>,
}

/// A field of a struct.
struct Part<'a> {
    name: &'a str,
    field: &'a Ident,
    ty: TokenStream,
    place: Place,
}

/// Where a part stands in the tree.
enum Place {
    /// The variables of a submodule.
    Submodule,
    /// A parameter.
    Param,
    /// A variable of this collection.
    Variable(TokenStream),
}

/// The struct of the parameters.
pub fn params<'a>(
    module: &Module,
    all: &'a AllGenerics,
    name: &'a Ident,
    fields: &[Field<'a>],
) -> Structure<'a> {
    let parts = fields.iter().filter_map(|field| {
        let (ty, place) = match &field.kind {
            Kind::Submodule(contract) => (quote!(#contract::Params), Place::Submodule),
            Kind::Param(ty) => (ty.clone(), Place::Param),
            Kind::Variable(..) => return None,
        };
        Some(Part { name: field.name, field: field.field, ty, place })
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
    let parts = fields.iter().filter_map(|field| {
        let (ty, place) = match &field.kind {
            Kind::Submodule(contract) => (quote!(#contract::State), Place::Submodule),
            Kind::Variable(ty, collection) => (ty.clone(), Place::Variable(collection.clone())),
            Kind::Param(_) => return None,
        };
        Some(Part { name: field.name, field: field.field, ty, place })
    });
    let doc = format!("The variables of [`{}`] besides its parameters.", module.name);
    Structure { all, name, doc, parts: parts.collect() }
}

impl Part<'_> {
    /// The path of the part, as a method of its parent's.
    fn path(&self) -> TokenStream {
        let name = self.name;
        match &self.place {
            Place::Variable(collection) => quote!(variable::<#collection>(#name)),
            _ => quote!(child(#name)),
        }
    }
}

impl Structure<'_> {
    /// The struct and what it implements.
    pub fn item(&self) -> TokenStream {
        let (declared, arguments) = (self.all.declared_of_params(), self.all.arguments_of_params());
        let (name, doc, where_clause) = (self.name, &self.doc, self.all.where_clause());
        let (idents, types, names) = (self.idents(), self.types(), self.names());
        let paths: Vec<_> = self.parts.iter().map(Part::path).collect();
        let docs = names.iter().map(|name| format!("`{name}`"));
        let marker = self.marker().map(
            |ty| quote!(#[doc(hidden)] #[serde(skip)] pub __generics: ::core::marker::PhantomData<#ty>,),
        );
        let entries = self.parts.iter().map(|part| {
            let (name, ident) = (part.name, part.field);
            let value = match part.place {
                Place::Submodule => quote!(&self.#ident),
                _ => quote!(&::flaxen::__private::LeafShape(&self.#ident)),
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
                    #(::flaxen::tree::Tree::visit(&self.#idents, &path.#paths, visitor);)*
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
                        ::flaxen::tree::Tree::zip(&mut self.#idents, parts, &path.#paths, zip);
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
        let ty = self.ty();
        // A variable has a collection, and no collection is stateless: rustc says which one.
        let stateless = self.parts.iter().map(|part| match &part.place {
            Place::Variable(collection) => collection,
            _ => &part.ty,
        });
        let stateless: Vec<_> = stateless.collect();
        let value = self.construct(self.parts.iter().zip(&stateless).map(|(part, stateless)| {
            let value = quote!(<#stateless as ::flaxen::module::Stateless<Call>>::stateless());
            let value = match part.place {
                Place::Variable(_) => quote!(match #value {}),
                _ => value,
            };
            (part.field.clone(), value)
        }));
        quote! {
            #[allow(unreachable_code)]
            impl<#declared Call> ::flaxen::module::Stateless<Call> for #ty
            where
                #(#stateless: ::flaxen::module::Stateless<Call>,)*
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

    fn idents(&self) -> Vec<&Ident> {
        self.parts.iter().map(|part| part.field).collect()
    }

    fn names(&self) -> Vec<&str> {
        self.parts.iter().map(|part| part.name).collect()
    }

    fn types(&self) -> Vec<&TokenStream> {
        self.parts.iter().map(|part| &part.ty).collect()
    }
}
