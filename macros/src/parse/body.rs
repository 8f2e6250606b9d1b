//! The body of a function: statements and expressions to equations.

use super::arguments::op_of;
use super::compact::{Compact, ParamCall, field_of};
use super::dims::TensorType;
use super::scope::{Binding, Scope};
use super::signature::tensor_type;
use crate::diag::Diagnostics;
use crate::ir::{Arg, Body, Call, Eqn, Param, Setup, Signature, Submodule, Var};
use crate::messages;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use std::collections::BTreeMap;
use syn::spanned::Spanned;
use syn::{BinOp, Block, Expr, ExprCall, ExprMethodCall, Ident, Local, Pat, Stmt, Type, UnOp};

/// Where a body stands, which decides what it may declare and what a name from outside is.
#[derive(Clone, Copy, PartialEq)]
pub enum Place {
    /// The `call` of a module.
    Module,
    /// A free function.
    Function,
    /// A closure, whose surroundings have tensors too.
    Closure,
}

/// What a result is to be called.
#[derive(Clone)]
struct Wanted {
    name: Option<String>,
    span: Span,
    declared: Option<TensorType>,
}

impl Wanted {
    fn anything(span: Span) -> Self {
        Wanted { name: None, span, declared: None }
    }
}

/// Reads a body. A mistake is noted and reading goes on, so that all mistakes show at once.
pub struct BodyParser<'a> {
    place: Place,
    body: Body,
    scope: Scope,
    diagnostics: &'a mut Diagnostics,
    /// How many submodules of each class there are.
    classes: BTreeMap<String, usize>,
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
        }
    }

    /// Declares the inputs of a function.
    pub fn inputs(&mut self, signature: &Signature) {
        for (name, ty) in &signature.inputs {
            self.input(name, ty.tensor().cloned());
        }
    }

    /// Declares one input.
    pub fn input(&mut self, name: &Ident, declared: Option<TensorType>) {
        let var = self.body.var(name.to_string(), name.span(), declared);
        self.body.inputs.push(var);
        self.scope.bind(name.to_string(), Binding::Tensor(var));
    }

    /// Notes a mistake.
    pub fn mistake(&mut self, span: Span, message: impl std::fmt::Display) {
        self.diagnostics.at(span, message);
    }

    /// The body that was read.
    pub fn finish(self) -> Body {
        self.body
    }

    /// Reads the block of a function with so many results.
    pub fn function_body(&mut self, block: &Block, results: usize) {
        if let Some(outputs) = self.block(block, &vec![Wanted::anything(block.span()); results]) {
            self.body.outputs = outputs;
        }
    }

    /// Reads the body of a closure that ends in the loss or in `(loss, aux)`.
    pub fn closure_body(&mut self, body: &Expr) {
        let tail = match body {
            Expr::Block(block) => match block.block.stmts.last() {
                Some(Stmt::Expr(tail, None)) => tail,
                _ => body,
            },
            other => other,
        };
        let results = match tail {
            Expr::Tuple(tuple) => tuple.elems.len(),
            _ => 1,
        };
        if results != 1 && results != 2 {
            return self.mistake(tail.span(), messages::AUX_FORM);
        }
        let wanted = vec![Wanted::anything(tail.span()); results];
        let outputs = match body {
            Expr::Block(block) => self.block(&block.block, &wanted),
            other => self.expression(other, &wanted),
        };
        self.body.outputs = outputs.unwrap_or_default();
    }

    fn block(&mut self, block: &Block, wanted: &[Wanted]) -> Option<Vec<Var>> {
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
    fn inner_block(&mut self, block: &Block, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let before = self.body.setup.len();
        self.body.setup.push((self.body.eqns.len(), Setup::Enter));
        let result = self.block(block, wanted);
        match self.body.setup.len() - before {
            1 => self.body.setup.truncate(before),
            _ => self.body.setup.push((self.body.eqns.len(), Setup::Leave)),
        }
        result
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Local(local) => self.binding(local),
            statement if !self.scope.touches_tensor(statement) && !leaves_early(statement) => {
                self.setup(statement)
            }
            Stmt::Expr(expr, _) => {
                // The value is dropped, but what is wrong inside shall be said.
                self.expression(expr, &[Wanted::anything(expr.span())]);
            }
            other => self.mistake(other.span(), messages::NOT_A_CALL),
        }
    }

    fn setup(&mut self, statement: &impl ToTokens) {
        let statement = Setup::Statement(statement.to_token_stream());
        self.body.setup.push((self.body.eqns.len(), statement));
    }

    fn binding(&mut self, local: &Local) {
        let Some(init) = &local.init else {
            return self.mistake(local.span(), messages::NOT_A_CALL);
        };
        if self.place != Place::Closure && is_closure_over_tensors(&init.expr) {
            names(&local.pat).into_iter().for_each(|name| self.scope.bind(name, Binding::Value));
            return self.mistake(init.expr.span(), messages::CLOSURE);
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

    fn bind(&mut self, wanted: Wanted, var: Var) {
        if let Some(name) = wanted.name {
            self.scope.bind(name, Binding::Tensor(var));
        }
    }

    fn pattern(&mut self, pattern: &Pat) -> Option<Vec<Wanted>> {
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

    /// The variables that an expression yields, as many as are wanted.
    fn expression(&mut self, expr: &Expr, wanted: &[Wanted]) -> Option<Vec<Var>> {
        match expr {
            Expr::Paren(inner) => self.expression(&inner.expr, wanted),
            Expr::Group(inner) => self.expression(&inner.expr, wanted),
            Expr::Reference(inner) if inner.mutability.is_none() => self.expression(&inner.expr, wanted),
            Expr::Block(block) if block.label.is_none() => self.inner_block(&block.block, wanted),
            Expr::Tuple(tuple) if tuple.elems.len() == wanted.len() => {
                let parts = tuple.elems.iter().zip(wanted);
                let vars: Vec<_> = parts.map(|(part, wanted)| self.one(part, wanted)).collect();
                vars.into_iter().collect()
            }
            Expr::Path(path) => self.name(path).map(|var| vec![var]),
            Expr::Call(call) => self.call(call, wanted),
            Expr::MethodCall(call) => self.method(call, wanted),
            Expr::Binary(binary) => self.binary(binary, wanted),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
                let operand = self.one(&unary.expr, &Wanted::anything(unary.expr.span()))?;
                self.operator("neg", unary.op.span(), vec![Arg::Var(operand)], None, wanted)
            }
            Expr::Macro(call) if call.mac.path.is_ident("param") => self.param(call, wanted),
            other => {
                self.mistake(other.span(), refusal(other));
                None
            }
        }
    }

    fn one(&mut self, expr: &Expr, wanted: &Wanted) -> Option<Var> {
        self.expression(expr, std::slice::from_ref(wanted)).and_then(|vars| vars.first().copied())
    }

    fn name(&mut self, path: &syn::ExprPath) -> Option<Var> {
        let binding = path.path.get_ident().and_then(|name| self.scope.get(&name.to_string()));
        match binding {
            Some(Binding::Tensor(var)) if !self.body.info(var).is_tree => return Some(var),
            Some(Binding::Tensor(_)) => self.mistake(path.span(), messages::TREE_AS_TENSOR),
            Some(Binding::Submodule(_)) => self.mistake(path.span(), messages::SUBMODULE_AS_VALUE),
            _ => self.mistake(path.span(), messages::NOT_A_TENSOR),
        }
        None
    }

    fn call(&mut self, call: &ExprCall, wanted: &[Wanted]) -> Option<Vec<Var>> {
        match &*call.func {
            Expr::Macro(callee) if callee.mac.path.is_ident("compact") => {
                let index = self.declare(&callee.mac);
                let args = self.tensors(call.args.iter())?;
                self.submodule_call(index?, args, wanted)
            }
            Expr::Path(path) if path.qself.is_none() => {
                let binding = path.path.get_ident().and_then(|name| self.scope.get(&name.to_string()));
                if let Some(Binding::Submodule(index)) = binding {
                    let args = self.tensors(call.args.iter())?;
                    return self.submodule_call(index, args, wanted);
                }
                let (args, values) = self.arguments(call.args.iter())?;
                let name = path.path.segments.last()?.ident.clone();
                let op = Call::Op { ty: op_of(&path.path), values };
                Some(self.equation(&name.to_string(), name.span(), op, args, wanted))
            }
            Expr::Paren(inner) => {
                let unwrapped = ExprCall { func: inner.expr.clone(), ..call.clone() };
                self.call(&unwrapped, wanted)
            }
            other => {
                self.mistake(other.span(), messages::CALLEE);
                None
            }
        }
    }

    /// Arguments that are all tensors.
    fn tensors<'e>(&mut self, args: impl Iterator<Item = &'e Expr>) -> Option<Vec<Arg>> {
        let args: Vec<_> =
            args.map(|arg| self.one(arg, &Wanted::anything(arg.span())).map(Arg::Var)).collect();
        args.into_iter().collect()
    }

    /// Arguments of an op: the tensors, and the values for its `new`.
    fn arguments<'e>(
        &mut self,
        exprs: impl Iterator<Item = &'e Expr>,
    ) -> Option<(Vec<Arg>, Vec<TokenStream>)> {
        let (mut args, mut values, mut whole) = (Vec::new(), Vec::new(), true);
        for expr in exprs {
            match self.argument(expr) {
                Some(Argument::Tensor(arg)) => args.push(arg),
                Some(Argument::Value(value)) => values.push(value),
                None => whole = false,
            }
        }
        whole.then_some((args, values))
    }

    fn argument(&mut self, expr: &Expr) -> Option<Argument> {
        if self.scope.touches_tensor(expr) {
            return self.one(expr, &Wanted::anything(expr.span())).map(|var| Argument::Tensor(Arg::Var(var)));
        }
        match self.place == Place::Closure && !is_constant(expr) {
            true => Some(Argument::Tensor(Arg::Outside(quote!(#expr)))),
            false => Some(Argument::Value(quote!(#expr))),
        }
    }

    fn method(&mut self, call: &ExprMethodCall, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let name = &call.method;
        if self.place == Place::Closure && name == "apply" && !self.scope.touches_tensor(&call.receiver) {
            return self.apply(call, wanted);
        }
        if name == "clone" {
            return self.expression(&call.receiver, wanted);
        }
        let exprs = std::iter::once(&*call.receiver).chain(&call.args);
        let (args, values) = self.arguments(exprs)?;
        let generics = &call.turbofish;
        let room: syn::Path = syn::parse_quote_spanned!(name.span()=> ::flaxen::ops::#name #generics);
        let op = Call::Op { ty: op_of(&room), values };
        Some(self.equation(&name.to_string(), name.span(), op, args, wanted))
    }

    fn apply(&mut self, call: &ExprMethodCall, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let mut exprs = call.args.iter();
        let Some(variables) = exprs.next() else {
            self.mistake(call.method.span(), messages::APPLY_VARIABLES);
            return None;
        };
        let variables = match strip_reference(variables) {
            Expr::Path(path) => {
                match path.path.get_ident().and_then(|name| self.scope.get(&name.to_string())) {
                    Some(Binding::Tensor(var)) => {
                        self.body.vars[var.0].is_tree = true;
                        Arg::Var(var)
                    }
                    _ => Arg::Outside(quote!(#variables)),
                }
            }
            _ => Arg::Outside(quote!(#variables)),
        };
        let (args, _) = self.arguments(exprs)?;
        let model = &call.receiver;
        let name = &call.method;
        let model = Call::Apply { model: quote!(#model), variables };
        Some(self.equation(&name.to_string(), name.span(), model, args, wanted))
    }

    fn binary(&mut self, binary: &syn::ExprBinary, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let (room, into_value) = match binary.op {
            BinOp::Add(_) => ("add", "Scalar"),
            BinOp::Sub(_) => ("sub", "FromScalar"),
            BinOp::Mul(_) => ("mul", "Scalar"),
            BinOp::Div(_) => ("div", "IntoScalar"),
            BinOp::AddAssign(_) | BinOp::SubAssign(_) | BinOp::MulAssign(_) | BinOp::DivAssign(_) => {
                self.mistake(binary.op.span(), messages::ASSIGNMENT);
                return None;
            }
            _ => {
                self.mistake(binary.op.span(), messages::NOT_A_CALL);
                return None;
            }
        };
        let (left, right) = (self.argument(&binary.left), self.argument(&binary.right));
        let span = binary.op.span();
        match (left?, right?) {
            (Argument::Tensor(left), Argument::Tensor(right)) => {
                self.operator(room, span, vec![left, right], None, wanted)
            }
            (Argument::Tensor(left), Argument::Value(value)) => {
                self.operator(room, span, vec![left], Some(("Scalar", value)), wanted)
            }
            (Argument::Value(value), Argument::Tensor(right)) => {
                self.operator(room, span, vec![right], Some((into_value, value)), wanted)
            }
            (Argument::Value(_), Argument::Value(_)) => {
                self.mistake(binary.span(), messages::NOT_A_TENSOR);
                None
            }
        }
    }

    /// Rust's own operators are the ops that the macro knows by name.
    fn operator(
        &mut self,
        room: &str,
        span: Span,
        args: Vec<Arg>,
        scalar: Option<(&str, TokenStream)>,
        wanted: &[Wanted],
    ) -> Option<Vec<Var>> {
        let module = Ident::new(room, span);
        let op = Ident::new(scalar.as_ref().map_or("Op", |(form, _)| form), span);
        let ty = quote_spanned!(span=> ::flaxen::ops::#module::#op);
        let values = scalar.into_iter().map(|(_, value)| value).collect();
        Some(self.equation(room, span, Call::Op { ty, values }, args, wanted))
    }

    fn equation(
        &mut self,
        name: &str,
        span: Span,
        call: Call,
        args: Vec<Arg>,
        wanted: &[Wanted],
    ) -> Vec<Var> {
        let outs = wanted
            .iter()
            .map(|wanted| {
                let out = wanted.name.clone().unwrap_or_else(|| name.to_string());
                self.body.var(out, wanted.span, wanted.declared.clone())
            })
            .collect::<Vec<_>>();
        let label = self.body.label(name);
        self.body.eqns.push(Eqn { label, outs: outs.clone(), call, args, span });
        outs
    }

    fn submodule_call(&mut self, index: usize, args: Vec<Arg>, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let submodule = &self.body.submodules[index];
        let (name, span) = (submodule.field.to_string(), submodule.span);
        Some(self.equation(&name, span, Call::Submodule(index), args, wanted))
    }

    /// `compact!(…)`: a new submodule. As in Flax it gets its number where it is constructed.
    fn declare(&mut self, call: &syn::Macro) -> Option<usize> {
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
        self.body.submodules.push(Submodule { name, field, ty, text, keywords, span });
        Some(self.body.submodules.len() - 1)
    }

    fn param(&mut self, call: &syn::ExprMacro, wanted: &[Wanted]) -> Option<Vec<Var>> {
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

enum Argument {
    Tensor(Arg),
    Value(TokenStream),
}

/// Whether it is a closure whose arguments may be tensors: one that does not say that they are something else.
fn is_closure_over_tensors(expr: &Expr) -> bool {
    let Expr::Closure(closure) = expr else { return false };
    closure.inputs.iter().any(|input| match input {
        Pat::Type(typed) => tensor_type(&typed.ty, messages::INPUT_TYPE).is_ok(),
        _ => true,
    })
}

fn strip_reference(expr: &Expr) -> &Expr {
    match expr {
        Expr::Reference(reference) => strip_reference(&reference.expr),
        other => other,
    }
}

/// Numbers, and constants by their name.
fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => is_constant(&unary.expr),
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            !name.contains(char::is_lowercase) && name.len() > 1
        }),
        _ => false,
    }
}

fn leaves_early(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Expr(Expr::Return(_) | Expr::Try(_), _))
}

fn single_name(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Some(&name.ident),
        _ => None,
    }
}

/// All names that a pattern binds.
fn names(pattern: &Pat) -> Vec<String> {
    match pattern {
        Pat::Ident(name) => vec![name.ident.to_string()],
        Pat::Tuple(tuple) => tuple.elems.iter().flat_map(names).collect(),
        Pat::Type(typed) => names(&typed.pat),
        Pat::Paren(inner) => names(&inner.pat),
        _ => Vec::new(),
    }
}

/// What to say of an expression that is not lowered.
fn refusal(expr: &Expr) -> &'static str {
    match expr {
        Expr::Closure(_) => messages::CLOSURE,
        Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => messages::EARLY_RETURN,
        Expr::While(_) => messages::WHILE,
        Expr::Loop(_) | Expr::ForLoop(_) => messages::LOOP,
        Expr::If(_) | Expr::Match(_) => messages::BRANCH,
        Expr::Try(_) => messages::QUESTION_MARK,
        Expr::Assign(_) => messages::ASSIGNMENT,
        Expr::Index(_) => messages::INDEXING,
        Expr::Field(_) => messages::FIELD,
        _ => messages::NOT_A_CALL,
    }
}
