//! The names in generated code. Locals are hygienic: they never meet a name of the user's.

use crate::analyze::activity::Need;
use crate::ir::print::var_name;
use crate::ir::transform::Nest;
use crate::ir::{Body, Element, Eqn, Submodule, Var};
use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};

fn local(name: &str, span: Span) -> Ident {
    Ident::new(name, span.resolved_at(Span::mixed_site()))
}

/// The local that holds a variable.
pub fn var(body: &Body, var: Var) -> Ident {
    local(&var_name(body, var), body.info(var).span)
}

/// The local that holds the cotangent of a variable.
pub fn cotangent(body: &Body, var: Var) -> Ident {
    local(&format!("d_{}", var_name(body, var)), body.info(var).span)
}

/// The locals that hold the two parts of a dual result: its value and its tangent.
pub fn part_of_dual(index: usize) -> [Ident; 2] {
    ["value", "tangent"].map(|part| local(&format!("{part}_{index}"), Span::call_site()))
}

/// The local that holds a further contribution to a cotangent.
pub fn term(index: usize) -> Ident {
    local(&format!("term_{index}"), Span::call_site())
}

/// The local that holds a further contribution to a gradient.
pub fn gradient_term() -> Ident {
    local("gradient_term", Span::call_site())
}

/// The local that holds a contribution of inner bodies to a gradient.
pub fn inner_gradient(field: &Ident) -> Ident {
    local(&format!("inner_{}", text(field)), Span::call_site())
}

/// The local that holds what was drawn for a submodule or parameter.
pub fn drawn(field: &Ident) -> Ident {
    local(&format!("drawn_{}", text(field)), Span::call_site())
}

/// The local that holds the state that was drawn for a submodule or variable.
pub fn drawn_state(field: &Ident) -> Ident {
    local(&format!("state_{}", text(field)), Span::call_site())
}

/// The local that holds the gradient of a submodule or parameter.
pub fn gradient(field: &Ident) -> Ident {
    local(&format!("gradient_{}", text(field)), Span::call_site())
}

/// The field of the residuals, and the local before it is put there.
pub fn residual(eqn: &Eqn) -> Ident {
    local(&format!("kept_{}", unraw_text(&eqn.label)), eqn.span)
}

/// The field of the residuals that keeps the shape of a variable.
pub fn shape_of(body: &Body, var: Var) -> Ident {
    local(&format!("shape_{}", var_name(body, var)), Span::call_site())
}

/// The local that holds an op or a submodule whose values are given.
pub fn part(label: &str) -> Ident {
    local(&format!("part_{}", unraw_text(label)), Span::call_site())
}

/// The local that holds a submodule whose values are given.
pub fn module(field: &Ident) -> Ident {
    local(&format!("module_{}", text(field)), Span::call_site())
}

/// The local that holds the number of a submodule that is counted.
pub fn number(field: &Ident) -> Ident {
    local(&format!("number_{}", text(field)), Span::call_site())
}

/// The local that counts the submodules of a class.
pub fn count(class: &str) -> Ident {
    local(&format!("count_{class}"), Span::call_site())
}

/// The local that holds the number of a loop's pass.
pub fn pass(of: usize) -> Ident {
    local(&format!("pass_{of}"), Span::call_site())
}

/// The local that holds the results of an arm.
pub fn results() -> Ident {
    local("results", Span::call_site())
}

/// The local that holds what passes contribute to a gradient or a cotangent.
pub fn sum(of: &Ident) -> Ident {
    local(&format!("sum_{}", text(of)), Span::call_site())
}

/// `EncodeImage` for `encode_image`.
pub fn camel(name: &Ident) -> String {
    let name = text(name);
    let words = name.split('_').filter(|word| !word.is_empty());
    let capitalized = words.map(|word| {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        first.to_uppercase() + rest
    });
    capitalized.collect()
}

/// The name of a submodule among all locals: that of its field, and the number of an element.
pub fn key(submodule: &Submodule) -> Ident {
    key_of(&submodule.field, submodule.element)
}

