//! What a `let` binds: a name, or a tuple of names, with types.

use super::body::BodyParser;
use super::dims::TensorType;
use super::signature::tensor_type;
use crate::messages;
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Ident, Pat, Type};

/// What a result is to be called.
#[derive(Clone)]
pub(super) struct Wanted {
    pub name: Option<String>,
    pub span: Span,
    pub declared: Option<TensorType>,
}

impl Wanted {
    pub fn anything(span: Span) -> Self {
        Wanted { name: None, span, declared: None }
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
            Pat::Ident(name) if name.mutability.is_some() => {
                self.mistake(name.mutability.span(), messages::MUTABLE);
                Some(vec![Wanted { name: Some(name.ident.to_string()), span: name.span(), declared: None }])
            }
            Pat::Ident(name) if name.by_ref.is_some() => {
                self.mistake(name.by_ref.span(), messages::REFERENCE_BINDING);
                None
            }
            Pat::Ident(name) => Some(vec![Wanted {
                name: Some(name.ident.to_string()),
                span: name.ident.span(),
                declared: None,
            }]),
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
        Pat::Ident(name) => vec![name.ident.to_string()],
        Pat::Tuple(tuple) => tuple.elems.iter().flat_map(names).collect(),
        Pat::Type(typed) => names(&typed.pat),
        Pat::Paren(inner) => names(&inner.pat),
        _ => Vec::new(),
    }
}
