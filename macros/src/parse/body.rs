//! The body of a function: statements to equations.
//!
//! The rest of the reader stands beside it: [`pattern`](super::pattern) reads what is bound, [`expression`](super::expression)
//! what is computed, [`declare`](super::declare) what is declared in place.

use super::dims::TensorType;
use super::fields::{Held, held, is_self};
use super::methods::Context;
use super::pattern::{Wanted, names, single_name};
use super::scope::{Binding, Scope};
use super::signature::tensor_type;
use crate::diag::Diagnostics;
use crate::ir::{Body, Setup, Signature, Var};
use crate::messages;
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use std::collections::BTreeMap;
use syn::spanned::Spanned;
use syn::{Block, Expr, Generics, Ident, Local, Pat, Stmt};

#[derive(Clone, Copy, PartialEq)]
pub enum Place {
    /// The `call` of a module.
    Module,
    /// A free function.
    Function,
    /// A closure, whose surroundings have tensors too.
    Closure,
}

/// Reads a body. A mistake is noted and reading goes on, so that all mistakes show at once.
pub struct BodyParser<'a> {
    pub(super) place: Place,
    pub(super) body: Body,
    pub(super) scope: Scope,
    pub(super) diagnostics: &'a mut Diagnostics,
    /// How many submodules of each class there are.
    pub(super) classes: BTreeMap<String, usize>,
    /// The names of the axes of the `vmap!`s around what is read, the outermost first.
    pub(super) axes: Vec<TokenStream>,
    /// In how many `vmap!`s a variable was bound, if in any.
    pub(super) levels: BTreeMap<Var, usize>,
    /// The value of each variable of the module, as of here.
    pub(super) values: Vec<Var>,
    /// The `impl` around a module's method.
    pub(super) module: Option<&'a Context>,
    /// The generics of the method.
    pub(super) generics: Option<Generics>,
    /// The fields of `self` that have a name.
    pub(super) held: Vec<Held>,
    /// The methods whose equations are being written in place, the innermost last.
    pub(super) inlining: Vec<Ident>,
    /// All methods whose equations were.
    pub(super) inlined: Vec<Ident>,
}

impl<'a> BodyParser<'a> {
    /// A reader of an empty body.
    pub fn new(place: Place, diagnostics: &'a mut Diagnostics) -> Self {
        BodyParser {
            place,
            body: Body::default(),
            scope: Scope::default(),
            diagnostics,
            classes: BTreeMap::new(),
            axes: Vec::new(),
            levels: BTreeMap::new(),
            values: Vec::new(),
            module: None,
            generics: None,
            held: Vec::new(),
            inlining: Vec::new(),
            inlined: Vec::new(),
        }
    }

    /// Declares the inputs of a function.
    pub fn inputs(&mut self, signature: &Signature) {
        self.generics = Some(signature.inner.clone());
        for (name, ty) in &signature.inputs {
            self.input(name, ty.tensor().cloned());
        }
    }

    /// Declares one input.
    pub fn input(&mut self, name: &Ident, declared: Option<TensorType>) {
        let var = self.body.var(name.to_string(), name.span(), declared);
        self.body.inputs.push(var);
        self.levels.insert(var, self.axes.len());
        self.scope.bind(name.to_string(), Binding::Tensor(var));
    }

    /// Notes a mistake.
    pub fn mistake(&mut self, span: Span, message: impl std::fmt::Display) {
        self.diagnostics.at(span, message);
    }

    /// The body that was read.
    pub fn finish(mut self) -> Body {
        self.refuse_keys_used_twice();
        self.body
    }

    /// Reads the block of a function with so many results.
    pub fn function_body(&mut self, block: &Block, results: usize) {
        if let Some(outputs) = self.block(block, &vec![Wanted::anything(block.span()); results]) {
            self.body.outputs = outputs;
        }
    }

    /// Reads the body of a closure that ends in so many results.
    pub fn closure_body(&mut self, body: &Expr, tail: Span, results: usize) {
        let wanted = vec![Wanted::anything(tail); results];
        let outputs = match body {
            Expr::Block(block) => self.block(&block.block, &wanted),
            other => self.expression(other, &wanted),
        };
        self.body.outputs = outputs.unwrap_or_default();
    }

    pub(super) fn block(&mut self, block: &Block, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let mark = self.scope.mark();
        let result = match block.stmts.split_last() {
            Some((Stmt::Expr(tail, None), before)) => {
                before.iter().for_each(|statement| self.statement(statement));
                self.expression(tail, wanted)
            }
            Some((Stmt::Macro(tail), before)) if tail.semi_token.is_none() => {
                before.iter().for_each(|statement| self.statement(statement));
                let tail = Expr::Macro(syn::ExprMacro { attrs: Vec::new(), mac: tail.mac.clone() });
                self.expression(&tail, wanted)
            }
            _ => {
                block.stmts.iter().for_each(|statement| self.statement(statement));
                let end = block.stmts.last().map_or_else(|| block.span(), Spanned::span);
                self.mistake(end, messages::NO_RESULT);
                None
            }
        };
        self.scope.leave(mark);
        result
    }

