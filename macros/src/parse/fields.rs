//! The fields of a module's struct: what their types show, and how a body names those that are submodules.
//!
//! The `impl` of a module does not see the struct. Where it has to know a field's type, it asks for a projection of it; where
//! it has to know how many submodules a field holds, or whether a type parameter stands for one, the struct's own macro
//! hands its fields over as tokens: `encoder: one [] layers: tuple(3) [] backbone: one [0]`.

use super::body::BodyParser;
use crate::ir::control::Number;
use crate::ir::{Element, Submodule, names};
use crate::messages;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::visit_mut::{VisitMut, visit_expr_mut};
use syn::{
    Expr, GenericParam, Generics, Ident, ImplItem, ItemImpl, Lit, LitInt, Member, Pat, Result, Token, Type,
    braced, bracketed, parenthesized,
};

/// What the type of a field shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    pub form: Form,
    /// The places, among the struct's generics, of the type parameters that it names.
    pub params: Vec<usize>,
}

/// How many a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One value.
    One,
    /// A tuple of so many.
    Tuple(usize),
    /// An array of so many.
    Array(usize),
    /// One or none.
    Optional,
}

/// What the type of a field shows, in a struct with these generics.
pub fn kind_of(ty: &Type, generics: &Generics) -> Kind {
    let form = match ty {
        Type::Group(inner) => return kind_of(&inner.elem, generics),
        Type::Paren(inner) => return kind_of(&inner.elem, generics),
        Type::Tuple(tuple) => Form::Tuple(tuple.elems.len()),
        Type::Array(array) => match &array.len {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(count) => count.base10_parse().map_or(Form::One, Form::Array),
                _ => Form::One,
            },
            _ => Form::One,
        },
        Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option") => {
            Form::Optional
        }
        _ => Form::One,
    };
    let params = generics.params.iter().enumerate().filter(|(_, param)| match param {
        GenericParam::Type(param) => names(ty.to_token_stream(), &param.ident),
        _ => false,
    });
    Kind { form, params: params.map(|(place, _)| place).collect() }
}

