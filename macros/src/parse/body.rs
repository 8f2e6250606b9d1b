//! The body of a function: statements to equations.
//!
//! The rest of the reader stands beside it: [`pattern`](super::pattern) reads what is bound, [`expression`](super::expression)
//! what is computed, [`declare`](super::declare) what is declared in place.

use super::control::assigns;
use super::dims::TensorType;
use super::fields::{Held, held, is_self};
use super::methods::Context;
use super::pattern::{Wanted, names, single_name};
use super::scope::{Binding, Scope};
use super::signature::tensor_type;
use crate::diag::Diagnostics;
use crate::ir::control::Level;
use crate::ir::{Body, Setup, Signature, Var};
use crate::messages;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
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
    /// How many equations of each name there are.
    pub(super) labels: BTreeMap<String, usize>,
    /// How many submodules and parameters are declared.
    pub(super) declared: usize,
    /// The submodules that the user gave no name, with their classes.
    pub(super) automatic: Vec<(usize, String)>,
    /// What stands around the place that is read, the outermost first.
    pub(super) nest: Vec<Level>,
    /// How many branches and loops there are.
    pub(super) branches_and_loops: usize,
    /// How many loops that are unrolled stand around.
    pub(super) unrolled: usize,
    /// The names of the axes of the `vmap!`s around what is read, the outermost first.
    pub(super) axes: Vec<TokenStream>,
    /// In how many `vmap!`s a variable was bound, if in any.
    pub(super) levels: BTreeMap<Var, usize>,
    /// In a module of values along axes: the axes, as a type.
    pub(super) along: Option<TokenStream>,
    /// The value of each variable of the module, as of here.
    pub(super) values: Vec<Var>,
    /// The `impl` around a module's method.
    pub(super) module: Option<&'a Context>,
    /// The generics of the method.
    pub(super) generics: Option<Generics>,
    /// The type parameters of the method and of the `impl`.
    pub(super) type_params: Vec<Ident>,
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
            labels: BTreeMap::new(),
            declared: 0,
            automatic: Vec::new(),
            nest: Vec::new(),
            branches_and_loops: 0,
            unrolled: 0,
            axes: Vec::new(),
            levels: BTreeMap::new(),
            along: None,
            values: Vec::new(),
            module: None,
            generics: None,
            type_params: Vec::new(),
            held: Vec::new(),
            inlining: Vec::new(),
            inlined: Vec::new(),
        }
    }

    /// Declares the inputs of a function.
    pub fn inputs(&mut self, signature: &Signature) {
        self.generics = Some(signature.inner.clone());
        let params = signature.outer.type_params().chain(signature.inner.type_params());
        self.type_params = params.map(|param| param.ident.clone()).collect();
        for (name, ty) in &signature.inputs {
            self.input(name, ty.tensor().cloned());
        }
        for name in &signature.mutable {
            if let Some(binding) = self.scope.get(&name.to_string()) {
                self.scope.bind_mut(name.to_string(), binding);
            }
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

    /// Notes a mistake in code that is underlined as a whole.
    pub(super) fn mistake_over(&mut self, code: &impl ToTokens, message: impl std::fmt::Display) {
        self.diagnostics.over(code, message);
    }

    /// The body that was read.
    pub fn finish(mut self) -> Body {
        self.refuse_keys_used_twice();
        self.count_at_run_time();
        self.body.share();
        self.body.drop_idle_setup();
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
            _ if wanted.is_empty() => {
                block.stmts.iter().for_each(|statement| self.statement(statement));
                Some(Vec::new())
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
        self.leave_setup(before);
        result
    }

    /// Ends the block of plain statements that began when there were so many.
    pub(super) fn leave_setup(&mut self, before: usize) {
        match self.body.setup.len() - before {
            1 => self.body.setup.truncate(before),
            _ => self.body.setup.push((self.body.eqns.len(), Setup::Leave)),
        }
    }

    pub(super) fn statement(&mut self, statement: &Stmt) {
        if let Some((branch, phase)) = self.updates_in_training(statement) {
            return self.update_in_training(branch, &phase);
        }
        match statement {
            Stmt::Local(local) => self.binding(local),
            Stmt::Macro(call) if call.mac.path.is_ident("sow") => self.sow(&call.mac),
            Stmt::Expr(expr, _) => {
                self.effect(expr);
            }
            statement if !self.scope.touches_tensor(statement) => self.setup(statement),
            other => self.mistake(other.span(), messages::NOT_A_CALL),
        }
    }

    /// An expression whose value nobody wants.
    pub(super) fn effect(&mut self, expr: &Expr) -> Option<()> {
        if let Expr::Assign(assign) = expr
            && self.module.is_some()
            && is_of_self(&assign.left)
        {
            self.mistake(assign.eq_token.span(), messages::FIELD_ASSIGNMENT);
            return None;
        }
        if self.scope.touches_tensor(expr) {
            return match expr {
                Expr::Paren(inner) => self.effect(&inner.expr),
                Expr::Block(block) if block.label.is_none() => {
                    self.inner_block(&block.block, &[]).map(|_| ())
                }
                Expr::If(branch) => self.branch_if(branch, &[]).map(|_| ()),
                Expr::Match(branch) => self.branch_match(branch, &[]).map(|_| ()),
                Expr::ForLoop(repeated) if repeated.label.is_none() => self.for_loop(repeated),
                Expr::Assign(assignment)
                    if let Expr::Field(field) = &*assignment.left
                        && let Some(variable) = self.variable_of(field) =>
                {
                    self.write(variable, assignment);
                    Some(())
                }
                Expr::Assign(assignment) => self.assignment(&assignment.left, &assignment.right),
                Expr::Binary(binary) if assigns(&binary.op) => self.compound_assignment(binary),
                // The value is dropped, but what is wrong inside shall be said.
                other => self.expression(other, &[Wanted::anything(other.span())]).map(|_| ()),
            };
        }
        match leaves_early(expr, self.in_loop()) {
            Some((span, word)) => {
                self.mistake(span, self.why_not(&word));
                None
            }
            None => {
                self.setup(&quote!(#expr;));
                Some(())
            }
        }
    }

    /// Whether a loop stands around what is read.
    pub(super) fn in_loop(&self) -> bool {
        self.unrolled > 0 || self.nest.iter().any(|level| matches!(level, Level::Pass { .. }))
    }

    /// Why the body is not left here, by this word.
    pub(super) fn why_not(&self, word: &str) -> &'static str {
        match (word, self.in_loop()) {
            ("break" | "continue", _) => messages::BREAK,
            (_, true) => messages::RETURN_IN_LOOP,
            (_, false) => messages::EARLY_RETURN,
        }
    }

    pub(super) fn setup(&mut self, statement: &impl ToTokens) {
        let statement = Setup::Statement(statement.to_token_stream());
        self.body.setup.push((self.body.eqns.len(), statement));
    }

    pub(super) fn binding(&mut self, local: &Local) {
        if let Some(unroll) = local.attrs.iter().find(|attribute| attribute.path().is_ident("unroll")) {
            self.mistake_over(unroll, messages::UNROLL_FOR);
        }
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
        match wanted.name {
            Some(name) if wanted.mutable => self.scope.bind_mut(name, Binding::Tensor(var)),
            Some(name) => self.scope.bind(name, Binding::Tensor(var)),
            None => {}
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

/// Where plain code leaves the body, or a pass of a loop that is lowered, and by which word.
fn leaves_early(expr: &Expr, in_loop: bool) -> Option<(Span, String)> {
    match expr {
        Expr::Return(_) | Expr::Try(_) => Some((expr.span(), "return".to_string())),
        Expr::ForLoop(_) | Expr::While(_) | Expr::Loop(_) => None,
        other if in_loop => word(other.to_token_stream(), &["break", "continue", "return"]),
        _ => None,
    }
}

/// Where the first of these words stands.
fn word(tokens: TokenStream, words: &[&str]) -> Option<(Span, String)> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) => {
            words.iter().any(|word| ident == word).then(|| (ident.span(), ident.to_string()))
        }
        TokenTree::Group(group) => word(group.stream(), words),
        _ => None,
    })
}
