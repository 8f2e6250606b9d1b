//! `if`, `match` and `for` on the way of tensors, and assignments.

use super::body::{self, BodyParser};
use super::fields::Held;
use super::fold;
use super::length::Range;
use super::pattern::{Wanted, bound_by, names};
use super::scope::{Binding, Scope};
use crate::ir::control::{Arm, Branch, Level, Loop, Taken};
use crate::ir::{Arg, Body, Call, Setup, Var};
use crate::messages;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use std::collections::BTreeMap;
use syn::spanned::Spanned;
use syn::{BinOp, Expr, ExprForLoop, ExprIf, ExprMatch, Pat};

/// An arm before it is read.
struct Source<'a> {
    /// What stands before its block.
    head: TokenStream,
    /// The plain values that it binds.
    binds: Vec<String>,
    /// The optional field that it finds to be there, and its name.
    held: Option<(String, Held)>,
    /// Nothing for the `else` that is not written.
    body: Option<&'a Expr>,
    span: Span,
}

/// A nested body that was read.
struct Nested {
    part: Body,
    results: Vec<Var>,
    /// What its names mean at its end, and what the variables of the module are.
    scope: Scope,
    values: Vec<Var>,
}

/// What a nested body may assign to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A name, by its place in the scope.
    Name(usize),
    /// A variable of the module.
    Value(usize),
}

