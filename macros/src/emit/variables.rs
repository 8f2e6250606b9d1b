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
use super::layout;
use super::passes::Passes;
use super::place::Declared;
use crate::ir::control::Number;
use crate::ir::{Call, Module};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// A submodule or a variable of a module.
pub struct Field<'a> {
    pub declared: Declared<'a>,
    pub number: Number,
    pub kind: Kind,
    /// The statement that draws it into a local of its own.
    pub draw: TokenStream,
}

/// What a field holds.
pub enum Kind {
    /// The variables of a submodule: `<Conv<…> as Module<V0>>`.
    Submodule(TokenStream),
    /// A parameter of this type.
    Param(TokenStream),
}

/// The fields, in the order in which Flax creates them: that of the first calls, and where there are arms or passes that of
/// the declarations. `passes` has the types that the parameters know.
pub fn fields<'a>(module: &'a Module, passes: &Passes) -> Vec<Field<'a>> {
    let body = &module.body;
    let mut fields: Vec<(usize, Field)> = Vec::new();
    for eqn in body.all_eqns() {
        let (order, field) = match &eqn.call {
            Call::Submodule(of) => {
                let submodule = &body.submodules[*of];
                let contract = passes.contract(eqn);
                let (declared, draw) = (Declared::submodule(body, *of), passes.draw_submodule(*of));
                let kind = Kind::Submodule(contract);
                (submodule.order, Field { declared, number: submodule.number, kind, draw })
            }
            Call::Param(of) => {
                let param = &body.params[*of];
                let (declared, draw) = (Declared::param(body, *of), passes.draw_param(*of));
                let kind = Kind::Param(param.tensor.to_type());
                (param.order, Field { declared, number: Number::None, kind, draw })
            }
            _ => continue,
        };
        if fields.iter().all(|(other, _)| *other != order) {
            fields.push((order, field));
        }
    }
    if body.eqns.iter().any(|eqn| !eqn.call.bodies().is_empty()) {
        fields.sort_by_key(|(order, _)| *order);
    }
    fields.into_iter().map(|(_, field)| field).collect()
}

/// The statements that draw all fields, each into a local of its own.
pub fn draws(fields: &[Field]) -> TokenStream {
    fields.iter().map(|field| field.draw.clone()).collect()
}

/// One of the two structs.
pub struct Structure<'a> {
    all: &'a AllGenerics,
    name: &'a Ident,
    doc: String,
    parts: Vec<Part<'a>>,
}

/// A field of a struct.
pub struct Part<'a> {
    pub declared: &'a Declared<'a>,
    pub number: Number,
    /// The type, with one for each pass and none where an arm is not taken.
    pub ty: TokenStream,
    /// Whether it is a tensor rather than the variables of a submodule.
    pub leaf: bool,
}

/// The struct of the parameters.
pub fn params<'a>(
    module: &Module,
    all: &'a AllGenerics,
    name: &'a Ident,
    fields: &'a [Field<'a>],
) -> Structure<'a> {
    let parts = fields.iter().map(|field| {
        let (ty, leaf) = match &field.kind {
            Kind::Submodule(contract) => (quote!(#contract::Params), false),
            Kind::Param(ty) => (ty.clone(), true),
        };
        Part {
            declared: &field.declared,
            number: field.number,
            ty: layout::wrapped(&field.declared, ty),
            leaf,
        }
    });
    Structure { all, name, doc: format!("The parameters of [`{}`].", module.name), parts: parts.collect() }
}

/// The struct of the state.
pub fn state<'a>(
    module: &Module,
    all: &'a AllGenerics,
    name: &'a Ident,
    fields: &'a [Field<'a>],
) -> Structure<'a> {
    let parts = fields.iter().filter_map(|field| match &field.kind {
        Kind::Submodule(contract) => {
            let ty = layout::wrapped(&field.declared, quote!(#contract::State));
            Some(Part { declared: &field.declared, number: field.number, ty, leaf: false })
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
        let fields = self.parts.iter().map(layout::field);
        let marker = self.marker().map(
            |ty| quote!(#[doc(hidden)] #[serde(skip)] pub __generics: ::core::marker::PhantomData<#ty>,),
        );
        let (visit, zip, debug) =
            (layout::visit(&self.parts), layout::zip(&self.parts), layout::debug(&self.parts));
        quote! {
            #[doc = #doc]
            #[allow(private_interfaces, private_bounds)]
            #[derive(Clone, PartialEq, ::flaxen::__private::serde::Serialize, ::flaxen::__private::serde::Deserialize)]
            #[serde(crate = "::flaxen::__private::serde", bound = "")]
            pub struct #name<#declared> #where_clause {
                #(#fields,)*
                #marker
            }

            impl<#declared> ::flaxen::tree::Tree for #name<#arguments> #where_clause {
                #[allow(unused_variables)]
                fn visit(&self, path: &::flaxen::tree::Path, visitor: &mut impl ::flaxen::tree::Visit) {
                    #visit
                }

                #[allow(unused_variables, unused_mut)]
                fn zip<const __TREES: usize>(
                    &mut self,
                    mut others: [&mut Self; __TREES],
                    path: &::flaxen::tree::Path,
                    zip: &mut impl ::flaxen::tree::Zip<__TREES>,
                ) {
                    #zip
                }
            }

            impl<#declared> ::core::fmt::Debug for #name<#arguments> #where_clause {
                fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #debug
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
            let local = local(part.declared.field);
            (part.declared.field.clone(), quote!(#local))
        }))
    }

    /// The struct's type.
    pub fn ty(&self) -> TokenStream {
        let (name, arguments) = (self.name, self.all.arguments_of_params());
        quote!(#name<#arguments>)
    }

    /// The marker that uses generics which no field may use.
    fn marker(&self) -> Option<TokenStream> {
        let arguments = self.all.types_of_params();
        (!self.all.params_are_concrete()).then(|| quote!((#arguments)))
    }

    fn idents(&self) -> Vec<&Ident> {
        self.parts.iter().map(|part| part.declared.field).collect()
    }

    fn types(&self) -> Vec<&TokenStream> {
        self.parts.iter().map(|part| &part.ty).collect()
    }
}
