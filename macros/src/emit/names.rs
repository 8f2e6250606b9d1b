//! The names in generated code. Locals are hygienic: they never meet a name of the user's.

use crate::analyze::activity::Need;
use crate::ir::print::var_name;
use crate::ir::{Body, Eqn, Var};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

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
    local(&format!("inner_{}", unraw(field)), Span::call_site())
}

/// The local that holds what was drawn for a submodule or parameter.
pub fn drawn(field: &Ident) -> Ident {
    local(&format!("drawn_{}", unraw(field)), Span::call_site())
}

/// The local that holds the state that was drawn for a submodule or variable.
pub fn drawn_state(field: &Ident) -> Ident {
    local(&format!("state_{}", unraw(field)), Span::call_site())
}

/// The local that holds the gradient of a submodule or parameter.
pub fn gradient(field: &Ident) -> Ident {
    local(&format!("gradient_{}", unraw(field)), Span::call_site())
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
    local(&format!("module_{}", unraw(field)), Span::call_site())
}

/// The local that holds the number of a submodule that is counted.
pub fn number(field: &Ident) -> Ident {
    local(&format!("number_{}", unraw(field)), Span::call_site())
}

/// The local that counts the submodules of a class.
pub fn count(class: &str) -> Ident {
    local(&format!("count_{class}"), Span::call_site())
}

/// The local that holds the number of a loop's pass.
pub fn pass(of: usize) -> Ident {
    local(&format!("pass_{of}"), Span::call_site())
}

/// The local that holds what passes contribute to a gradient or a cotangent.
pub fn sum(of: &Ident) -> Ident {
    local(&format!("sum_{}", unraw(of)), Span::call_site())
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

/// One thing as it is, several as a tuple.
pub fn tuple(parts: &[TokenStream]) -> TokenStream {
    match parts {
        [one] => one.clone(),
        several => quote!((#(#several,)*)),
    }
}

fn unraw_text(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

fn unraw(field: &Ident) -> String {
    unraw_text(&field.to_string()).to_string()
}
