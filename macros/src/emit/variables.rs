//! The variables of a module: a struct of its parameters and one of its state, each with a field a submodule or variable,
//! in the order of their creation.
//!
//! ```text
//! pub struct CnnParams {
//!     /// `Conv_0`
//!     pub conv_0: <Conv<Dim2<3, 2>, …> as Module<<Steps<(Dyn,)> as __CnnSteps>::V0>>::Params,
//! }
//! impl Clone for CnnParams { … }
//! impl PartialEq for CnnParams { … }
//! impl Tree for CnnParams { … }
//! impl Debug for CnnParams { … }
//! pub struct CnnState { pub conv_0: <Conv<Dim2<3, 2>, …> as Module<…>>::State }
//! …
//! ```
//!
//! Submodules in a tuple or an array, `layers`, have their variables in a field that is one too; in the tree they are
//! `layers_0`, `layers_1`, ….

use super::bounds::named;
use super::generics::AllGenerics;
use super::layout;
use super::names;
use super::passes::Passes;
use super::serialized::serialized;
use super::steps::Types;
use crate::ir::control::{Level, Number};
use crate::ir::{Call, Element, Eqn};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

/// A submodule or a variable of a module.
#[derive(Clone)]
pub struct Field {
    /// Flax's name.
    pub name: String,
    /// The field of the structs.
    pub field: Ident,
    /// Which element of the field it is.
    pub element: Option<Element>,
    /// Its name among all locals.
    pub key: Ident,
    pub kind: Kind,
    /// The arms and passes in which it is declared.
    pub nest: Vec<Level>,
    /// Whether it is called in arms only that may not be taken.
    pub optional: bool,
    /// What tells it from others of its name.
    pub number: Number,
    /// The statement that draws it into a local of its own.
    draw: TokenStream,
}

/// What a field holds.
#[derive(Clone)]
pub enum Kind {
    /// The variables of a submodule: its type, the input of its first call, and whether the type is unknown.
    Submodule { callee: TokenStream, input: TokenStream, opaque: bool },
    /// A parameter of this type.
    Param(TokenStream),
    /// A variable of this type in another collection, which is a type too.
    Variable(TokenStream, TokenStream),
}

impl Field {
    /// Where it is in the structs: `conv_0`, `layers.0`.
    pub fn place(&self) -> TokenStream {
        place(&self.field, self.element)
    }

