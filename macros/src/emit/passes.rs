//! The statements of the passes: inference, forward, backward.
//!
//! ```text
//! let (x_1, kept_conv_0) = <Conv<…> as Trainable<_, Need0>>::forward_deferred(&<Conv<…>>::new(), &params.conv_0, x_0);
//! let (x_2, kept_relu_0) = <relu::Op as Differentiable<_, Yes>>::forward_deferred(&<relu::Op>::new(), x_1);
//! let x_2 = Deferred::compute(x_2);
//! …
//! let d_x_1 = <relu::Op as Differentiable<V1, Yes>>::backward(&<relu::Op>::new(), residuals.kept_relu_0, d_x_2);
//! let (gradient_conv_0, d_x_0) = <Conv<…> as Trainable<V0, Need0>>::backward(…);
//! ```

use super::handed::Handed;
use super::names::{self, tuple};
use super::place::{Declared, Root};
use super::setup::{Binding, Bound, with_setup};
use super::steps::Types;
use crate::analyze::activity::Need;
use crate::ir::control::{Level, Number};
use crate::ir::{Arg, Call, Eqn, Submodule, Var};
use crate::lower::Lowered;
use crate::lower::backward::{Contribution, Gradient, Step};
use crate::lower::forward;
use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use std::collections::BTreeSet;
use syn::spanned::Spanned;

/// Emits the passes of one body.
pub struct Passes<'a> {
    pub lowered: &'a Lowered,
    pub types: Types<'a>,
    /// In a closure no struct carries the residuals from one pass to the other, and no type has a name: each equation
    /// leaves a pullback in a local.
    pub in_place: bool,
    /// The arms and passes that stand around the body.
    pub nest: Vec<Level>,
}