    /// A block inside of the body. Its plain statements stay in a block, so that what they bind ends with it.
    pub(super) fn inner_block(&mut self, block: &Block, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let before = self.body.setup.len();
        self.body.setup.push((self.body.eqns.len(), Setup::Enter));
        let result = self.block(block, wanted);
        match self.body.setup.len() - before {
            1 => self.body.setup.truncate(before),
            _ => self.body.setup.push((self.body.eqns.len(), Setup::Leave)),
        }
        result
    }

    pub(super) fn statement(&mut self, statement: &Stmt) {
        if let Some((branch, phase)) = self.updates_in_training(statement) {
            return self.update_in_training(branch, &phase);
        }
        match statement {
            Stmt::Local(local) => self.binding(local),
            Stmt::Expr(Expr::Assign(assign), _) if self.module.is_some() && is_of_self(&assign.left) => {
                self.mistake(assign.left.span(), messages::FIELD_ASSIGNMENT);
            }
            statement if !self.scope.touches_tensor(statement) && !leaves_early(statement) => {
                self.setup(statement)
            }
            Stmt::Macro(call) if call.mac.path.is_ident("sow") => self.sow(&call.mac),
            Stmt::Expr(Expr::Assign(assignment), _) => match &*assignment.left {
                Expr::Field(field) if self.variable_of(field).is_some() => {
                    self.variable_of(field).into_iter().for_each(|variable| self.write(variable, assignment));
                }
                _ => self.mistake(assignment.span(), messages::ASSIGNMENT),
            },
            Stmt::Expr(expr, _) => {
                // The value is dropped, but what is wrong inside shall be said.
                self.expression(expr, &[Wanted::anything(expr.span())]);
            }
            other => self.mistake(other.span(), messages::NOT_A_CALL),
        }
    }

    pub(super) fn setup(&mut self, statement: &impl ToTokens) {
        let statement = Setup::Statement(statement.to_token_stream());
        self.body.setup.push((self.body.eqns.len(), statement));
    }

    pub(super) fn binding(&mut self, local: &Local) {
        let Some(init) = &local.init else {
            return self.mistake(local.span(), messages::NOT_A_CALL);
        };
        if self.place != Place::Closure && is_closure_over_tensors(&init.expr) {
            names(&local.pat).into_iter().for_each(|name| self.scope.bind(name, Binding::Value));
            return self.mistake(init.expr.span(), messages::CLOSURE);
        }
        if let (Some(name), Some(held), Some(_)) = (single_name(&local.pat), held(&init.expr), self.module) {
            self.held.push(held);
            self.scope.bind(name.to_string(), Binding::Held(self.held.len() - 1));
            return self.setup(local);
        }
        if !self.scope.touches_tensor(&init.expr) {
            for name in names(&local.pat) {
                self.scope.bind(name, Binding::Value);
            }
            return self.setup(local);
        }
        if let Some((_, diverge)) = &init.diverge {
            return self.mistake(diverge.span(), messages::EARLY_RETURN);
        }
        if let (Some(name), Expr::Macro(call)) = (single_name(&local.pat), &*init.expr)
            && call.mac.path.is_ident("compact")
        {
            if let Some(index) = self.declare(&call.mac) {
                self.scope.bind(name.to_string(), Binding::Submodule(index));
            }
            return;
        }
        if let (Some(name), Expr::Macro(call)) = (single_name(&local.pat), &*init.expr)
            && call.mac.path.is_ident("variable")
        {
            return self.variable(name, &call.mac);
        }
        let Some(wanted) = self.pattern(&local.pat) else {
            return;
        };
        if let Some(vars) = self.expression(&init.expr, &wanted) {
            for (wanted, var) in wanted.into_iter().zip(vars) {
                self.bind(wanted, var);
            }
        } else {
            // What follows may use the names: they must not be reported again.
            for wanted in wanted {
                let var = self.body.var(wanted.name.clone().unwrap_or_default(), wanted.span, None);
                self.bind(wanted, var);
            }
        }
    }

    pub(super) fn bind(&mut self, wanted: Wanted, var: Var) {
        if let Some(name) = wanted.name {
            self.scope.bind(name, Binding::Tensor(var));
        }
    }
}

/// Whether it is a closure whose arguments may be tensors: one that does not say that they are something else.
fn is_closure_over_tensors(expr: &Expr) -> bool {
    let Expr::Closure(closure) = expr else { return false };
    closure.inputs.iter().any(|input| match input {
        Pat::Type(typed) => tensor_type(&typed.ty, messages::INPUT_TYPE).is_ok(),
        _ => true,
    })
}

/// Whether an expression is a place in `self`.
fn is_of_self(place: &Expr) -> bool {
    match place {
        Expr::Field(field) => is_self(&field.base) || is_of_self(&field.base),
        Expr::Index(index) => is_of_self(&index.expr),
        _ => false,
    }
}

fn leaves_early(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Expr(Expr::Return(_) | Expr::Try(_), _))
}