impl ToTokens for Kind {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let params = &self.params;
        tokens.extend(match self.form {
            Form::One => quote!(one),
            Form::Tuple(count) => quote!(tuple(#count)),
            Form::Array(count) => quote!(array(#count)),
            Form::Optional => quote!(optional),
        });
        tokens.extend(quote!([#(#params)*]));
    }
}

impl Parse for Kind {
    fn parse(input: ParseStream) -> Result<Self> {
        let form: Ident = input.parse()?;
        let count = || {
            let inside;
            parenthesized!(inside in input);
            inside.parse::<LitInt>()?.base10_parse()
        };
        let form = match form.to_string().as_str() {
            "tuple" => Form::Tuple(count()?),
            "array" => Form::Array(count()?),
            "optional" => Form::Optional,
            _ => Form::One,
        };
        let inside;
        bracketed!(inside in input);
        let mut params = Vec::new();
        while !inside.is_empty() {
            params.push(inside.parse::<LitInt>()?.base10_parse()?);
        }
        Ok(Kind { form, params })
    }
}

/// An `impl` with what the struct's macro hands over.
pub struct WithFields {
    pub fields: Vec<(Ident, Kind)>,
    pub implementation: ItemImpl,
}

impl Parse for WithFields {
    fn parse(input: ParseStream) -> Result<Self> {
        let inside;
        braced!(inside in input);
        let mut fields = Vec::new();
        while !inside.is_empty() {
            let name = inside.parse()?;
            inside.parse::<Token![:]>()?;
            fields.push((name, inside.parse()?));
        }
        Ok(WithFields { fields, implementation: input.parse()? })
    }
}

/// Whether an `impl` can only be read with the fields at hand: a type parameter of it may stand for a module, or it names an
/// element of a field, or goes through one.
pub fn asks_for_fields(item: &ItemImpl) -> bool {
    let may_be_module = item.generics.type_params().any(|param| param.bounds.is_empty());
    struct Search(bool);
    impl VisitMut for Search {
        fn visit_expr_mut(&mut self, expr: &mut Expr) {
            self.0 |= match expr {
                Expr::Field(field) => {
                    matches!(field.member, Member::Unnamed(_)) && held(&field.base).is_some()
                }
                Expr::Index(index) => held(&index.expr).is_some(),
                Expr::ForLoop(each) => names_self(&each.expr),
                Expr::Let(condition) => names_self(&condition.expr),
                Expr::Match(choice) => names_self(&choice.expr),
                Expr::MethodCall(call) => call.method == "len" && held(&call.receiver).is_some(),
                _ => false,
            };
            visit_expr_mut(self, expr);
        }
    }
    let mut search = Search(false);
    search.visit_item_impl_mut(&mut item.clone());
    may_be_module || search.0
}

/// The `self` of the methods of an `impl`.
pub fn receiver(item: &ItemImpl) -> Option<Span> {
    item.items.iter().find_map(|item| match item {
        ImplItem::Fn(function) => function.sig.receiver().map(|receiver| receiver.self_token.span),
        _ => None,
    })
}

fn names_self(expr: &Expr) -> bool {
    names(expr.to_token_stream(), &Ident::new("self", proc_macro2::Span::call_site()))
}

/// A field of `self` as an expression names it: `self.encoder`, `&self.layers.0`, `self.layers[0]`.
#[derive(Clone, Debug)]
pub struct Held {
    pub field: Ident,
    /// The element, with the form of what it is an element of.
    pub index: Option<(usize, IndexForm)>,
}

impl Held {
    /// A reference to it.
    pub fn to_expr(&self) -> TokenStream {
        let field = &self.field;
        match self.index {
            Some((index, IndexForm::Tuple)) => {
                let index = syn::Index::from(index);
                quote!(&self.#field.#index)
            }
            Some((index, IndexForm::Array)) => quote!(&self.#field[#index]),
            _ => quote!(&self.#field),
        }
    }
}

/// How an element is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexForm {
    /// `.0`
    Tuple,
    /// `[0]`
    Array,
    /// `if let Some(name) = &self.field`
    Some,
}

/// The field of `self` that an expression names.
pub fn held(expr: &Expr) -> Option<Held> {
    match expr {
        Expr::Paren(inner) => held(&inner.expr),
        Expr::Group(inner) => held(&inner.expr),
        Expr::Reference(inner) if inner.mutability.is_none() => held(&inner.expr),
        Expr::Field(field) => match &field.member {
            Member::Named(name) if is_self(&field.base) => Some(Held { field: name.clone(), index: None }),
            Member::Unnamed(index) => element(&field.base, index.index as usize, IndexForm::Tuple),
            Member::Named(_) => None,
        },
        Expr::Index(index) => match &*index.index {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(place) => element(&index.expr, place.base10_parse().ok()?, IndexForm::Array),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn element(of: &Expr, index: usize, form: IndexForm) -> Option<Held> {
    held(of).filter(|of| of.index.is_none()).map(|of| Held { index: Some((index, form)), ..of })
}

/// The name that `Some(name)` gives to what an optional field holds, with the field.
pub fn some_of(pattern: &Pat, of: &Expr) -> Option<(String, Held)> {
    let Pat::TupleStruct(some) = pattern else { return None };
    let is_some = some.path.segments.last().is_some_and(|last| last.ident == "Some");
    match (some.elems.first(), held(of)) {
        (Some(Pat::Ident(name)), Some(held)) if is_some && some.elems.len() == 1 && held.index.is_none() => {
            Some((name.ident.to_string(), Held { index: Some((0, IndexForm::Some)), ..held }))
        }
        _ => None,
    }
}

/// Whether an expression is `self`.
pub fn is_self(expr: &Expr) -> bool {
    matches!(expr, Expr::Path(path) if path.path.is_ident("self"))
}

impl BodyParser<'_> {
    /// The submodule that a field of the struct is, declared when it is called for the first time, as in Flax.
    pub(super) fn held_submodule(&mut self, held: &Held) -> Option<usize> {
        let Some(module) = self.module else {
            self.mistake(held.field.span(), messages::CALLEE);
            return None;
        };
        let in_option = matches!(held.index, Some((_, IndexForm::Some)));
        let element = match &held.index {
            _ if in_option => None,
            None => None,
            Some((index, form)) => Some(self.element(held, *index, *form)?),
        };
        let known = self.body.submodules.iter().position(|submodule| {
            submodule.held && submodule.field == held.field && submodule.element == element
        });
        if known.is_some() {
            return known;
        }
        let (field, span) = (&held.field, held.field.span());
        let unraw = field.to_string().trim_start_matches("r#").to_string();
        let name = element.map_or_else(|| unraw.clone(), |element| format!("{unraw}_{}", element.index));
        let parts =
            self.body.submodules.iter().filter(|submodule| !submodule.held || submodule.field != *field);
        let mut used = parts
            .map(|submodule| (&submodule.field, &submodule.name))
            .chain(self.body.params.iter().map(|param| (&param.field, &param.name)));
        if used.any(|(used, of)| used == field || *of == name) {
            self.mistake(span, messages::name_in_use(&name));
            return None;
        }
        let (self_ty, fields) = (&module.self_ty, &module.fields_trait);
        let of_field = quote_spanned!(span=> <#self_ty as #fields>::#field);
        let ty = match element {
            None if in_option => {
                quote_spanned!(span=> <#of_field as ::flaxen::__private::Part<0>>::Out)
            }
            None => of_field,
            Some(Element { index, .. }) => {
                quote_spanned!(span=> <#of_field as ::flaxen::__private::Part<#index>>::Out)
            }
        };
        let opaque = module.is_opaque(field);
        let (order, number, nest, optional) = (self.next_order(), Number::None, Vec::new(), false);
        self.body.submodules.push(Submodule {
            order,
            number,
            nest,
            optional,
            name,
            field: field.clone(),
            ty,
            text: String::new(),
            keywords: Vec::new(),
            span,
            held: true,
            in_option,
            element,
            opaque,
        });
        Some(self.body.submodules.len() - 1)
    }

    /// The submodules that an expression goes through, `&self.layers` or `self.layers.iter().enumerate()`, and whether with their
    /// numbers.
    pub(super) fn sequence(&self, expr: &Expr) -> Option<(Vec<Held>, bool)> {
        if let Expr::MethodCall(call) = expr
            && call.args.is_empty()
        {
            let (inner, numbered) = self.sequence(&call.receiver)?;
            return match call.method.to_string().as_str() {
                "iter" => Some((inner, numbered)),
                "enumerate" if !numbered => Some((inner, true)),
                _ => None,
            };
        }
        let field = held(expr).filter(|held| held.index.is_none())?;
        let (count, form) = match self.module?.kind(&field.field)?.form {
            Form::Tuple(count) => (count, IndexForm::Tuple),
            Form::Array(count) => (count, IndexForm::Array),
            Form::One | Form::Optional => return None,
        };
        let elements = (0..count).map(|index| Held { index: Some((index, form)), ..field.clone() });
        Some((elements.collect(), false))
    }

    /// What the user's pattern binds, if it is an optional field that is there.
    pub(super) fn held_in_option(&self, pattern: &Pat, of: &Expr) -> Option<(String, Held)> {
        let (name, held) = some_of(pattern, of)?;
        let is_optional = self.module?.kind(&held.field)?.form == Form::Optional;
        is_optional.then_some((name, held))
    }

    fn element(&mut self, held: &Held, index: usize, form: IndexForm) -> Option<Element> {
        let kind = self.module.and_then(|module| module.kind(&held.field)).map(|kind| kind.form);
        match (kind, form) {
            (Some(Form::Tuple(count)), IndexForm::Tuple) if index < count => {
                Some(Element { index, count, array: false })
            }
            (Some(Form::Array(count)), IndexForm::Array) if index < count => {
                Some(Element { index, count, array: true })
            }
            (None, _) => {
                self.mistake(held.field.span(), messages::no_field(&held.field));
                None
            }
            _ => {
                self.mistake(held.field.span(), messages::no_element(&held.field, index));
                None
            }
        }
    }

    /// A field that is called, `self.encoder(x)` or `(self.layers.0)(x)`.
    pub(super) fn call_held<'e>(
        &mut self,
        held: &Held,
        args: impl Iterator<Item = &'e Expr>,
        wanted: &[super::pattern::Wanted],
    ) -> Option<Vec<crate::ir::Var>> {
        let args = self.tensors(args);
        let index = self.held_submodule(held)?;
        self.submodule_call(index, args?, wanted)
    }
}

/// The numbers of submodules, `self.layers.len()`, as literals.
pub struct Lengths<'a>(pub &'a [(Ident, Kind)]);

impl VisitMut for Lengths<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_expr_mut(self, expr);
        let Expr::MethodCall(call) = &*expr else { return };
        let Some(held) = held(&call.receiver).filter(|held| held.index.is_none() && call.method == "len")
        else {
            return;
        };
        let kind = self.0.iter().find(|(name, _)| *name == held.field).map(|(_, kind)| kind.form);
        if let Some(Form::Tuple(count) | Form::Array(count)) = kind {
            let count = LitInt::new(&count.to_string(), call.method.span());
            *expr = Expr::Lit(syn::ExprLit { attrs: Vec::new(), lit: Lit::Int(count) });
        }
    }
}
