//! What a body declares in place: `compact!(…)` and `param!(…)`.

use super::body::{BodyParser, Place};
use super::compact::{Compact, ParamCall, field_of};
use super::fold::{Formatted, formatted};
use super::pattern::Wanted;
use crate::ir::control::{Called, Level, Number};
use crate::ir::{Call, Param, Setup, Submodule, Var};
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
        let span = compact.name.as_ref().map_or(compact.class.span(), |name| name.text.span());
        let (name, number, field) = self.name_of(&compact, span)?;
        let ty = compact.whole();
        let Compact { ty: inner, text, keywords, class, name: given, .. } = compact;
        let nest = self.nest.clone();
        let index = self.body.submodules.len();
        if given.is_none() {
            self.automatic.push((index, class.to_string()));
        }
        let span = class.span();
        let (order, optional) = (self.next_order(), false);
        self.body.submodules.push(Submodule {
            order,
            name,
            number,
            nest,
            optional,
            field,
            ty,
            inner: Some(inner),
            text,
            keywords,
            span,
            held: false,
            in_option: false,
            element: None,
            opaque: false,
        });
        self.body.setup.push((self.body.eqns.len(), Setup::Submodule(index)));
        Some(index)
    }

    /// The name of a submodule, its number, and its field.
    fn name_of(&mut self, compact: &Compact, span: Span) -> Option<(String, Number, Ident)> {
        let Some(name) = &compact.name else {
            let class = compact.class.to_string();
            let count = self.classes.entry(class.clone()).or_default();
            *count += 1;
            let name = format!("{class}_{}", *count - 1);
            let in_loop = self.nest.iter().any(|level| matches!(level, Level::Pass { .. }));
            let field = self.counted_field(if in_loop { &class } else { &name }, &name, span)?;
            return Some((name, Number::None, field));
        };
        let made = match name.formatted {
            true => formatted(name, &self.scope),
            false => Some(Formatted::Known(name.text.value())),
        };
        match made {
            Some(Formatted::Known(name)) => {
                let field = self.field(&name, span)?;
                Some((name, Number::None, field))
            }
            Some(Formatted::OfPass { prefix, pass }) => {
                let field = self.numbered_field(&prefix, pass, span)?;
                Some((prefix, Number::Pass(pass), field))
            }
            None => {
                let text = if self.in_loop() { messages::NAME_FORMAT } else { messages::NAME_WITHOUT_LOOP };
                self.mistake_over(&name.text, text);
                None
            }
        }
    }

    /// Where a class is counted in arms or passes, only the running program knows its numbers.
    pub(super) fn count_at_run_time(&mut self) {
        let nested = self.automatic.iter().filter(|(index, _)| !self.body.submodules[*index].nest.is_empty());
        let classes: Vec<String> = nested.map(|(_, class)| class.clone()).collect();
        for (index, class) in std::mem::take(&mut self.automatic) {
            if classes.contains(&class) {
                let submodule = &mut self.body.submodules[index];
                (submodule.name, submodule.number) = (class, Number::Counted);
            }
        }
        for index in 0..self.body.submodules.len() {
            let Submodule { nest, number, span, .. } = &self.body.submodules[index];
            let called = self.body.at(nest).map_or(Called::Never, |body| body.calls(index));
            let in_arm = nest.iter().any(|level| matches!(level, Level::Arm { .. }));
            match called {
                _ if *number != Number::Counted => {}
                Called::Never => self.diagnostics.at(*span, messages::COUNTED_BUT_NEVER_CALLED),
                Called::Sometimes if in_arm => self.diagnostics.at(*span, messages::COUNTED_BUT_NOT_CALLED),
                _ => {}
            }
            self.body.submodules[index].optional = called == Called::Sometimes;
        }
    }

    pub(super) fn param(&mut self, call: &syn::ExprMacro, wanted: &[Wanted]) -> Option<Vec<Var>> {
        if self.place != Place::Module {
            self.mistake(call.span(), messages::PARAM_OUTSIDE);
            return None;
        }
        let param: ParamCall = self.diagnostics.keep(call.mac.parse_body())?;
        let (name, span) = (param.name.value(), param.name.span());
        let (field, nest) = (self.field(&name, span)?, self.nest.clone());
        let initializer = param.initializer;
        let (order, initializer) = (self.next_order(), quote!(#initializer));
        let declared = Param { order, name: name.clone(), nest, field, initializer, tensor: param.tensor };
        self.body.params.push(declared);
        let index = self.body.params.len() - 1;
        Some(self.equation(&name, span, Call::Param(index), Vec::new(), wanted))
    }

    pub(super) fn next_order(&mut self) -> usize {
        self.declared += 1;
        self.declared - 1
    }

    /// The field for a name that one variable has, which nothing else may have that exists together with it.
    fn field(&mut self, name: &str, span: Span) -> Option<Ident> {
        self.refuse_in_loop(name, span)?;
        self.free_field(name, name, span, &self.params())
    }

    /// In a loop every pass would declare the same name.
    pub(super) fn refuse_in_loop(&mut self, name: &str, span: Span) -> Option<()> {
        match self.nest.iter().any(|level| matches!(level, Level::Pass { .. })) {
            true => {
                self.mistake(span, messages::name_in_loop(name));
                None
            }
            false => Some(()),
        }
    }

    fn params(&self) -> Vec<(Ident, Vec<Level>)> {
        self.body.params.iter().map(|param| (param.field.clone(), param.nest.clone())).collect()
    }

    /// The field for a name that has the number of a pass.
    fn numbered_field(&mut self, prefix: &str, pass: usize, span: Span) -> Option<Ident> {
        let mut passes = self.nest.iter().filter_map(|level| match level {
            Level::Pass { of, .. } => Some(*of),
            Level::Arm { .. } => None,
        });
        if passes.next() != Some(pass) || passes.next().is_some() {
            self.mistake(span, messages::NAME_IN_LOOPS);
            return None;
        }
        self.free_field(prefix, prefix, span, &self.params())
    }

    /// The field for a submodule that is counted: no two of these have one name, so the field may be another one.
    fn counted_field(&mut self, wanted: &str, numbered: &str, span: Span) -> Option<Ident> {
        let field = self.diagnostics.keep(field_of(wanted, span))?;
        let field = match self.declared_as(&field, &self.params()) {
            Some(_) if wanted != numbered => self.diagnostics.keep(field_of(numbered, span))?,
            _ => field,
        };
        self.free_field(field.to_string().trim_start_matches("r#"), numbered, span, &self.params())
    }

    /// The field, or one of its name and the arm's number if another arm has it. Beside the submodules `others` are in the struct.
    pub(super) fn free_field(
        &mut self,
        wanted: &str,
        name: &str,
        span: Span,
        others: &[(Ident, Vec<Level>)],
    ) -> Option<Ident> {
        let field = self.diagnostics.keep(field_of(wanted, span))?;
        let Some(nest) = self.declared_as(&field, others) else { return Some(field) };
        match self.nest.iter().find_map(|level| other_arm(level, &nest)) {
            Some(arm) => self.free_field(&format!("{wanted}_arm_{arm}"), name, span, others),
            None => {
                self.mistake(span, messages::name_in_use(name));
                None
            }
        }
    }

    /// Where a field is declared, if it is.
    fn declared_as(&self, field: &Ident, others: &[(Ident, Vec<Level>)]) -> Option<Vec<Level>> {
        let submodules = self.body.submodules.iter().map(|submodule| (&submodule.field, &submodule.nest));
        let mut all = submodules.chain(others.iter().map(|(field, nest)| (field, nest)));
        all.find(|(other, _)| *other == field).map(|(_, nest)| nest.clone())
    }
}

/// The number of this arm, if another arm of the same branch is among these levels.
fn other_arm(level: &Level, nest: &[Level]) -> Option<usize> {
    let Level::Arm { branch, arm } = level else { return None };
    let other = nest
        .iter()
        .any(|level| matches!(level, Level::Arm { branch: of, arm: other } if of == branch && other != arm));
    other.then_some(*arm)
}