/// The same for a field and an element of it.
pub fn key_of(field: &Ident, element: Option<Element>) -> Ident {
    match element {
        None => field.clone(),
        Some(Element { index, .. }) => format_ident!("{}_{index}", text(field), span = field.span()),
    }
}

/// The name of a variable among all locals. A parameter may have the name of its field.
pub fn key_of_variable(field: &Ident) -> Ident {
    format_ident!("variable_{}", text(field))
}

/// A submodule in a struct of variables, or in the module itself: `encoder`, `layers.0`, `layers[0]`.
pub fn place(submodule: &Submodule) -> TokenStream {
    place_of(&submodule.field, submodule.element)
}

/// The same for a field and an element of it.
pub fn place_of(field: &Ident, element: Option<Element>) -> TokenStream {
    match element {
        None => quote!(#field),
        Some(Element { index, array, .. }) => self::element(field, index, array),
    }
}

/// An element of a field: `layers.0` in a tuple, `layers[0]` in an array.
pub fn element(field: &Ident, index: usize, array: bool) -> TokenStream {
    let index = Literal::usize_unsuffixed(index);
    if array { quote!(#field[#index]) } else { quote!(#field.#index) }
}

/// The associated type of a variable: `V3`.
pub fn type_of(var: Var) -> Ident {
    format_ident!("V{}", var.0)
}

/// The generic parameter that says whether the cotangent of an input is needed.
pub fn need_of_input(index: usize) -> Ident {
    format_ident!("Need{index}")
}

/// The constant that checks an equation's shapes; rustc names it where they do not fit.
pub fn check(name: &str, span: Span) -> Ident {
    Ident::new(unraw_text(name), span)
}

/// The rule of a variable's shape.
pub fn rule(var: Var, span: Span) -> Ident {
    Ident::new(&format!("V{}", var.0), span)
}

/// A need as a type.
pub fn need(need: &Need) -> TokenStream {
    match need {
        Need::No => quote!(::flaxen::op::No),
        Need::Yes => quote!(::flaxen::op::Yes),
        Need::Inputs(inputs) => {
            let mut inputs = inputs.iter().map(|&index| need_of_input(index));
            let first = inputs.next().map(|first| quote!(#first)).unwrap_or_default();
            inputs.fold(first, |all, next| quote!(<#all as ::flaxen::op::Need>::Or<#next>))
        }
    }
}

/// A value with further tangents, which are zero.
pub fn lifted(value: TokenStream, times: usize, span: Span) -> TokenStream {
    (0..times).fold(value, |value, _| {
        let value = reference(value);
        quote_spanned!(span=> ::flaxen::__private::constant(#value))
    })
}

/// A reference to what an expression of the user's is, whatever operators are in it.
pub fn reference(value: TokenStream) -> TokenStream {
    match value.clone().into_iter().count() {
        1 => quote!(&#value),
        _ => quote!(&(#value)),
    }
}

/// One thing as it is, several as a tuple.
pub fn tuple(parts: &[TokenStream]) -> TokenStream {
    match parts {
        [one] => one.clone(),
        several => quote!((#(#several,)*)),
    }
}

/// Results as they stand in tuples.
pub fn nested(nests: &[Nest], results: &[TokenStream]) -> Vec<TokenStream> {
    let mut rest = results;
    let parts = nests.iter().map(|nest| {
        let (own, others) = rest.split_at(nest.count().min(rest.len()));
        rest = others;
        match nest {
            Nest::One => quote!(#(#own)*),
            Nest::Tuple(parts) => {
                let parts = nested(parts, own);
                quote!((#(#parts,)*))
            }
        }
    });
    parts.collect()
}

fn unraw_text(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Makes every `self` the one of the user's method: where a macro wrote or handed over the `impl`, that of generated code
/// would be another one, which the user's expressions do not see.
pub fn same_self(tokens: TokenStream, receiver: Span) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) if ident == "self" => {
            Ident::new("self", ident.span().resolved_at(receiver)).into()
        }
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), same_self(group.stream(), receiver));
            inner.set_span(group.span());
            inner.into()
        }
        other => other,
    });
    tokens.collect()
}

/// A name as text: `type` for `r#type`.
pub fn text(field: &Ident) -> String {
    unraw_text(&field.to_string()).to_string()
}
