//! Variables of other collections, draws, and values that are sown: `variable!(BatchStats, "mean", zeros(), [F])`,
//! `mean.value = x`, `if P::TRAIN { mean.value = x; }`, `make_rng!(noise)`, `sow!(Intermediates, "features", x)`.

use super::body::{BodyParser, Place};
use super::dims::TensorType;
use super::pattern::Wanted;
use super::scope::Binding;
use crate::ir::{Arg, Body, Call, Region, Var, Variable};
use crate::messages;
use proc_macro2::Span;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Error, Expr, ExprAssign, ExprField, ExprIf, ExprMacro, Ident, LitStr, Member, Path, Result, Stmt, Token,
    bracketed,
};

/// A variable declared in place.
struct VariableCall {
    collection: Path,
    name: LitStr,
    initializer: Expr,
    tensor: TensorType,
}

impl Parse for VariableCall {
    fn parse(input: ParseStream) -> Result<Self> {
        let form = |error: Error| Error::new(error.span(), messages::VARIABLE_FORM);
        let collection = Path::parse_mod_style(input).map_err(form)?;
        input.parse::<Token![,]>().map_err(form)?;
        let name = input.parse().map_err(form)?;
        input.parse::<Token![,]>().map_err(form)?;
        let initializer = input.parse()?;
        input.parse::<Token![,]>().map_err(form)?;
        let inside;
        bracketed!(inside in input);
        let tensor = inside.parse()?;
        input.parse::<Option<Token![,]>>()?;
        match input.is_empty() {
            true => Ok(VariableCall { collection, name, initializer, tensor }),
            false => Err(input.error(messages::VARIABLE_FORM)),
        }
    }
}

/// A value that is stored if somebody captures it.
struct SowCall {
    collection: Path,
    name: LitStr,
    value: Expr,
}

impl Parse for SowCall {
    fn parse(input: ParseStream) -> Result<Self> {
        let form = |error: Error| Error::new(error.span(), messages::SOW_FORM);
        let collection = Path::parse_mod_style(input).map_err(form)?;
        input.parse::<Token![,]>().map_err(form)?;
        let name = input.parse().map_err(form)?;
        input.parse::<Token![,]>().map_err(form)?;
        let value = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        match input.is_empty() {
            true => Ok(SowCall { collection, name, value }),
            false => Err(input.error(messages::SOW_FORM)),
        }
    }
}

