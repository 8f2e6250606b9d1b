//! The fields of the structs of variables, and walks over them: one for each pass of a loop, none for an arm that is not
//! taken, each under the name that Flax gives it.
//!
//! ```text
//! let mut count_Dense = 0;
//! for pass_0 in 0..4 {
//!     let part = &self.dense;
//!     let part = &part[pass_0];
//!     let number = count_Dense;
//!     count_Dense += 1;
//!     Tree::visit(part, &path.child("Dense").one_of(number), visitor);
//! }
//! if let Some(part) = &self.dense_4 { … }
//! ```

use super::names;
use super::place::number_of_pass;
use super::variables::{Field, Kind, Part};
use crate::ir::Element;
use crate::ir::control::{Level, Number};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeSet;

/// The type of a field: of one pass and arm it would be `ty`.
pub fn wrapped(field: &Field, ty: TokenStream) -> TokenStream {
    let optional = |ty: TokenStream| quote!(::core::option::Option<#ty>);
    let innermost = if field.optional { optional(ty) } else { ty };
    field.nest.iter().rev().fold(innermost, |ty, level| match level {
        Level::Arm { .. } => optional(ty),
        Level::Pass { length, .. } => quote!(::flaxen::module::Each<#ty, { #length }>),
    })
}

/// What the documentation of a field says.
pub fn doc(part: &Part) -> String {
    let name = &part.field.name;
    let numbered = match part.field.number {
        Number::None => format!("`{name}`"),
        _ if part.passes().next().is_some() => format!("`{name}_0`, `{name}_1`, …, one for each pass"),
        _ => format!("`{name}_…`, as Flax numbers it"),
    };
    if part.may_be_missing() { format!("{numbered}, if its arm is taken") } else { numbered }
}

/// The name under which a field is written.
pub fn written_name(part: &Part) -> String {
    if is_plain(part) { part.field.name.clone() } else { names::text(&part.field.key) }
}

impl Part<'_> {
    /// The loops around the declaration.
    fn passes(&self) -> impl Iterator<Item = usize> {
        self.field.nest.iter().filter_map(|level| match level {
            Level::Pass { of, .. } => Some(*of),
            Level::Arm { .. } => None,
        })
    }

    fn may_be_missing(&self) -> bool {
        self.field.optional || self.field.nest.iter().any(|level| matches!(level, Level::Arm { .. }))
    }
}

/// Whether a field is there, once, and its name is known.
fn is_plain(part: &Part) -> bool {
    part.field.nest.is_empty() && !part.field.optional && part.field.number == Number::None
}

/// Whether the names do not depend on what the program does.
pub fn names_are_known(parts: &[Part]) -> bool {
    parts.iter().all(is_plain)
}

/// Tells the name of what is in every place.
pub fn names(parts: &[Part]) -> TokenStream {
    walk(parts, Access::Read, &|part, value| {
        let passes: Vec<Ident> = part.passes().map(names::pass).collect();
        let place = written_name(part) + &"/{}".repeat(passes.len());
        let place = quote!(::core::format_args!(#place, #(#passes),*));
        let name = &part.field.name;
        match part.field.number {
            Number::None => quote!(names.add(#value, #place, ::core::format_args!(#name));),
            _ => {
                let name = format!("{name}_{{}}");
                quote!(names.add(#value, #place, ::core::format_args!(#name, number));)
            }
        }
    })
}

/// `Tree::visit` of every field.
pub fn visit(parts: &[Part]) -> TokenStream {
    walk(parts, Access::Read, &|part, value| {
        let path = path(part);
        quote!(::flaxen::tree::Tree::visit(#value, &#path, visitor);)
    })
}

/// `Tree::zip` of every field.
pub fn zip(parts: &[Part]) -> TokenStream {
    walk(parts, Access::Zip, &|part, _| {
        let path = path(part);
        if is_plain(part) {
            let place = part.field.place();
            return quote! {{
                let parts = others.each_mut().map(|tree| &mut tree.#place);
                ::flaxen::tree::Tree::zip(&mut self.#place, parts, &#path, zip);
            }};
        }
        quote!(::flaxen::tree::Tree::zip(part, parts, &#path, zip);)
    })
}

/// Prints every field under its name.
pub fn debug(parts: &[Part]) -> TokenStream {
    let entry = |part: &Part, value: TokenStream| {
        let (name, value) = (
            &part.field.name,
            match part.field.contract() {
                None => quote!(&::flaxen::__private::LeafShape(#value)),
                Some(_) => value,
            },
        );
        match part.field.number {
            Number::None => quote!(.entry(&::core::format_args!("{}", #name), #value)),
            _ => quote!(.entry(&::core::format_args!("{}_{}", #name, number), #value)),
        }
    };
    if names_are_known(parts) {
        let entries = parts.iter().map(|part| {
            let place = part.field.place();
            entry(part, quote!(&self.#place))
        });
        return quote!(::flaxen::__private::Shapes::of(formatter)#(#entries)*.finish());
    }
    let entries = walk(parts, Access::Read, &|part, value| {
        let entry = entry(part, value);
        quote!(map #entry;)
    });
    quote! {
        let mut map = ::flaxen::__private::Shapes::of(formatter);
        #entries
        map.finish()
    }
}

fn path(part: &Part) -> TokenStream {
    let name = &part.field.name;
    if let Some(Element { index, .. }) = part.field.element {
        let name = names::text(&part.field.field);
        return quote!(path.child(#name).one_of(#index));
    }
    if let Kind::Variable(_, collection) = &part.field.kind {
        return quote!(path.variable::<#collection>(#name));
    }
    match part.field.number {
        Number::None => quote!(path.child(#name)),
        _ => quote!(path.child(#name).one_of(number)),
    }
}

/// How a walk takes the fields.
#[derive(Clone, Copy, PartialEq)]
enum Access {
    /// `part` is a reference.
    Read,
    /// `part` is a mutable reference, and `parts` are those of the other trees.
    Zip,
}

/// What is done to every field, where the walk has it.
type Done<'a> = &'a dyn Fn(&Part, TokenStream) -> TokenStream;

/// All fields in order, with the numbers of those that are counted.
fn walk(parts: &[Part], access: Access, done: Done) -> TokenStream {
    let counted = parts.iter().filter(|part| part.field.number == Number::Counted);
    let classes: BTreeSet<&str> = counted.map(|part| part.field.name.as_str()).collect();
    let counts = classes.into_iter().map(names::count);
    let all: Vec<&Part> = parts.iter().collect();
    let fields = level(&all, 0, access, done);
    quote!(#(let mut #counts: usize = 0;)* #fields)
}

/// The fields of one level of loops; those of an inner loop together, pass by pass.
fn level(parts: &[&Part], depth: usize, access: Access, done: Done) -> TokenStream {
    let mut tokens = TokenStream::new();
    let mut rest = parts;
    while let Some(first) = rest.first() {
        let Some((of, length)) = loop_at(first, depth) else {
            tokens.extend(reached(first, access, done));
            rest = &rest[1..];
            continue;
        };
        let together =
            rest.iter().take_while(|part| loop_at(part, depth).is_some_and(|(other, _)| other == of));
        let (inner, after) = rest.split_at(together.count());
        let (pass, inner) = (names::pass(of), level(inner, depth + 1, access, done));
        tokens.extend(quote!(for #pass in 0..#length { #inner }));
        rest = after;
    }
    tokens
}

/// The loop at a depth around a declaration.
fn loop_at<'a>(part: &'a Part, depth: usize) -> Option<(usize, &'a TokenStream)> {
    let mut loops = part.field.nest.iter().filter_map(|level| match level {
        Level::Pass { of, length, .. } => Some((*of, length)),
        Level::Arm { .. } => None,
    });
    loops.nth(depth)
}

/// One field, through its passes and arms.
fn reached(part: &Part, access: Access, done: Done) -> TokenStream {
    let (declared, place) = (part.field, part.field.place());
    if is_plain(part) {
        return done(part, quote!(&self.#place));
    }
    let inside = done(part, quote!(part));
    let inside = if declared.optional { present(declared, access, inside) } else { inside };
    let inside = numbered(part, inside);
    let inside = declared.nest.iter().rev().fold(inside, |inside, level| match level {
        Level::Arm { .. } => present(declared, access, inside),
        Level::Pass { of, .. } => indexed(&names::pass(*of), access, inside),
    });
    match access {
        Access::Read => quote!({ let part = &self.#place; #inside }),
        Access::Zip => quote!({
            let part = &mut self.#place;
            let mut parts = others.each_mut().map(|tree| &mut tree.#place);
            #inside
        }),
    }
}

fn numbered(part: &Part, inside: TokenStream) -> TokenStream {
    match part.field.number {
        Number::None => inside,
        Number::Pass(of) => {
            let number = number_of_pass(of, &part.field.nest);
            quote!(let number = #number; #inside)
        }
        Number::Counted => {
            let count = names::count(&part.field.name);
            quote!(let number = #count; #count += 1; #inside)
        }
    }
}

fn present(declared: &Field, access: Access, inside: TokenStream) -> TokenStream {
    let name = &declared.name;
    match access {
        Access::Read => quote!(if let ::core::option::Option::Some(part) = part { #inside }),
        Access::Zip => quote! {
            if let ::core::option::Option::Some(part) = part {
                let mut parts = parts.map(|part| ::flaxen::__private::taken_mut(part, #name));
                #inside
            }
        },
    }
}

fn indexed(pass: &Ident, access: Access, inside: TokenStream) -> TokenStream {
    match access {
        Access::Read => quote!(let part = &part[#pass]; #inside),
        Access::Zip => quote! {
            let part = &mut part[#pass];
            let mut parts = parts.map(|part| &mut part[#pass]);
            #inside
        },
    }
}
