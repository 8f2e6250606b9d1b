//! A model that a closure applies: `model.apply(params, x)`,
//! `model.apply_mut((params, &state), x, Train, rngs! { dropout: key })`.

use super::body::BodyParser;
use super::expression::strip_reference;
use super::pattern::Wanted;
use super::scope::Binding;
use crate::ir::{Arg, Call, Var};
use crate::messages;
use quote::quote;
use syn::{Expr, ExprMethodCall};

impl BodyParser<'_> {
    pub(super) fn apply(&mut self, call: &ExprMethodCall, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let (name, mutable) = (&call.method, call.method == "apply_mut");
        let mut exprs: Vec<&Expr> = call.args.iter().collect();
        let rngs = match (mutable, exprs.len()) {
            (true, 3..) => exprs.pop().map(|rngs| quote!(#rngs)),
            (true, _) => {
                self.mistake(name.span(), messages::APPLY_MUT_FORM);
                return None;
            }
            (false, _) => None,
        };
        let Some((variables, inputs)) = exprs.split_first() else {
            self.mistake(name.span(), messages::APPLY_VARIABLES);
            return None;
        };
        if mutable && wanted.len() < 2 {
            self.mistake(name.span(), messages::APPLY_MUT_RESULT);
            return None;
        }
        let (variables, state) = match strip_reference(variables) {
            Expr::Tuple(pair) if pair.elems.len() == 2 => {
                (self.tree(&pair.elems[0]), Some(self.state(&pair.elems[1])))
            }
            _ => (self.tree(variables), None),
        };
        let (args, _) = self.arguments(inputs.iter().copied())?;
        let model = &call.receiver;
        let call = Call::Apply { model: quote!(#model), variables, state, rngs };
        Some(self.equation(&name.to_string(), name.span(), call, args, wanted))
    }

    /// Variables that a gradient may be taken by.
    fn tree(&mut self, expr: &Expr) -> Arg {
        match self.bound_to(expr) {
            Some(var) => {
                self.body.vars[var.0].is_tree = true;
                Arg::Var(var)
            }
            None => Arg::Outside(quote!(#expr)),
        }
    }

    /// A state: one that a call of the closure has returned, or a reference to one from outside.
    fn state(&self, expr: &Expr) -> Arg {
        self.bound_to(expr).map_or_else(|| Arg::Outside(quote!(#expr)), Arg::Var)
    }

    fn bound_to(&self, expr: &Expr) -> Option<Var> {
        let Expr::Path(path) = strip_reference(expr) else { return None };
        match self.scope.get(&path.path.get_ident()?.to_string()) {
            Some(Binding::Tensor(var)) => Some(var),
            _ => None,
        }
    }
}