impl Passes<'_> {
    /// The user's statements that touch no tensor, and the parts whose values they may give.
    pub fn setup(&self) -> TokenStream {
        let counted = self.lowered.body.submodules.iter().filter(|module| module.number == Number::Counted);
        let classes: BTreeSet<&str> = counted.map(|module| module.name.as_str()).collect();
        let counts = classes.into_iter().map(names::count);
        let statements = self.plan().0;
        quote!(#(let mut #counts: usize = 0;)* #statements)
    }

    /// The same without what is declared once for all bodies, and the names of the parts.
    pub fn plan(&self) -> (TokenStream, Vec<Ident>) {
        let body = &self.lowered.body;
        let of_equation = |index: usize| {
            let eqn = &body.eqns[index];
            let made = self.made(eqn).or_else(|| self.plan_of_bodies(index)).map(|made| {
                let part = names::part(&eqn.label);
                (quote!(let #part = #made;), Bound::Always(part))
            });
            made.into_iter().unzip()
        };
        with_setup(body, of_equation, |index| self.constructed(index))
    }

    /// The statements that construct a submodule, if values go into it or it is counted.
    fn constructed(&self, index: usize) -> Binding {
        let submodule = &self.lowered.body.submodules[index];
        let Submodule { ty, inner, keywords, field, name, number, span, .. } = submodule;
        let (mut statements, mut bound) = (TokenStream::new(), Vec::new());
        if !keywords.is_empty() {
            let made = names::module(field);
            let set = keywords.iter().map(|(key, value)| quote!(.#key(#value)));
            let value = match inner.as_ref().filter(|_| submodule.is_transformed()) {
                Some(inner) => quote_spanned!(*span=> <#ty>::of(<#inner>::new() #(#set)*)),
                None => quote_spanned!(*span=> <#ty>::new() #(#set)*),
            };
            statements.extend(quote!(let #made = #value;));
            bound.push(Bound::Always(made));
        }
        if *number == Number::Counted {
            let (number, count) = (names::number(field), names::count(name));
            statements.extend(quote!(let #number = #count; #count += 1;));
            bound.push(Bound::Always(number));
        }
        (statements, bound)
    }

    /// The expression that makes an op or an initialiser, if values go into it.
    fn made(&self, eqn: &Eqn) -> Option<TokenStream> {
        match &eqn.call {
            Call::Op { values, .. } if !values.is_empty() => {
                let callee = self.types.callee(eqn);
                Some(quote_spanned!(eqn.span=> <#callee>::new(#(#values),*)))
            }
            Call::Param(index) => {
                let initializer = &self.lowered.body.params[*index].initializer;
                Some(quote!(#initializer))
            }
            Call::Variable(index) => Some(self.lowered.body.variables[*index].initializer.clone()),
            _ => None,
        }
    }

    /// A reference to what an equation calls.
    pub fn part(&self, eqn: &Eqn) -> TokenStream {
        let callee = self.types.callee(eqn);
        if let Call::Submodule(index) = &eqn.call
            && let Submodule { keywords, field, .. } = &self.lowered.body.submodules[*index]
            && !keywords.is_empty()
        {
            let made = names::module(field);
            return quote!(&#made);
        }
        match self.made(eqn) {
            Some(made) if self.in_place => quote!(&#made),
            Some(_) => {
                let part = names::part(&eqn.label);
                quote!(&#part)
            }
            None => match self.held(eqn) {
                Some(held) => held,
                None => quote_spanned!(eqn.span=> &<#callee>::new()),
            },
        }
    }

    /// A reference to the field of the module's struct that an equation calls.
    fn held(&self, eqn: &Eqn) -> Option<TokenStream> {
        match eqn.call {
            Call::Submodule(index) => {
                let submodule = &self.lowered.body.submodules[index];
                let place = names::place(submodule);
                let held = match submodule.in_option {
                    true => quote!(::flaxen::__private::there(&self.#place)),
                    false => quote!(&self.#place),
                };
                submodule.held.then_some(held)
            }
            _ => None,
        }
    }

    pub fn name(&self, var: Var) -> Ident {
        names::var(&self.lowered.body, var)
    }

    pub(super) fn var(&self, var: Var) -> TokenStream {
        let name = self.name(var);
        quote!(#name)
    }

    pub(super) fn bound(&self, vars: &[Var]) -> TokenStream {
        tuple(&vars.iter().map(|&var| self.var(var)).collect::<Vec<_>>())
    }

    /// Takes the input of the whole body apart, and gives its parts the types that the equations know.
    pub fn inputs(&self) -> TokenStream {
        let inputs = &self.lowered.body.inputs;
        let (pattern, types) = (self.bound(inputs), self.types.all(inputs));
        quote!(let #pattern: #types = input;)
    }

    pub(super) fn arguments(&self, eqn: &Eqn, moves: &[bool]) -> TokenStream {
        let level = self.lowered.level_of_equation(eqn);
        let args = eqn.args.iter().zip(moves).map(|(arg, &moves)| match arg {
            Arg::Var(var) => {
                let above = level - self.lowered.level(*var);
                names::lifted(self.read(*var, moves || above > 0), above, eqn.span)
            }
            Arg::Outside(tokens) => {
                let span = tokens.span();
                let tokens =
                    if self.lowered.repeated { names::reference(tokens.clone()) } else { tokens.clone() };
                let tensor = quote_spanned!(span=> ::flaxen::__private::IntoTensor::into_tensor(#tokens));
                names::lifted(tensor, level, span)
            }
        });
        tuple(&args.collect::<Vec<_>>())
    }

    /// A variable, or a clone of it if it is used again.
    pub(super) fn read(&self, var: Var, moves: bool) -> TokenStream {
        let var = self.var(var);
        if moves { var } else { quote!(::core::clone::Clone::clone(&#var)) }
    }

    fn clones(&self, vars: &[Var]) -> TokenStream {
        tuple(&vars.iter().map(|&var| self.read(var, false)).collect::<Vec<_>>())
    }

    /// The results of the whole body.
    pub fn outputs(&self) -> TokenStream {
        let outputs = self.lowered.body.outputs.iter().zip(&self.lowered.moved_outputs);
        let outputs = outputs.map(|(&var, &moves)| self.read(var, moves));
        tuple(&outputs.collect::<Vec<_>>())
    }

    /// The statements of inference. What only training needs is not computed in evaluation.
    pub fn infer(&self) -> TokenStream {
        let (mut tokens, mut steps) = (TokenStream::new(), self.lowered.forward.as_slice());
        while let Some((step, rest)) = steps.split_first() {
            let region = self.lowered.body.regions.iter().find(|region| region.eqns.contains(&step.eqn));
            let own = match region {
                Some(region) => steps.iter().take_while(|step| region.eqns.contains(&step.eqn)).count(),
                None => 1,
            };
            let inner: TokenStream =
                steps[..own].iter().map(|step| self.infer_step(step.eqn, &step.moves)).collect();
            tokens.extend(region.map_or(inner.clone(), |region| self.only_in_training(region, &inner)));
            steps = if own == 1 { rest } else { &steps[own..] };
        }
        tokens
    }

    fn infer_step(&self, index: usize, moves: &[bool]) -> TokenStream {
        let eqn = &self.lowered.body.eqns[index];
        let (outs, input, callee) =
            (self.bound(&eqn.outs), self.arguments(eqn, moves), self.types.callee(eqn));
        let ty = self.input_type(eqn);
        match &eqn.call {
            Call::Op { values, .. } if self.in_place => self.in_closure(
                eqn,
                &outs,
                &input,
                &quote_spanned!(eqn.span=> <#callee>::new(#(#values),*)),
                |op| quote_spanned!(eqn.span=> infer(#op)),
            ),
            Call::Op { .. } => {
                let part = self.part(eqn);
                let Handed { method, input, computed } = self.handed("infer", eqn, input, &outs);
                quote_spanned! {eqn.span=>
                    let #outs = <#callee as ::flaxen::op::Op<#ty>>::#method(#part, #input);
                    #computed
                }
            }
            Call::Submodule(of) if self.is_deferred(&eqn.outs) => {
                let (part, variables, scope) = (self.part(eqn), self.variables_of(*of), self.scope_of(*of));
                quote_spanned! {eqn.span=>
                    let #outs = <#callee as ::flaxen::module::Module<#ty>>::infer_deferred(#part, #variables, #input);
                    let #outs = ::flaxen::rng::Scope::capture_deferred(&#scope, #outs);
                }
            }
            Call::Submodule(of) => {
                let (part, variables) = (self.part(eqn), self.variables_of(*of));
                let (scope, outputs) = (self.scope_of(*of), self.clones(&eqn.outs));
                quote_spanned! {eqn.span=>
                    let #outs = <#callee as ::flaxen::module::Module<#ty>>::infer(#part, #variables, #input);
                    ::flaxen::rng::Scope::capture(&#scope, || #outputs);
                }
            }
            Call::Param(of) => self.read_param(*of, eqn.outs[0]),
            Call::Apply { .. } => self.apply_infer(eqn, moves),
            Call::Variable(_) | Call::Write { .. } | Call::Sow { .. } | Call::MakeRng(_) | Call::Phase(_) => {
                self.stateful(eqn, &input)
            }
            Call::Transform(closure) => self.transformed(eqn, closure, moves),
            Call::Branch(_) => self.infer_branch(index, moves),
            Call::Loop(repeated) => self.infer_loop(index, repeated, moves),
        }
    }

    /// The parameters of a submodule. The name is the generated function's, even where the user's token, whose place an
    /// equation takes, comes out of a macro of the user's.
    fn params_of(&self, submodule: usize) -> TokenStream {
        let place = self.place(Root::Params, &Declared::submodule(&self.lowered.body, submodule));
        quote!(&#place)
    }

    /// The parameters, the state and the scope of a submodule.
    fn variables_of(&self, submodule: usize) -> TokenStream {
        let declared = Declared::submodule(&self.lowered.body, submodule);
        let (params, state, scope) =
            (self.params_of(submodule), self.place(Root::State, &declared), self.scope_of(submodule));
        quote!(#params, &mut #state, &#scope)
    }

    fn read_param(&self, index: usize, out: Var) -> TokenStream {
        let place = self.place(Root::Params, &Declared::param(&self.lowered.body, index));
        let (out, ty) = (self.var(out), self.types.var(out));
        quote!(let #out: #ty = ::core::clone::Clone::clone(&#place);)
    }

    /// The forward pass of a closure, with the user's other statements where they stand.
    pub fn forward_in_place(&self) -> TokenStream {
        let body = &self.lowered.body;
        let mut tokens = self.keep_shapes(&body.inputs);
        let of_equation = |index: usize| {
            let Some(step) = self.lowered.forward.iter().find(|step| step.eqn == index) else {
                return (TokenStream::new(), Vec::new());
            };
            let eqn = &body.eqns[index];
            let outs = eqn.outs.iter().map(|&out| Bound::IfUsed(self.name(out), out));
            let kept = step.keeps.then(|| Bound::Always(names::residual(eqn)));
            let zeros = eqn.outs.iter().filter(|out| self.lowered.backward.zeros.contains(out));
            let shapes = zeros.map(|&out| Bound::Always(names::shape_of(body, out)));
            (self.step(step), outs.chain(kept).chain(shapes).collect())
        };
        // A closure declares no submodule.
        tokens.extend(with_setup(body, of_equation, |_| Default::default()).0);
        tokens
    }

    fn step(&self, step: &forward::Step) -> TokenStream {
        let statement = match step.keeps {
            true => self.forward_step(step.eqn, &step.moves),
            false => self.infer_step(step.eqn, &step.moves),
        };
        let shapes = self.keep_shapes(&self.lowered.body.eqns[step.eqn].outs);
        quote!(#statement #shapes)
    }

    /// The statements of the forward pass; each kept residual is bound to the name of its field.
    pub fn forward(&self) -> TokenStream {
        let inputs = self.keep_shapes(&self.lowered.body.inputs);
        let steps = self.lowered.forward.iter().map(|step| self.step(step));
        quote!(#inputs #(#steps)*)
    }

    /// An op in a closure. One with generics may name an axis, and then must stand in a `vmap!` that binds it.
    fn in_closure(
        &self,
        eqn: &Eqn,
        bound: &TokenStream,
        input: &TokenStream,
        op: &TokenStream,
        computed: impl Fn(&TokenStream) -> TokenStream,
    ) -> TokenStream {
        let has_generics = matches!(&eqn.call, Call::Op { ty, .. } if ty.to_string().contains('<'));
        if !has_generics {
            let computed = computed(op);
            return quote_spanned!(eqn.span=> let #bound = ::flaxen::__private::Input(#input).#computed;);
        }
        let computed = computed(&quote_spanned!(eqn.span=> __op));
        quote_spanned! {eqn.span=>
            let #bound = {
                #[allow(unused_imports)]
                use ::flaxen::batching::Anywhere as _;
                let __input = ::flaxen::__private::Input(#input);
                let __op = #op.within(&__input.0);
                __input.#computed
            };
        }
    }

    /// Keeps the shapes of those variables whose cotangent will be zero, before they move.
    pub fn keep_shapes(&self, vars: &[Var]) -> TokenStream {
        let kept = vars.iter().filter(|var| self.lowered.backward.zeros.contains(var)).map(|&var| {
            let (kept, value) = (names::shape_of(&self.lowered.body, var), self.var(var));
            let need = names::need(self.lowered.need(var));
            quote!(let #kept = <#need as ::flaxen::op::Need>::when(|| ::core::clone::Clone::clone(&#value));)
        });
        kept.collect()
    }

    fn forward_step(&self, index: usize, moves: &[bool]) -> TokenStream {
        let eqn = &self.lowered.body.eqns[index];
        let (outs, input, callee) =
            (self.bound(&eqn.outs), self.arguments(eqn, moves), self.types.callee(eqn));
        let ty = self.input_type(eqn);
        let (kept, needs) = (names::residual(eqn), self.needs(eqn));
        match &eqn.call {
            Call::Op { values, .. } if self.in_place => {
                let bound = quote!((#outs, #kept));
                self.in_closure(
                    eqn,
                    &bound,
                    &input,
                    &quote_spanned!(eqn.span=> <#callee>::new(#(#values),*)),
                    |op| quote_spanned!(eqn.span=> vjp(#op, #needs)),
                )
            }
            Call::Op { .. } => {
                let part = self.part(eqn);
                match self.condition(eqn) {
                    None => {
                        let Handed { method, input, computed } = self.handed("forward", eqn, input, &outs);
                        quote_spanned! {eqn.span=>
                            let (#outs, #kept) =
                                <#callee as ::flaxen::op::Differentiable<#ty, #needs>>::#method(#part, #input);
                            #computed
                        }
                    }
                    Some(condition) => quote_spanned! {eqn.span=>
                        let (#outs, #kept) =
                            ::flaxen::__private::forward_if::<#condition, #ty, #needs, #callee>(#part, #input);
                    },
                }
            }
            Call::Submodule(of) => {
                let (part, variables) = (self.part(eqn), self.variables_of(*of));
                let method = if self.is_deferred(&eqn.outs) { "forward_deferred" } else { "forward" };
                let method = Ident::new(method, eqn.span);
                quote_spanned! {eqn.span=>
                    let (#outs, #kept) =
                        <#callee as ::flaxen::module::Trainable<#ty, #needs>>::#method(#part, #variables, #input);
                }
            }
            Call::Param(of) => self.read_param(*of, eqn.outs[0]),
            Call::Apply { .. } => self.apply_forward(eqn, moves),
            Call::Variable(_) | Call::Write { .. } | Call::Sow { .. } | Call::MakeRng(_) | Call::Phase(_) => {
                self.stateful(eqn, &input)
            }
            Call::Transform(closure) => self.transformed(eqn, closure, moves),
            Call::Branch(_) => self.forward_branch(index, moves),
            Call::Loop(repeated) => self.forward_loop(index, repeated, moves),
        }
    }

    /// The type of what an equation is called on; in a closure rustc infers it.
    fn input_type(&self, eqn: &Eqn) -> TokenStream {
        if self.in_place { quote!(_) } else { self.types.input(eqn) }
    }

    /// If an op needs a cotangent only where the caller asks for one: the caller's need.
    pub fn condition(&self, eqn: &Eqn) -> Option<TokenStream> {
        match (&eqn.call, self.lowered.result_need(eqn)) {
            (Call::Op { .. }, need @ Need::Inputs(_)) => Some(names::need(need)),
            _ => None,
        }
    }

    /// The needs of an equation's arguments as a type. An op of one input that is called backward always needs it.
    pub fn needs(&self, eqn: &Eqn) -> TokenStream {
        let needs = self.lowered.argument_needs(eqn);
        match (&eqn.call, needs.as_slice()) {
            (Call::Op { .. }, [_]) => names::need(&Need::Yes),
            _ => tuple(&needs.iter().map(names::need).collect::<Vec<_>>()),
        }
    }

    /// The cotangent of what an equation yields.
    fn cotangent(&self, eqn: &Eqn) -> TokenStream {
        let cotangents = eqn.results().iter().map(|&out| {
            let name = names::cotangent(&self.lowered.body, out);
            quote!(#name)
        });
        tuple(&cotangents.collect::<Vec<_>>())
    }

    /// The statements of the backward pass. `outputs` names the cotangents of the results.
    pub fn backward(&self, outputs: &[TokenStream]) -> TokenStream {
        let mut tokens = TokenStream::new();
        for (contribution, output) in self.lowered.backward.outputs.iter().zip(outputs) {
            tokens.extend(self.contribute(*contribution, self.given_by_caller(*contribution, output)));
        }
        tokens.extend(self.backward_steps());
        tokens
    }

    /// The statements after the cotangents of the results are there.
    pub fn backward_steps(&self) -> TokenStream {
        self.lowered.backward.steps.iter().map(|step| self.backward_step(step)).collect()
    }

    /// The cotangent of a result, which the caller always gives, as what is needed of it.
    fn given_by_caller(&self, contribution: Contribution, output: &TokenStream) -> TokenStream {
        match contribution {
            Contribution::Assign(var) | Contribution::Add(var) if *self.lowered.need(var) != Need::Yes => {
                let need = names::need(self.lowered.need(var));
                quote!(<#need as ::flaxen::op::Need>::when(|| #output))
            }
            _ => output.clone(),
        }
    }

    /// Statements that make the cotangents that nothing contributes to.
    pub fn zeros(&self) -> TokenStream {
        let body = &self.lowered.body;
        let zeros = self.lowered.backward.zeros.iter().map(|&var| {
            let (kept, cotangent) = (names::shape_of(body, var), names::cotangent(body, var));
            let kept = self.kept(&kept);
            let need = names::need(self.lowered.need(var));
            quote! {
                let #cotangent = <#need as ::flaxen::op::Need>::map(#kept, ::flaxen::__private::zeros);
            }
        });
        zeros.collect()
    }

    /// The cotangents of the inputs, nothing for those that have none.
    pub fn cotangents_of_inputs(&self) -> TokenStream {
        let body = &self.lowered.body;
        let parts = body.inputs.iter().enumerate().map(|(index, &input)| match self.lowered.need(input) {
            Need::No => {
                let (need, ty) = (names::need_of_input(index), self.types.var(input));
                quote!(::flaxen::__private::nothing::<#need, #ty>())
            }
            _ => {
                let name = names::cotangent(body, input);
                quote!(#name)
            }
        });
        tuple(&parts.collect::<Vec<_>>())
    }

    /// What was kept: a local in a closure and in a nested body, else a field.
    pub fn kept(&self, kept: &Ident) -> TokenStream {
        match self.in_place || !self.nest.is_empty() {
            true => quote!(#kept),
            false => quote!(residuals.#kept),
        }
    }

    fn backward_step(&self, step: &Step) -> TokenStream {
        let body = &self.lowered.body;
        let eqn = &body.eqns[step.eqn];
        let (pattern, after) = self.contributions(step);
        let (kept, cotangent) = (names::residual(eqn), self.cotangent(eqn));
        let kept = self.kept(&kept);
        let (callee, needs, part) = (self.types.callee(eqn), self.needs(eqn), self.part(eqn));
        let pulled = match &eqn.call {
            Call::Op { .. } if self.in_place => {
                quote_spanned!(eqn.span=> let #pattern = #kept.pull(#cotangent);)
            }
            Call::Op { .. } => {
                let input = self.types.input(eqn);
                match self.condition(eqn) {
                    None => {
                        let Handed { method, input: cotangent, computed } =
                            self.handed_back(step, cotangent, &pattern);
                        quote_spanned! {eqn.span=>
                            let #pattern = <#callee as ::flaxen::op::Differentiable<#input, #needs>>::#method(
                                #part, #kept, #cotangent,
                            );
                            #computed
                        }
                    }
                    Some(condition) => {
                        let pulled = quote_spanned! {eqn.span=>
                            ::flaxen::__private::backward_if::<#condition, #input, #needs, #callee>(
                                #part, #kept, #cotangent,
                            )
                        };
                        let pulled = self.spread(eqn, &condition, pulled);
                        quote_spanned!(eqn.span=> let #pattern = #pulled;)
                    }
                }
            }
            Call::Submodule(index) => {
                let (submodule, params) = (&body.submodules[*index], self.params_of(*index));
                let input = self.types.input(eqn);
                let (gradient, add) =
                    self.gradient(&names::key(submodule), step.variables, submodule.optional);
                quote_spanned! {eqn.span=>
                    let (#gradient, #pattern) = <#callee as ::flaxen::module::Trainable<#input, #needs>>::backward(
                        #part, #params, #kept, #cotangent,
                    );
                    #add
                }
            }
            Call::Param(index) => {
                let gradient = names::gradient(&body.params[*index].field);
                quote!(let #gradient = #cotangent;)
            }
            Call::Apply { variables, .. } => {
                let (gradient, add) = match variables.var() {
                    Some(var) => self.gradient(&names::var(body, var), step.variables, false),
                    None => (quote!(_), TokenStream::new()),
                };
                quote_spanned!(eqn.span=> let (#gradient, #pattern) = #kept.pull(#cotangent); #add)
            }
            Call::Branch(_) => self.backward_branch(step, &pattern, &kept),
            Call::Loop(repeated) => self.backward_loop(step, repeated, &pattern, &kept),
            // No gradient goes through them: of a transformation `closure::check` has said so, and the others need none.
            _ => TokenStream::new(),
        };
        quote!(#pulled #after)
    }

    /// Of an op with several inputs that nothing is needed of, the cotangents are nothing one by one.
    fn spread(&self, eqn: &Eqn, condition: &TokenStream, pulled: TokenStream) -> TokenStream {
        let needs = self.lowered.argument_needs(eqn);
        if needs.len() == 1 {
            return pulled;
        }
        let vars = eqn.args.iter().filter_map(|arg| arg.var());
        let nothing = needs.iter().zip(vars).map(|(need, var)| {
            let (need, ty) = (names::need(need), self.types.var(var));
            quote!(::flaxen::__private::nothing::<#need, #ty>())
        });
        quote!(<#condition as ::flaxen::op::Need>::or(#pulled, || (#(#nothing,)*)))
    }

    /// The pattern that binds an equation's contributions, and the statements that add those that are not the first.
    fn contributions(&self, step: &Step) -> (TokenStream, TokenStream) {
        let body = &self.lowered.body;
        let mut after = TokenStream::new();
        let parts = step.contributions.iter().enumerate().map(|(index, contribution)| match contribution {
            Contribution::Assign(var) => {
                let name = names::cotangent(body, *var);
                quote!(#name)
            }
            Contribution::Add(_) => {
                let term = names::term(index);
                after.extend(self.contribute(*contribution, quote!(#term)));
                quote!(#term)
            }
            Contribution::Drop => quote!(_),
        });
        let pattern = tuple(&parts.collect::<Vec<_>>());
        (pattern, after)
    }

    pub fn contribute(&self, contribution: Contribution, term: TokenStream) -> TokenStream {
        match contribution {
            Contribution::Assign(var) => {
                let name = names::cotangent(&self.lowered.body, var);
                quote!(let #name = #term;)
            }
            Contribution::Add(var) => {
                let name = names::cotangent(&self.lowered.body, var);
                let need = names::need(self.lowered.need(var));
                quote!(let #name = <#need as ::flaxen::op::Need>::add(#name, #term);)
            }
            Contribution::Drop => TokenStream::new(),
        }
    }

    /// The pattern for a gradient, and the statement that adds it if it is not the first. Of a submodule that may not be
    /// called there may be no gradient.
    fn gradient(&self, of: &Ident, gradient: Option<Gradient>, optional: bool) -> (TokenStream, TokenStream) {
        let (name, term) = (names::gradient(of), names::gradient_term());
        let value = if optional { quote!(::core::option::Option::Some(#term)) } else { quote!(#term) };
        match gradient {
            Some(Gradient::Assign) if optional => (quote!(#term), quote!(let #name = #value;)),
            Some(Gradient::Assign) => (quote!(#name), TokenStream::new()),
            Some(Gradient::Add) => {
                let add = quote!(<::flaxen::op::Yes as ::flaxen::op::Need>::add(#name, #value));
                (quote!(#term), quote!(let #name = #add;))
            }
            None => (quote!(_), TokenStream::new()),
        }
    }
}
