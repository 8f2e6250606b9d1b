//! What a body declares in place: `compact!(…)` and `param!(…)`.

use super::body::{BodyParser, Place};
use super::compact::{Compact, ParamCall, field_of};
use super::pattern::Wanted;
use crate::ir::{Call, Param, Submodule, Var};
use crate::messages;
use proc_macro2::Span;
use quote::quote;
use syn::Ident;
use syn::spanned::Spanned;

impl BodyParser<'_> {
    /// `compact!(…)`: a new submodule. As in Flax it gets its number where it is constructed.
    pub(super) fn declare(&mut self, call: &syn::Macro) -> Option<usize> {
        if self.place != Place::Module {
            let message = match self.place {
                Place::Function => messages::COMPACT_IN_FUNCTION,
                _ => messages::COMPACT_OUTSIDE,
            };
            self.mistake(call.path.span(), message);
            return None;
        }
        let compact: Compact = self.diagnostics.keep(call.parse_body())?;
        let span = compact.name.as_ref().map_or(compact.class.span(), syn::LitStr::span);
        let name = match &compact.name {
            Some(name) => name.value(),
            None => {
                let count = self.classes.entry(compact.class.to_string()).or_default();
                *count += 1;
                format!("{}_{}", compact.class, *count - 1)
            }
        };
        let field = self.field(&name, span)?;
        let (ty, text, keywords, span) = (compact.ty, compact.text, compact.keywords, compact.class.span());
        self.body.submodules.push(Submodule {
            name,
            field,
            ty,
            text,
            keywords,
            span,
            held: false,
            element: None,
            opaque: false,
        });
        Some(self.body.submodules.len() - 1)
    }

    pub(super) fn param(&mut self, call: &syn::ExprMacro, wanted: &[Wanted]) -> Option<Vec<Var>> {
        if self.place != Place::Module {
            self.mistake(call.span(), messages::PARAM_OUTSIDE);
            return None;
        }
        let param: ParamCall = self.diagnostics.keep(call.mac.parse_body())?;
        let (name, span) = (param.name.value(), param.name.span());
        let field = self.field(&name, span)?;
        let initializer = param.initializer;
        let declared =
            Param { name: name.clone(), field, initializer: quote!(#initializer), tensor: param.tensor };
        self.body.params.push(declared);
        let index = self.body.params.len() - 1;
        Some(self.equation(&name, span, Call::Param(index), Vec::new(), wanted))
    }

    /// The field for a new name, which nothing else may have.
    fn field(&mut self, name: &str, span: Span) -> Option<Ident> {
        let field = self.diagnostics.keep(field_of(name, span))?;
        let submodules = self.body.submodules.iter().map(|submodule| &submodule.field);
        let mut used = submodules.chain(self.body.params.iter().map(|param| &param.field));
        if used.any(|used| *used == field) {
            self.mistake(span, messages::name_in_use(name));
            return None;
        }
        Some(field)
    }
}