impl BodyParser<'_> {
    /// `if … { … } else if … { … } else { … }`. An arm that is known not to be taken is left out.
    pub(super) fn branch_if(&mut self, expr: &ExprIf, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let (mut sources, mut rest, mut begin) = (Vec::new(), Some(expr), quote!(if));
        let mut last: Option<Expr> = None;
        while let Some(branch) = rest.take() {
            let body = Expr::Block(syn::ExprBlock {
                attrs: Vec::new(),
                label: None,
                block: branch.then_branch.clone(),
            });
            let known = fold::condition(&branch.cond, &self.scope);
            if known == Some(true) {
                last = Some(body);
                break;
            }
            if known.is_none() {
                let condition = &branch.cond;
                self.plain(condition);
                let held = match &**condition {
                    Expr::Let(found) => self.held_in_option(&found.pat, &found.expr),
                    _ => None,
                };
                sources.push((quote!(#begin #condition), bound_by(condition), held, body));
                begin = quote!(else if);
            }
            match branch.else_branch.as_ref().map(|(_, other)| &**other) {
                Some(Expr::If(other)) => rest = Some(other),
                other => last = other.cloned(),
            }
        }
        if sources.is_empty() {
            return match &last {
                Some(body) => self.expression(body, wanted),
                None => Some(Vec::new()),
            };
        }
        if last.is_none() && !wanted.is_empty() {
            self.mistake(expr.if_token.span(), messages::NO_ELSE);
            // The other arms are read as if nothing were missing.
            last = Some(syn::parse_quote!(unreachable!()));
        }
        let arms = sources.iter().map(|(head, binds, held, body)| Source {
            head: head.clone(),
            binds: binds.clone(),
            held: held.clone(),
            body: Some(body),
            span: result_span(body),
        });
        let span = last.as_ref().map_or(expr.if_token.span(), result_span);
        let last = Source { head: quote!(else), binds: Vec::new(), held: None, body: last.as_ref(), span };
        self.branch("if", expr.if_token.span(), None, arms.chain([last]).collect(), wanted)
    }

    /// `match … { … }`.
    pub(super) fn branch_match(&mut self, expr: &ExprMatch, wanted: &[Wanted]) -> Option<Vec<Var>> {
        self.plain(&expr.expr);
        let mut sources = Vec::new();
        for arm in &expr.arms {
            let (attributes, pattern) = (&arm.attrs, &arm.pat);
            if let Pat::Guard(guarded) = pattern {
                self.plain(&guarded.guard);
            }
            let head = quote!(#(#attributes)* #pattern =>);
            sources.push(Source {
                head,
                binds: names(pattern),
                held: self.held_in_option(pattern, &expr.expr),
                body: Some(&arm.body),
                span: result_span(&arm.body),
            });
        }
        let scrutinee = &expr.expr;
        self.branch("match", expr.match_token.span(), Some(quote!(match #scrutinee)), sources, wanted)
    }

    /// What decides must not be a tensor. If it is, the arms are read all the same, and so are their mistakes.
    fn plain(&mut self, expr: &Expr) {
        if self.scope.touches_tensor(expr) {
            self.mistake_over(expr, messages::TENSOR_CONDITION);
        }
    }

    fn branch(
        &mut self,
        name: &str,
        span: Span,
        scrutinee: Option<TokenStream>,
        sources: Vec<Source>,
        wanted: &[Wanted],
    ) -> Option<Vec<Var>> {
        if self.place == body::Place::Closure || !self.axes.is_empty() {
            self.mistake(span, messages::CONTROL_IN_CLOSURE);
            return None;
        }
        let (id, classes) = (self.next_id(), self.classes.clone());
        let (before, values) = (self.scope.clone(), self.values.clone());
        let (mut arms, mut read, mut counts) = (Vec::new(), Vec::new(), classes.clone());
        for source in sources {
            if let Some(body) = source.body.filter(|body| diverges(body)) {
                arms.push((source.head, Err(quote!(#body)), source.span));
                continue;
            }
            self.classes.clone_from(&classes);
            let level = Level::Arm { branch: id, arm: read.len() };
            let nested = self.inside(level, |parser| {
                source.binds.iter().for_each(|name| parser.scope.bind(name, Binding::Value));
                if let Some((name, held)) = source.held {
                    parser.held.push(held);
                    parser.scope.bind(name, Binding::Held(parser.held.len() - 1));
                }
                source.body.map_or(Some(Vec::new()), |body| parser.expression(body, wanted))
            });
            merge(&mut counts, &self.classes);
            arms.push((source.head, Ok(read.len()), source.span));
            read.push(nested);
        }
        self.classes = counts;
        let read: Vec<Nested> = read.into_iter().collect::<Option<_>>()?;
        let assigned = assigned_in(&read, &before, &values);
        let bodies = read.into_iter().map(|nested| nested.result(&assigned)).collect();
        let call = |bodies: Vec<Body>| {
            let mut bodies = bodies.into_iter();
            let arms = arms.into_iter().filter_map(|(head, taken, span)| {
                let taken = match taken {
                    Ok(_) => Taken::Body(Box::new(bodies.next()?)),
                    Err(tokens) => Taken::Diverges(tokens),
                };
                Some(Arm { head, taken, span })
            });
            Call::Branch(Branch { id, scrutinee, arms: arms.collect() })
        };
        let outs = self.nested_equation(name, span, bodies, &[], call, wanted, &assigned);
        Some(outs)
    }

    /// `for … in … { … }`: one body for all passes, or with `#[unroll]` and over a tuple one for each. Where the passes cannot be
    /// counted, the body is read as a single one, so that its own mistakes are found as well.
    pub(super) fn for_loop(&mut self, expr: &ExprForLoop) -> Option<()> {
        if let Some((elements, numbered)) = self.sequence(unwrapped(&expr.expr)) {
            return self.unrolled_fields(expr, elements, numbered);
        }
        if self.iterates_over_tensor(&expr.expr) {
            self.mistake_over(&expr.expr, messages::TENSOR_ITERATED);
            return self.looped(expr, quote!(1), quote!(0));
        }
        let unroll = expr.attrs.iter().any(|attribute| attribute.path().is_ident("unroll"));
        match unwrapped(&expr.expr) {
            Expr::Tuple(tuple) => self.unrolled_tuple(expr, tuple),
            Expr::Range(range) => match (self.range(range, unroll), unroll) {
                (Some(Range { numbers: Some(numbers), .. }), true) => self.unrolled_range(expr, numbers),
                (Some(Range { length, start, .. }), _) => self.looped(expr, length, start),
                (None, true) => self.unrolled_range(expr, 0..1),
                (None, false) => self.looped(expr, quote!(1), quote!(0)),
            },
            other => {
                self.mistake_over(other, messages::RUN_TIME_LENGTH);
                self.looped(expr, quote!(1), quote!(0))
            }
        }
    }

    /// Whether the elements of a tensor would be gone through, rather than numbers or a tuple of tensors.
    fn iterates_over_tensor(&self, iterator: &Expr) -> bool {
        match unwrapped(iterator) {
            Expr::Tuple(_) | Expr::Range(_) => false,
            other => self.scope.touches_tensor(other),
        }
    }

    /// A pass a number, each with types of its own.
    fn unrolled_range(&mut self, expr: &ExprForLoop, numbers: std::ops::Range<i128>) -> Option<()> {
        if numbers.end - numbers.start > 1000 {
            self.mistake(expr.expr.span(), messages::UNROLL_TOO_LONG);
            return None;
        }
        for number in numbers {
            self.unrolled_pass(expr, |parser| {
                let value = proc_macro2::Literal::i128_unsuffixed(number);
                let pattern = &expr.pat;
                parser.setup(&quote!(let #pattern = #value;));
                names(pattern).into_iter().for_each(|name| parser.scope.bind(name, Binding::Number(number)));
                Some(())
            })?;
        }
        Some(())
    }

    /// A pass an element, each with types of its own.
    fn unrolled_tuple(&mut self, expr: &ExprForLoop, tuple: &syn::ExprTuple) -> Option<()> {
        for element in &tuple.elems {
            self.unrolled_pass(expr, |parser| {
                let pattern = &expr.pat;
                let binding: syn::Stmt = syn::parse_quote!(let #pattern = #element;);
                parser.statement(&binding);
                Some(())
            })?;
        }
        Some(())
    }

    /// A pass a submodule that a field holds: `for (i, layer) in self.layers.iter().enumerate()`.
    fn unrolled_fields(&mut self, expr: &ExprForLoop, elements: Vec<Held>, numbered: bool) -> Option<()> {
        let (number, element) = match (&*expr.pat, numbered) {
            (Pat::Tuple(both), true) if both.elems.len() == 2 => (Some(&both.elems[0]), &both.elems[1]),
            (pattern, false) => (None, pattern),
            (pattern, true) => {
                self.mistake(pattern.span(), messages::ENUMERATED);
                return None;
            }
        };
        for (index, held) in elements.iter().enumerate() {
            self.unrolled_pass(expr, |parser| {
                let (place, literal) = (held.to_expr(), proc_macro2::Literal::usize_unsuffixed(index));
                if let Some(number) = number {
                    parser.setup(&quote!(let #number = #literal;));
                    let bound = names(number).into_iter();
                    bound.for_each(|name| parser.scope.bind(name, Binding::Number(index as i128)));
                }
                parser.statement(&syn::parse_quote!(let #element = #place;));
                Some(())
            })?;
        }
        Some(())
    }

    /// A pass is a block of its own.
    fn unrolled_pass(
        &mut self,
        expr: &ExprForLoop,
        bind: impl FnOnce(&mut Self) -> Option<()>,
    ) -> Option<()> {
        let (before, mark) = (self.body.setup.len(), self.scope.mark());
        self.body.setup.push((self.body.eqns.len(), Setup::Enter));
        self.unrolled += 1;
        let read = bind(self).and_then(|()| self.block(&expr.body, &[]));
        self.unrolled -= 1;
        self.scope.leave(mark);
        self.leave_setup(before);
        read.map(|_| ())
    }

    /// One body for all passes.
    fn looped(&mut self, expr: &ExprForLoop, length: TokenStream, start: TokenStream) -> Option<()> {
        let span = expr.for_token.span();
        if self.place == body::Place::Closure || !self.axes.is_empty() {
            self.mistake(span, messages::CONTROL_IN_CLOSURE);
            return None;
        }
        let (id, classes) = (self.next_id(), self.classes.clone());
        let (before, values) = (self.scope.clone(), self.values.clone());
        let places = assigned_names(expr.body.to_token_stream(), &self.scope);
        let initial: Vec<Var> = places.iter().filter_map(|&place| self.at(place)).collect();
        let carried: Vec<Var> = places.iter().map(|&place| self.carry(place, span)).collect();
        let level = Level::Pass { of: id, length: length.clone(), start: start.clone() };
        let nested = self.inside(level, |parser| {
            let binding =
                if matches!(&*expr.pat, Pat::Ident(_)) { Binding::Pass(id) } else { Binding::Value };
            names(&expr.pat).into_iter().for_each(|name| parser.scope.bind(name, binding));
            parser.block(&expr.body, &[])
        });
        (self.scope, self.values) = (before, values);
        merge_passes(&mut self.classes, &classes, &length);
        let mut body = nested?.result(&places);
        body.inputs = carried;
        let (pattern, iterator) = (&expr.pat, &expr.expr);
        let (pattern, iterator) = (quote!(#pattern), quote!(#iterator));
        let call = |bodies: Vec<Body>| {
            let body = Box::new(bodies.into_iter().next().unwrap_or_default());
            Call::Loop(Loop { id, pattern, iterator, length, start, body, carried: initial.len() })
        };
        self.nested_equation("for", span, vec![body], &initial, call, &[], &places);
        Some(())
    }

    fn next_id(&mut self) -> usize {
        self.branches_and_loops += 1;
        self.branches_and_loops - 1
    }

    /// Reads a body inside of this one. The names mean what they meant afterwards.
    fn inside(&mut self, level: Level, read: impl FnOnce(&mut Self) -> Option<Vec<Var>>) -> Option<Nested> {
        let (scope, values, around) = (self.scope.clone(), self.values.clone(), self.body.take_part());
        self.nest.push(level);
        let results = read(self);
        self.nest.pop();
        let part = self.body.replace_part(around);
        let scope = std::mem::replace(&mut self.scope, scope);
        let inside = self.values.clone();
        self.values[..values.len()].copy_from_slice(&values);
        results.map(|results| Nested { part, results, scope, values: inside })
    }

    /// What stands at a place.
    fn at(&self, place: Place) -> Option<Var> {
        match place {
            Place::Name(place) => self.scope.var(place),
            Place::Value(variable) => self.values.get(variable).copied(),
        }
    }

    fn put(&mut self, place: Place, var: Var) {
        match place {
            Place::Name(place) => self.scope.assign(place, var),
            Place::Value(variable) => self.values[variable] = var,
        }
    }

    fn name_at(&self, place: Place) -> &str {
        match place {
            Place::Name(place) => self.scope.name(place),
            Place::Value(variable) => &self.body.variables[variable].name,
        }
    }

    /// A variable that is carried into a pass.
    fn carry(&mut self, place: Place, span: Span) -> Var {
        let name = self.name_at(place).to_string();
        let var = self.body.var(name, span, None);
        self.put(place, var);
        var
    }

    /// The equation of nested bodies, whose further inputs are what they use from outside. What they assign to is a result.
    #[allow(clippy::too_many_arguments)]
    fn nested_equation(
        &mut self,
        name: &str,
        span: Span,
        mut bodies: Vec<Body>,
        initial: &[Var],
        call: impl FnOnce(Vec<Body>) -> Call,
        wanted: &[Wanted],
        assigned: &[Place],
    ) -> Vec<Var> {
        let mut captured: Vec<Var> = Vec::new();
        for var in bodies.iter().flat_map(Body::free) {
            if !captured.contains(&var) {
                captured.push(var);
            }
        }
        bodies.iter_mut().for_each(|body| body.inputs.extend(&captured));
        let args = initial.iter().chain(&captured).map(|&var| Arg::Var(var)).collect();
        let results = assigned.iter().map(|&place| Wanted::called(self.name_at(place), span));
        let results: Vec<Wanted> = wanted.iter().cloned().chain(results).collect();
        let mut outs = self.equation(name, span, call(bodies), args, &results);
        let rebound = outs.split_off(wanted.len());
        assigned.iter().zip(rebound).for_each(|(&place, var)| self.put(place, var));
        outs
    }

    /// `x = relu(x)`, `(a, b) = (b, a)`: the names mean other variables from here on.
    pub(super) fn assignment(&mut self, left: &Expr, right: &Expr) -> Option<()> {
        let mut wanted = Vec::new();
        let mut places = Vec::new();
        for target in targets(left) {
            let place = match target {
                Expr::Infer(_) => None,
                other => Some(self.target(other)?),
            };
            wanted.push(match place {
                Some(place) => Wanted::called(self.scope.name(place), target.span()),
                None => Wanted::anything(target.span()),
            });
            places.push(place);
        }
        let vars = self.expression(right, &wanted)?;
        for (place, var) in places.into_iter().zip(vars) {
            if let Some(place) = place {
                self.scope.assign(place, var);
            }
        }
        Some(())
    }

    /// The place of a name that is assigned to.
    fn target(&mut self, expr: &Expr) -> Option<usize> {
        let Expr::Path(path) = expr else {
            self.mistake(expr.span(), messages::ASSIGNMENT);
            return None;
        };
        let place = path.path.get_ident().and_then(|name| self.scope.position(&name.to_string()));
        let Some(place) = place.filter(|&place| self.scope.var(place).is_some()) else {
            self.mistake(expr.span(), messages::ASSIGNED_VALUE);
            return None;
        };
        if !self.scope.is_mutable(place) {
            self.mistake(expr.span(), messages::not_mutable(self.scope.name(place)));
            return None;
        }
        Some(place)
    }

    /// `x += y` is `x = x + y`.
    pub(super) fn compound_assignment(&mut self, binary: &syn::ExprBinary) -> Option<()> {
        let span = binary.op.span();
        let op = match binary.op {
            BinOp::AddAssign(_) => BinOp::Add(syn::Token![+](span)),
            BinOp::SubAssign(_) => BinOp::Sub(syn::Token![-](span)),
            BinOp::MulAssign(_) => BinOp::Mul(syn::Token![*](span)),
            _ => BinOp::Div(syn::Token![/](span)),
        };
        let right = Expr::Binary(syn::ExprBinary { op, ..binary.clone() });
        self.assignment(&binary.left, &right)
    }
}

impl Nested {
    /// What stands at a place at the end of the body.
    fn at(&self, place: Place) -> Option<Var> {
        match place {
            Place::Name(place) => self.scope.var(place),
            Place::Value(variable) => self.values.get(variable).copied(),
        }
    }

    /// The body, whose results are its own and what stands at these places at its end.
    fn result(mut self, places: &[Place]) -> Body {
        let assigned: Vec<Var> = places.iter().filter_map(|&place| self.at(place)).collect();
        self.part.outputs = self.results;
        self.part.outputs.extend(assigned);
        self.part
    }
}

/// Whether an operator assigns.
pub(super) fn assigns(op: &BinOp) -> bool {
    matches!(op, BinOp::AddAssign(_) | BinOp::SubAssign(_) | BinOp::MulAssign(_) | BinOp::DivAssign(_))
}

/// The places to which one of these bodies assigns.
fn assigned_in(read: &[Nested], before: &Scope, values: &[Var]) -> Vec<Place> {
    let names = read.iter().flat_map(|nested| nested.scope.assigned_since(before)).map(Place::Name);
    let written = read.iter().flat_map(|nested| {
        let pairs = nested.values.iter().zip(values).enumerate();
        pairs.filter(|(_, (now, then))| now != then).map(|(variable, _)| Place::Value(variable))
    });
    once(names.chain(written).collect())
}

fn once(mut places: Vec<Place>) -> Vec<Place> {
    places.sort_unstable();
    places.dedup();
    places
}

/// The places that code may assign to.
fn assigned_names(code: TokenStream, scope: &Scope) -> Vec<Place> {
    let mut places = Vec::new();
    find_assigned(code, scope, &mut places);
    once(places)
}

/// A name, a list of names, or the value of a variable, before `=`, `+=`, `-=`, `*=` or `/=`.
fn find_assigned(code: TokenStream, scope: &Scope, places: &mut Vec<Place>) {
    let tokens: Vec<TokenTree> = code.into_iter().collect();
    let is = |index: usize, allowed: &[char]| matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if allowed.contains(&punct.as_char()));
    for (index, token) in tokens.iter().enumerate() {
        let assigned = is(index + 1, &['=']) && !is(index + 2, &['=', '>'])
            || is(index + 1, &['+', '-', '*', '/']) && is(index + 2, &['=']);
        match token {
            TokenTree::Ident(value) if assigned && value == "value" && index > 1 && is(index - 1, &['.']) => {
                let name = tokens[index - 2].to_string();
                if let Some(Binding::Variable(variable)) = scope.get(&name) {
                    places.push(Place::Value(variable));
                }
            }
            TokenTree::Ident(name) if assigned => places.extend(mutable(&name.to_string(), scope)),
            TokenTree::Group(group) => {
                if assigned {
                    let names = group.stream().into_iter().map(|token| token.to_string());
                    places.extend(names.filter_map(|name| mutable(&name, scope)));
                }
                find_assigned(group.stream(), scope, places);
            }
            _ => {}
        }
    }
}

/// The place of a tensor that may be assigned to.
fn mutable(name: &str, scope: &Scope) -> Option<Place> {
    let place = scope.position(name);
    place.filter(|&place| scope.is_mutable(place) && scope.var(place).is_some()).map(Place::Name)
}

fn targets(left: &Expr) -> Vec<&Expr> {
    match left {
        Expr::Tuple(tuple) => tuple.elems.iter().flat_map(targets).collect(),
        Expr::Paren(inner) => targets(&inner.expr),
        other => vec![other],
    }
}

/// Where the result of an arm stands.
fn result_span(body: &Expr) -> Span {
    match body {
        Expr::Block(block) => block.block.stmts.last().map_or_else(|| body.span(), Spanned::span),
        other => other.span(),
    }
}

/// Whether an arm ends the program.
fn diverges(body: &Expr) -> bool {
    let call = match body {
        Expr::Macro(call) => &call.mac,
        Expr::Block(block) => match block.block.stmts.as_slice() {
            [syn::Stmt::Macro(call)] => &call.mac,
            [syn::Stmt::Expr(expr, _)] => return diverges(expr),
            _ => return false,
        },
        _ => return false,
    };
    let ends = ["panic", "unreachable", "todo", "unimplemented"];
    call.path.segments.last().is_some_and(|last| ends.iter().any(|end| last.ident == end))
}

fn unwrapped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(inner) => unwrapped(&inner.expr),
        Expr::Group(inner) => unwrapped(&inner.expr),
        other => other,
    }
}

/// The larger of two counts of every class.
fn merge(counts: &mut BTreeMap<String, usize>, others: &BTreeMap<String, usize>) {
    for (class, &count) in others {
        let known = counts.entry(class.clone()).or_default();
        *known = count.max(*known);
    }
}

/// Counts as many submodules as all passes make, if it is known how many passes there are.
fn merge_passes(
    counts: &mut BTreeMap<String, usize>,
    before: &BTreeMap<String, usize>,
    length: &TokenStream,
) {
    let passes: usize = length.to_string().parse().unwrap_or(1);
    for (class, count) in counts {
        let before = before.get(class).copied().unwrap_or(0);
        *count = before + (*count - before) * passes;
    }
}