    /// What gives a submodule its variables: `<Conv<…> as Module<V0>>`.
    pub fn contract(&self) -> Option<TokenStream> {
        match &self.kind {
            Kind::Submodule { callee, input, .. } => {
                Some(quote!(<#callee as ::flaxen::module::Module<#input>>))
            }
            _ => None,
        }
    }
}

fn place(field: &Ident, element: Option<Element>) -> TokenStream {
    match element {
        None => quote!(#field),
        Some(Element { index, array, .. }) => names::element(field, index, array),
    }
}

/// The fields of one method, in the order in which Flax creates them: that of the first calls, and where there are arms or
/// passes that of the declarations. `types` are those that parameters see.
pub fn fields(passes: &Passes, types: &Types) -> Vec<Field> {
    let body = &passes.lowered.body;
    let passes = Passes { lowered: passes.lowered, types: types.clone(), in_place: false, nest: Vec::new() };
    let mut fields: Vec<(usize, Field)> = Vec::new();
    for eqn in body.all_eqns() {
        let (order, field) = match &eqn.call {
            Call::Submodule(of) => (body.submodules[*of].order, of_submodule(&passes, *of, eqn)),
            Call::Param(of) => (body.params[*of].order, of_param(&passes, *of)),
            Call::Variable(of) => (body.variables[*of].order, of_variable(&passes, *of)),
            _ => continue,
        };
        if fields.iter().all(|(_, other)| other.key != field.key) {
            fields.push((order, field));
        }
    }
    if body.eqns.iter().any(|eqn| !eqn.call.bodies().is_empty()) {
        fields.sort_by_key(|(order, _)| *order);
    }
    fields.into_iter().map(|(_, field)| field).collect()
}

fn of_submodule(passes: &Passes, index: usize, first_call: &Eqn) -> Field {
    let submodule = &passes.lowered.body.submodules[index];
    Field {
        name: submodule.name.clone(),
        field: submodule.field.clone(),
        element: submodule.element,
        key: names::key(submodule),
        kind: Kind::Submodule {
            callee: submodule.ty.clone(),
            input: passes.types.input(first_call),
            opaque: submodule.opaque,
        },
        nest: submodule.nest.clone(),
        optional: submodule.optional,
        number: submodule.number,
        draw: passes.draw_submodule(index),
    }
}

fn of_param(passes: &Passes, index: usize) -> Field {
    let param = &passes.lowered.body.params[index];
    Field {
        name: param.name.clone(),
        field: param.field.clone(),
        element: None,
        key: param.field.clone(),
        kind: Kind::Param(param.tensor.to_type()),
        nest: param.nest.clone(),
        optional: false,
        number: Number::None,
        draw: passes.draw_param(index),
    }
}

fn of_variable(passes: &Passes, index: usize) -> Field {
    let variable = &passes.lowered.body.variables[index];
    Field {
        name: variable.name.clone(),
        field: variable.field.clone(),
        element: None,
        key: names::key_of_variable(&variable.field),
        kind: Kind::Variable(variable.tensor.to_type(), variable.collection.clone()),
        nest: variable.nest.clone(),
        optional: false,
        number: Number::None,
        draw: passes.draw_variable(index),
    }
}

/// The statements that draw fields, each into a local of its own.
pub fn draws<'a>(fields: impl Iterator<Item = &'a Field>) -> TokenStream {
    fields.map(|field| field.draw.clone()).collect()
}

/// One of the two structs.
pub struct Structure<'a> {
    pub all: &'a AllGenerics,
    pub name: &'a Ident,
    doc: String,
    pub parts: Vec<Part<'a>>,
}

/// A submodule or a variable in a struct.
pub struct Part<'a> {
    pub field: &'a Field,
    /// The type, with one for each pass and none where an arm is not taken.
    pub ty: TokenStream,
}

/// The struct of the parameters.
pub fn params<'a>(
    module: &Ident,
    all: &'a AllGenerics,
    name: &'a Ident,
    fields: &'a [Field],
) -> Structure<'a> {
    let parts = fields.iter().filter_map(|field| {
        let ty = match &field.kind {
            Kind::Submodule { .. } => {
                let contract = field.contract()?;
                quote!(#contract::Params)
            }
            Kind::Param(ty) => ty.clone(),
            Kind::Variable(..) => return None,
        };
        Some(Part { field, ty: layout::wrapped(field, ty) })
    });
    Structure { all, name, doc: format!("The parameters of [`{module}`]."), parts: parts.collect() }
}

/// The struct of the state.
pub fn state<'a>(
    module: &Ident,
    all: &'a AllGenerics,
    name: &'a Ident,
    fields: &'a [Field],
) -> Structure<'a> {
    let parts = fields.iter().filter_map(|field| {
        let ty = match &field.kind {
            Kind::Submodule { .. } => {
                let contract = field.contract()?;
                quote!(#contract::State)
            }
            Kind::Variable(ty, _) => ty.clone(),
            Kind::Param(_) => return None,
        };
        Some(Part { field, ty: layout::wrapped(field, ty) })
    });
    let doc = format!("The variables of [`{module}`] besides its parameters.");
    Structure { all, name, doc, parts: parts.collect() }
}

