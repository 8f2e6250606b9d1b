//! Where the variables of a submodule or a parameter stand, seen from inside of arms and passes.
//!
//! ```text
//! params.conv_0                                  declared at the top
//! params.layers[pass_0]                          in a loop
//! *taken(&params.dense_0, "Dense_0")             in an arm
//! ```

use super::names;
use super::passes::Passes;
use crate::ir::control::{Level, Number};
use crate::ir::{Body, Element};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// A tree of variables.
#[derive(Clone, Copy, PartialEq)]
pub enum Root {
    Params,
    State,
}

/// A submodule or a parameter as the structs have it.
pub struct Declared<'a> {
    /// Flax's name, without its number if that is not known yet.
    pub name: &'a str,
    pub field: &'a Ident,
    /// Which element of the field it is.
    pub element: Option<Element>,
    /// Its name among all locals.
    pub key: Ident,
    pub nest: &'a [Level],
    /// Whether it may be missing although its place is reached.
    pub optional: bool,
}

impl<'a> Declared<'a> {
    /// A submodule.
    pub fn submodule(body: &'a Body, index: usize) -> Self {
        let submodule = &body.submodules[index];
        Declared {
            name: &submodule.name,
            field: &submodule.field,
            element: submodule.element,
            key: names::key(submodule),
            nest: &submodule.nest,
            optional: submodule.optional,
        }
    }

    /// A parameter, which is used where it is declared.
    pub fn param(body: &'a Body, index: usize) -> Self {
        let param = &body.params[index];
        Declared {
            name: &param.name,
            field: &param.field,
            element: None,
            key: param.field.clone(),
            nest: &param.nest,
            optional: false,
        }
    }
}

impl<'a> Declared<'a> {
    /// A variable of another collection, which is used where it is declared.
    pub fn variable(body: &'a Body, index: usize) -> Self {
        let variable = &body.variables[index];
        Declared {
            name: &variable.name,
            field: &variable.field,
            element: None,
            key: names::key_of_variable(&variable.field),
            nest: &variable.nest,
            optional: false,
        }
    }
}

impl Passes<'_> {
    /// The place of the variables in a tree.
    pub fn place(&self, root: Root, declared: &Declared) -> TokenStream {
        let place = self.place_around(root, declared, declared.nest.len());
        if declared.optional { taken(root, &place, declared.name) } else { place }
    }

    /// The place of the variables of all passes and arms inside of so many levels.
    pub fn place_around(&self, root: Root, declared: &Declared, levels: usize) -> TokenStream {
        let place = names::place_of(declared.field, declared.element);
        let place = match root {
            Root::Params => quote!(params.#place),
            Root::State => quote!(state.#place),
        };
        declared.nest.iter().take(levels).fold(place, |place, level| match level {
            Level::Arm { .. } => taken(root, &place, declared.name),
            Level::Pass { of, .. } => {
                let pass = names::pass(*of);
                quote!(#place[#pass])
            }
        })
    }

    /// The scope of a submodule.
    pub fn scope_of(&self, index: usize) -> TokenStream {
        let submodule = &self.lowered.body.submodules[index];
        let name = &submodule.name;
        if let Some(Element { index, .. }) = submodule.element {
            let name = names::text(&submodule.field);
            return quote!(scope.element(#name, #index));
        }
        match submodule.number {
            Number::None => quote!(scope.child(#name)),
            Number::Counted => {
                let number = names::number(&submodule.field);
                quote!(scope.element(#name, ::core::clone::Clone::clone(&#number)))
            }
            Number::Pass(of) => {
                let number = number_of_pass(of, &submodule.nest);
                quote!(scope.element(#name, #number))
            }
        }
    }
}

/// What the user calls a pass.
pub fn number_of_pass(of: usize, nest: &[Level]) -> TokenStream {
    let pass = names::pass(of);
    let start = nest.iter().find_map(|level| match level {
        Level::Pass { of: other, start, .. } if *other == of => Some(start),
        _ => None,
    });
    match start {
        Some(start) if start.to_string() != "0" => quote!((#start) + #pass),
        _ => quote!(#pass),
    }
}

fn taken(root: Root, place: &TokenStream, name: &str) -> TokenStream {
    match root {
        Root::Params => quote!((*::flaxen::__private::taken(&#place, #name))),
        Root::State => quote!((*::flaxen::__private::taken_mut(&mut #place, #name))),
    }
}
