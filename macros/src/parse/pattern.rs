//! What a `let` binds: a name, or a tuple of names, with types.

use super::body::BodyParser;
use super::dims::TensorType;
use super::signature::tensor_type;
use crate::messages;
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{BinOp, Expr, Ident, Pat, Type};

/// What a result is to be called.
#[derive(Clone)]
pub(super) struct Wanted {
    pub name: Option<String>,
    pub span: Span,
    pub declared: Option<TensorType>,
    /// Whether the name may be assigned to.
    pub mutable: bool,
}

impl Wanted {
    pub fn anything(span: Span) -> Self {
        Wanted { name: None, span, declared: None, mutable: false }
    }

    pub fn called(name: &str, span: Span) -> Self {
        Wanted { name: Some(name.to_string()), ..Wanted::anything(span) }
    }
}

impl BodyParser<'_> {
    pub(super) fn pattern(&mut self, pattern: &Pat) -> Option<Vec<Wanted>> {
        match pattern {
            Pat::Tuple(tuple) => {
                let parts: Vec<_> = tuple.elems.iter().map(|part| self.pattern(part)).collect();
                parts.into_iter().collect::<Option<Vec<_>>>().map(|parts| parts.concat())
            }
            Pat::Paren(inner) => self.pattern(&inner.pat),
            Pat::Wild(wild) => Some(vec![Wanted::anything(wild.span())]),
            Pat::Ident(name) if name.by_ref.is_some() => {
                self.mistake(name.by_ref.span(), messages::REFERENCE_BINDING);
                None
            }
            Pat::Ident(name) => {
                let wanted = Wanted::called(&name.ident.to_string(), name.ident.span());
                Some(vec![Wanted { mutable: name.mutability.is_some(), ..wanted }])
            }
            Pat::Type(typed) => {
                let mut wanted = self.pattern(&typed.pat)?;
                if !matches!(&*typed.ty, Type::Infer(_)) {
                    let declared = self.diagnostics.keep(tensor_type(&typed.ty, messages::INPUT_TYPE))?;
                    wanted.iter_mut().for_each(|wanted| wanted.declared = Some(declared.clone()));
                }
                Some(wanted)
            }
            other => {
                self.mistake(other.span(), messages::PATTERN);
                None
            }
        }
    }
}

pub(super) fn single_name(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Some(&name.ident),
        _ => None,
    }
}

/// All names that a pattern binds.
pub(super) fn names(pattern: &Pat) -> Vec<String> {
    match pattern {
        Pat::Ident(name) => {
            let inner = name.subpat.iter().flat_map(|(_, inner)| names(inner));
            std::iter::once(name.ident.to_string()).chain(inner).collect()
        }
        Pat::Tuple(tuple) => tuple.elems.iter().flat_map(names).collect(),
        Pat::TupleStruct(tuple) => tuple.elems.iter().flat_map(names).collect(),
        Pat::Slice(slice) => slice.elems.iter().flat_map(names).collect(),
        Pat::Or(cases) => cases.cases.first().map(names).unwrap_or_default(),
        Pat::Struct(fields) => fields.fields.iter().flat_map(|field| names(&field.pat)).collect(),
        Pat::Reference(inner) => names(&inner.pat),
        Pat::Guard(guarded) => [names(&guarded.pat), bound_by(&guarded.guard)].concat(),
        Pat::Type(typed) => names(&typed.pat),
        Pat::Paren(inner) => names(&inner.pat),
        _ => Vec::new(),
    }
}

/// The names that `let` in a condition binds.
pub(super) fn bound_by(condition: &Expr) -> Vec<String> {
    match condition {
        Expr::Let(binding) => names(&binding.pat),
        Expr::Binary(both) if matches!(both.op, BinOp::And(_)) => {
            [bound_by(&both.left), bound_by(&both.right)].concat()
        }
        Expr::Paren(inner) => bound_by(&inner.expr),
        _ => Vec::new(),
    }
}