impl Structure<'_> {
    /// The struct and what it implements.
    pub fn item(&self) -> TokenStream {
        let (declared, where_clause) = (self.all.declared_of_params(), self.all.where_clause());
        let (name, doc) = (self.name, &self.doc);
        let fields = self.fields();
        let idents = fields.iter().map(|parts| &parts[0].field.field);
        let types = fields.iter().map(|parts| whole(parts, |part| part.ty.clone()));
        let docs = fields.iter().map(|parts| {
            let names: Vec<String> = parts.iter().map(|part| layout::doc(part)).collect();
            names.join(", ")
        });
        let (derived, serialized) = serialized(self);
        let skipped = (!derived.is_empty()).then(|| quote!(#[serde(skip)]));
        let marker = self.marker().map(
            |ty| quote!(#[doc(hidden)] #skipped pub __generics: ::core::marker::PhantomData<fn() -> #ty>,),
        );
        let (copies, tree, debug) = (self.copies(), self.tree(), self.debug());
        let renamed = fields.iter().map(|parts| match derived.is_empty() {
            true => TokenStream::new(),
            false => {
                let name = layout::written_name(parts[0]);
                quote!(#[serde(rename = #name)])
            }
        });
        quote! {
            #[doc = #doc]
            #[allow(private_interfaces, private_bounds)]
            #derived
            pub struct #name<#declared> #where_clause {
                #(#[doc = #docs] #renamed pub #idents: #types,)*
                #marker
            }

            #serialized
            #copies
            #tree
            #debug
        }
    }

    /// `Clone` and `PartialEq`, which ask for nothing of the generics.
    fn copies(&self) -> TokenStream {
        let (declared, where_clause, ty) =
            (self.all.declared_of_params(), self.all.where_clause(), self.ty());
        let places = self.parts.iter().map(|part| part.field.place());
        let clone = self.construct(|part| {
            let place = part.field.place();
            quote!(::core::clone::Clone::clone(&self.#place))
        });
        quote! {
            impl<#declared> ::core::clone::Clone for #ty #where_clause {
                fn clone(&self) -> Self {
                    #clone
                }
            }

            impl<#declared> ::core::cmp::PartialEq for #ty #where_clause {
                #[allow(unused_variables)]
                fn eq(&self, other: &Self) -> bool {
                    true #(&& self.#places == other.#places)*
                }
            }
        }
    }

    fn tree(&self) -> TokenStream {
        let (declared, where_clause, ty) =
            (self.all.declared_of_params(), self.all.where_clause(), self.ty());
        let (visit, zip) = (layout::visit(&self.parts), layout::zip(&self.parts));
        quote! {
            impl<#declared> ::flaxen::tree::Tree for #ty #where_clause {
                #[allow(unused_variables, unused_assignments)]
                fn visit(&self, path: &::flaxen::tree::Path, visitor: &mut impl ::flaxen::tree::Visit) {
                    #visit
                }

                #[allow(unused_variables, unused_assignments, unused_mut)]
                fn zip<const __TREES: usize>(
                    &mut self,
                    mut others: [&mut Self; __TREES],
                    path: &::flaxen::tree::Path,
                    zip: &mut impl ::flaxen::tree::Zip<__TREES>,
                ) {
                    #zip
                }
            }
        }
    }

    fn debug(&self) -> TokenStream {
        let (declared, where_clause, ty) =
            (self.all.declared_of_params(), self.all.where_clause(), self.ty());
        let debug = layout::debug(&self.parts);
        quote! {
            impl<#declared> ::core::fmt::Debug for #ty #where_clause {
                #[allow(unused_assignments)]
                fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #debug
                }
            }
        }
    }

    /// The state of a module none of whose parts has one.
    pub fn stateless_item(&self) -> TokenStream {
        let ty = self.ty();
        let (mut names, mut bounds) = (Vec::new(), Vec::new());
        for part in &self.parts {
            if let Kind::Submodule { callee, input, opaque: true } = &part.field.kind {
                let name = part.unknown_state();
                bounds.push(named(callee, input, "State", &name));
                names.push(name);
            }
        }
        let known = self.all.with(&bounds).with_variables(&names);
        let (declared, predicates) = (known.declared_of_params(), known.predicates());
        let stateless = self.parts.iter().map(Part::stateless);
        let value = self.construct(|part| {
            let stateless = part.stateless();
            let value = quote!(<#stateless as ::flaxen::module::Stateless<Call>>::stateless());
            match part.field.kind {
                Kind::Variable(..) => quote!(match #value {}),
                _ => value,
            }
        });
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

    /// The expression that makes the struct from one expression a part.
    pub fn construct(&self, value: impl Fn(&Part) -> TokenStream) -> TokenStream {
        let (name, marker) = (self.name, self.marker());
        let fields = self.fields();
        let fields = fields.iter().map(|parts| {
            let field = &parts[0].field.field;
            let whole = match parts[0].field.element {
                Some(Element { array: true, .. }) => {
                    let values = parts.iter().map(|part| value(part));
                    quote!([#(#values),*])
                }
                _ => whole(parts, |part| value(part)),
            };
            quote!(#field: #whole)
        });
        let marker = marker.map(|_| quote!(__generics: ::core::marker::PhantomData,));
        quote!(#name { #(#fields,)* #marker })
    }

    /// The struct, made of what [`draws`] drew.
    pub fn drawn(&self, local: fn(&Ident) -> Ident) -> TokenStream {
        self.construct(|part| {
            let local = local(&part.field.key);
            quote!(#local)
        })
    }

    /// The struct's type.
    pub fn ty(&self) -> TokenStream {
        let (name, arguments) = (self.name, self.all.arguments_of_params());
        quote!(#name<#arguments>)
    }

    /// The marker that uses generics which no field may use.
    fn marker(&self) -> Option<TokenStream> {
        let types = self.all.types_of_params();
        (!self.all.params_are_concrete()).then(|| quote!((#types)))
    }

    /// The parts by field, those of one field by their places.
    fn fields(&self) -> Vec<Vec<&Part<'_>>> {
        let mut fields: Vec<Vec<&Part>> = Vec::new();
        for part in &self.parts {
            match fields.iter_mut().find(|parts| parts[0].field.field == part.field.field) {
                Some(parts) => parts.push(part),
                None => fields.push(vec![part]),
            }
        }
        for parts in &mut fields {
            parts.sort_by_key(|part| part.field.element.map(|element| element.index));
        }
        fields
    }
}

impl Part<'_> {
    /// What says whether it is there without being given. A variable has a collection, and no collection is stateless: rustc says
    /// which one.
    fn stateless(&self) -> TokenStream {
        match &self.field.kind {
            Kind::Variable(_, collection) => collection.clone(),
            Kind::Submodule { opaque: true, .. } => {
                layout::wrapped(self.field, self.unknown_state().to_token_stream())
            }
            _ => self.ty.clone(),
        }
    }

    /// The name for the state of a submodule of unknown type.
    fn unknown_state(&self) -> Ident {
        format_ident!("__{}State", names::camel(&self.field.key))
    }

    /// Whether it is of a submodule of unknown type.
    pub fn is_opaque(&self) -> bool {
        matches!(self.field.kind, Kind::Submodule { opaque: true, .. })
    }
}

/// Something of a field as a whole: that of its only part, or a tuple with nothing in the places of elements that are not
/// called; of an array the type.
fn whole(parts: &[&Part], of: impl Fn(&Part) -> TokenStream) -> TokenStream {
    match parts[0].field.element {
        None => of(parts[0]),
        Some(Element { count, array: true, .. }) => {
            let first = of(parts[0]);
            quote!([#first; #count])
        }
        Some(Element { count, .. }) => {
            let part =
                |index| parts.iter().find(|part| part.field.element.is_some_and(|at| at.index == index));
            let elements = (0..count).map(|index| part(index).map_or_else(|| quote!(()), |part| of(part)));
            quote!((#(#elements,)*))
        }
    }
}

/// Elements of arrays that are not called have variables too: those of the first one that is.
pub fn fill_arrays(fields: &mut Vec<Field>) {
    let arrays: Vec<Field> =
        fields.iter().filter(|field| field.element.is_some_and(|at| at.array)).cloned().collect();
    for first in arrays {
        let Some(element) = first.element else { continue };
        for index in 0..element.count {
            let known = |field: &Field| {
                field.field == first.field && field.element.is_some_and(|at| at.index == index)
            };
            if !fields.iter().any(known) {
                fields.push(first.sibling(Element { index, ..element }));
            }
        }
    }
}

impl Field {
    /// The field of another element of an array.
    fn sibling(&self, element: Element) -> Field {
        let (field, name) = (&self.field, names::text(&self.field));
        let (place, index) = (place(field, Some(element)), element.index);
        let contract = self.contract().unwrap_or_default();
        let (span, key) = (field.span(), names::key_of(field, Some(element)));
        let (param, state) = (names::drawn(&key), names::drawn_state(&key));
        Field {
            name: format!("{name}_{index}"),
            field: field.clone(),
            element: Some(element),
            draw: quote_spanned!(span=> let (#param, #state) = #contract::init(&self.#place, &scope.element(#name, #index));),
            key,
            kind: self.kind.clone(),
            nest: Vec::new(),
            optional: false,
            number: Number::None,
        }
    }
}