impl BodyParser<'_> {
    /// `let mean = variable!(…)`: a variable, whose value is read before the first equation that uses it.
    pub(super) fn variable(&mut self, bound: &Ident, call: &syn::Macro) {
        let index = self.declared_variable(call);
        // What follows may use the name: it must not be reported again.
        let binding = index.map_or(Binding::Value, Binding::Variable);
        self.scope.bind(bound.to_string(), binding);
    }

    fn declared_variable(&mut self, call: &syn::Macro) -> Option<usize> {
        if self.place != Place::Module {
            self.mistake(call.path.span(), messages::VARIABLE_OUTSIDE);
            return None;
        }
        let VariableCall { collection, name, initializer, tensor } =
            self.diagnostics.keep(call.parse_body())?;
        let (name, span) = (name.value(), name.span());
        let field = self.field_of_variable(&name, span)?;
        let (collection, initializer) = (quote!(#collection), quote!(#initializer));
        let (order, nest) = (self.next_order(), self.nest.clone());
        self.body.variables.push(Variable {
            order,
            nest,
            collection,
            name: name.clone(),
            field,
            initializer,
            tensor,
        });
        let index = self.body.variables.len() - 1;
        let value = self.equation(&name, span, Call::Variable(index), Vec::new(), &[Wanted::anything(span)]);
        self.values.extend(value);
        Some(index)
    }

    /// The field for a new variable. A parameter may have its name, as in Flax: it is of another collection.
    fn field_of_variable(&mut self, name: &str, span: Span) -> Option<Ident> {
        self.refuse_in_loop(name, span)?;
        let variables = self.body.variables.iter().map(|variable| (&variable.field, &variable.nest));
        let others: Vec<_> = variables.map(|(field, nest)| (field.clone(), nest.clone())).collect();
        self.free_field(name, name, span, &others)
    }

    /// The variable whose value a field expression is: `mean.value`.
    pub(super) fn variable_of(&self, field: &ExprField) -> Option<usize> {
        let (Expr::Path(path), Member::Named(member)) = (&*field.base, &field.member) else { return None };
        match self.scope.get(&path.path.get_ident()?.to_string())? {
            Binding::Variable(index) if member == "value" => Some(index),
            _ => None,
        }
    }

    /// `mean.value = x`. Reads that follow see the new value.
    pub(super) fn write(&mut self, variable: usize, assignment: &ExprAssign) {
        let span = assignment.left.span();
        let Some(value) = self.one(&assignment.right, &Wanted::anything(assignment.right.span())) else {
            return;
        };
        let name = format!("write_{}", self.body.variables[variable].name);
        self.equation(&name, span, Call::Write { variable, phase: None }, vec![Arg::Var(value)], &[]);
        self.values[variable] = value;
    }

    /// Whether a statement is `if P::TRAIN { … }`, which belongs to this file if it writes variables.
    pub(super) fn updates_in_training<'e>(&self, statement: &'e Stmt) -> Option<(&'e ExprIf, Path)> {
        let Stmt::Expr(Expr::If(branch), _) = statement else { return None };
        let Expr::Path(condition) = &*branch.cond else { return None };
        let mut phase = condition.path.clone();
        let train = phase.segments.pop()?.ident == "TRAIN";
        phase.segments.pop_punct();
        let writes = branch.then_branch.stmts.iter().any(|statement| self.written(statement).is_some());
        (train && writes && !phase.segments.is_empty()).then_some((branch, phase))
    }

    /// The variable that a statement writes.
    fn written<'e>(&self, statement: &'e Stmt) -> Option<(usize, &'e ExprAssign)> {
        match statement {
            Stmt::Expr(Expr::Assign(assignment), _) => match &*assignment.left {
                Expr::Field(field) => self.variable_of(field).map(|variable| (variable, assignment)),
                _ => None,
            },
            _ => None,
        }
    }

    /// `if P::TRAIN { mean.value = x; }`: in evaluation the variables keep their values, and what is in the block is not
    /// computed.
    pub(super) fn update_in_training(&mut self, branch: &ExprIf, phase: &Path) {
        if let Some((otherwise, _)) = &branch.else_branch {
            return self.mistake(otherwise.span(), messages::TRAIN_ELSE);
        }
        let (mark, before, from) = (self.scope.mark(), self.values.clone(), self.body.eqns.len());
        let mut written: Vec<(usize, Span)> = Vec::new();
        for statement in &branch.then_branch.stmts {
            match self.written(statement) {
                Some((variable, assignment)) => {
                    let right = &assignment.right;
                    if let Some(value) = self.one(right, &Wanted::anything(right.span())) {
                        self.values[variable] = value;
                        written.retain(|(other, _)| *other != variable);
                        written.push((variable, assignment.left.span()));
                    }
                }
                None => self.statement(statement),
            }
        }
        self.scope.leave(mark);
        let eqns = from..self.body.eqns.len();
        let plain = |call: &Call| matches!(call, Call::Op { .. } | Call::Param(_) | Call::Variable(_));
        if let Some(eqn) = self.body.eqns[from..].iter().find(|eqn| !plain(&eqn.call)) {
            return self.mistake(eqn.span, messages::TRAIN_OPS);
        }
        let phase = quote!(#phase);
        let mut values = Vec::new();
        for (variable, span) in written {
            let (new, old) = (self.values[variable], before[variable]);
            values.push((new, old));
            let name = self.body.variables[variable].name.clone();
            let choose = Call::Op { ty: quote!(::flaxen::__private::Choose<#phase>), values: Vec::new() };
            let chosen = self.equation(
                &name,
                span,
                choose,
                vec![Arg::Var(new), Arg::Var(old)],
                &[Wanted::anything(span)],
            );
            let write = Call::Write { variable, phase: Some(phase.clone()) };
            self.equation(
                &format!("write_{name}"),
                span,
                write,
                chosen.iter().copied().map(Arg::Var).collect(),
                &[],
            );
            self.values[variable] = chosen[0];
        }
        self.body.regions.push(Region { phase, eqns, values });
    }

    /// `sow!(Intermediates, "features", x);`
    pub(super) fn sow(&mut self, call: &syn::Macro) {
        if self.place != Place::Module {
            return self.mistake(call.path.span(), messages::SOW_OUTSIDE);
        }
        let Some(SowCall { collection, name, value }) = self.diagnostics.keep(call.parse_body()) else {
            return;
        };
        let Some(value) = self.one(&value, &Wanted::anything(value.span())) else { return };
        let (label, sown) = ("sow", Call::Sow { collection: quote!(#collection), name: name.value() });
        self.equation(label, name.span(), sown, vec![Arg::Var(value)], &[]);
    }

    /// `make_rng!(noise)`: a key, which is used once.
    pub(super) fn make_rng(&mut self, call: &ExprMacro, wanted: &[Wanted]) -> Option<Vec<Var>> {
        if self.place != Place::Module {
            self.mistake(call.mac.path.span(), messages::MAKE_RNG_OUTSIDE);
            return None;
        }
        let stream = call.mac.parse_body_with(Path::parse_mod_style);
        let stream = self
            .diagnostics
            .keep(stream.map_err(|error| Error::new(error.span(), messages::MAKE_RNG_FORM)))?;
        let span = stream.span();
        Some(self.equation("key", span, Call::MakeRng(quote!(#stream)), Vec::new(), wanted))
    }

    /// Whether it is `Train` or `Eval`.
    pub(super) fn is_phase(&self, path: &Path) -> bool {
        path.segments.last().is_some_and(|last| last.ident == "Train" || last.ident == "Eval")
    }

    /// `Train` and `Eval` as arguments.
    pub(super) fn phase(&mut self, path: &Path) -> Option<Var> {
        let last = &path.segments.last()?.ident;
        let phase = Call::Phase(quote!(#path));
        self.equation("phase", last.span(), phase, Vec::new(), &[Wanted::anything(last.span())])
            .first()
            .copied()
    }

    /// A key makes the same numbers again, so a second use is a mistake.
    pub(super) fn refuse_keys_used_twice(&mut self) {
        let mut mistakes = Vec::new();
        for eqn in self.body.all_eqns().into_iter().filter(|eqn| matches!(eqn.call, Call::MakeRng(_))) {
            mistakes.extend(eqn.outs.iter().flat_map(|&key| uses(&self.body, key).into_iter().skip(1)));
        }
        mistakes.into_iter().for_each(|span| self.mistake(span, messages::KEY_USED_TWICE));
    }
}

/// Where a body uses a key: of the arms of a branch the one that uses it most often, and of a loop all passes.
fn uses(body: &Body, key: Var) -> Vec<Span> {
    let uses = body.eqns.iter().flat_map(|eqn| match &eqn.call {
        Call::Branch(branch) => {
            let arms = branch.bodies().map(|(_, arm)| uses(arm, key));
            arms.max_by_key(Vec::len).unwrap_or_default()
        }
        Call::Loop(repeated) => {
            let once = uses(&repeated.body, key);
            if repeated.body.defines(key) { once } else { [once.clone(), once].concat() }
        }
        _ => eqn.reads().filter(|var| *var == key).map(|_| eqn.span).collect(),
    });
    uses.collect()
}
