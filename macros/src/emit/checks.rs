//! The shape rules in numbers: one constant an equation, at the user's token. rustc evaluates them under `cargo
//! check`, and the one that does not fit says so in decimals.
//!
//! ```text
//! const __CnnShapes: bool = {
//!     __stand_in!(B);
//!     const V0: Rule = Rule::Out(Sizes::new(&[Size::of::<B>(), Size::Known(28), …]));
//!     const V1: Rule = if V0.fits() { <Conv<…>>::shape([V0.sizes()]) } else { Rule::Poisoned };
//!     const conv_0: () = V1.speak();
//!     …
//!     conv_0; …; true
//! };
//! ```

use super::generics::{AllGenerics, StandIn};
use super::names;
use super::steps::{callee, declared};
use crate::ir::control::{Branch, Loop};
use crate::ir::{Body, Call, Eqn, InputType, Signature, Var};
use crate::parse::dims::TensorType;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

/// The constant, true as soon as it can be evaluated. Where a generic parameter stands for something other than a
/// dimension or an element, nothing is known in numbers, and the types speak.
pub fn checks(body: &Body, signature: &Signature, shapes: &Ident, name: &str) -> TokenStream {
    let Some(stand_ins) = AllGenerics::of(signature).stand_ins(|name| stands_for_modules(body, name)) else {
        return quote! {
            #[doc(hidden)]
            #[allow(non_upper_case_globals)]
            const #shapes: bool = true;
        };
    };
    let stand_ins = stand_ins.iter().map(|stand_in| match stand_in {
        StandIn::Dim(name) => quote!(::flaxen::__stand_in!(#name);),
        StandIn::Element(name) => quote!(type #name = f32;),
        StandIn::Constant(name, ty) => {
            quote!(const #name: #ty = <#ty as ::flaxen::__private::StandIn>::VALUE;)
        }
        StandIn::Module(name) => quote!(type #name = ();),
        StandIn::Phase(name) => quote!(type #name = ::flaxen::module::Eval;),
    });
    let inputs = body.inputs.iter().zip(&signature.inputs).map(|(&input, (_, ty))| {
        let (rule, sizes) = (names::rule(input, body.info(input).span), sizes_of_input(ty, &sizes));
        quote!(const #rule: ::flaxen::shape::Rule = ::flaxen::shape::Rule::Out(#sizes);)
    });
    let mut checks = Checks { body, constants: Vec::new() };
    let equations: Vec<_> = body.eqns.iter().map(|eqn| checks.equation(eqn)).collect();
    let results: Vec<_> = body
        .outputs
        .iter()
        .zip(&signature.outputs)
        .enumerate()
        .map(|(index, (&output, declared))| checks.result(index, output, declared, name))
        .collect();
    let constants = &checks.constants;
    quote! {
        #[doc(hidden)]
        #[allow(dead_code, non_upper_case_globals, path_statements, unused_imports, clippy::all)]
        const #shapes: bool = {
            #(#stand_ins)*
            #(#inputs)*
            #(#equations)*
            #(#results)*
            #(#constants;)*
            true
        };
    }
}

/// Whether a type parameter occurs in the types of the struct's fields alone, so that nothing asks what it is.
fn stands_for_modules(body: &Body, name: &Ident) -> bool {
    let ops = body.eqns.iter().filter_map(|eqn| match &eqn.call {
        Call::Op { ty, .. } => Some(ty),
        _ => None,
    });
    let made = body.submodules.iter().filter(|submodule| !submodule.held).map(|submodule| &submodule.ty);
    body.submodules.iter().any(|submodule| submodule.opaque)
        && !ops.chain(made).any(|ty| crate::ir::names(ty.clone(), name))
}

/// All dimensions are types here: the generic ones have stand-ins of the same name.
fn sizes(tensor: &TensorType) -> TokenStream {
    let dims = tensor.dims.iter().map(|dim| dim.to_size_of_type());
    quote!(::flaxen::shape::Sizes::new(&[#(#dims),*]))
}

/// A phase counts as a scalar.
fn sizes_of_input(ty: &InputType, sizes: &dyn Fn(&TensorType) -> TokenStream) -> TokenStream {
    ty.tensor().map_or_else(|| quote!(::flaxen::shape::Sizes::new(&[])), sizes)
}

struct Checks<'a> {
    body: &'a Body,
    /// The constants that speak.
    constants: Vec<Ident>,
}

impl Checks<'_> {
    /// A constant that refuses to compile if its rule does.
    fn speaks(&mut self, name: &str, rule: TokenStream, span: Span) -> TokenStream {
        let name = names::check(name, span);
        let constant = quote_spanned!(span=> const #name: () = #rule.speak(););
        self.constants.push(name);
        constant
    }

    fn equation(&mut self, eqn: &Eqn) -> TokenStream {
        match &eqn.call {
            Call::Branch(branch) => return self.branch(eqn, branch),
            Call::Loop(repeated) => return self.repeated(eqn, repeated),
            _ => {}
        }
        let span = eqn.span;
        match &eqn.call {
            Call::Write { variable, .. } => return self.written(eqn, *variable),
            Call::Sow { .. } => return TokenStream::new(),
            _ => {}
        }
        let whole = self.rule(eqn);
        let outs: Vec<Ident> = eqn.outs.iter().map(|&out| names::rule(out, span)).collect();
        let indices = 0..outs.len();
        let rules = match outs.len() {
            1 => quote_spanned!(span=> #(const #outs: ::flaxen::shape::Rule = #whole;)*),
            _ => quote_spanned!(span=> #(const #outs: ::flaxen::shape::Rule = { #whole }.output(#indices);)*),
        };
        let first = &outs[0];
        let speaks = self.speaks(&eqn.label, quote!(#first), span);
        let declared: Vec<_> = eqn.outs.iter().filter_map(|&out| self.declared(out)).collect();
        quote!(#rules #speaks #(#declared)*)
    }

    /// The constants of all arms. The results are the first arm's, and the others speak if theirs differ.
    fn branch(&mut self, eqn: &Eqn, branch: &Branch) -> TokenStream {
        let mut tokens = TokenStream::new();
        let mut first: Option<&[Var]> = None;
        for (index, (arm, body)) in branch.bodies().enumerate() {
            tokens.extend(body.eqns.iter().map(|eqn| self.equation(eqn)).collect::<TokenStream>());
            let of = *first.get_or_insert(&body.outputs);
            let assigns = |out: &Var| body.eqns.iter().any(|eqn| eqn.outs.contains(out));
            for (place, (&out, (&expected, &found))) in
                eqn.outs.iter().zip(of.iter().zip(&body.outputs)).enumerate()
            {
                let (name, span) = (&self.body.info(out).name, arm.span);
                let (rule, expected, found) =
                    (names::rule(out, span), names::rule(expected, span), names::rule(found, span));
                if index == 0 {
                    tokens.extend(quote!(const #rule: ::flaxen::shape::Rule = #expected;));
                    continue;
                }
                let rule = Ident::new(if assigns(&body.outputs[place]) { "arm" } else { "unchanged" }, span);
                let check = quote_spanned!(span=> ::flaxen::shape::#rule(#name, #expected, #found));
                tokens.extend(self.speaks(&format!("arm_{index}_of_{}_{place}", eqn.label), check, span));
            }
        }
        let declared: Vec<_> = eqn.outs.iter().filter_map(|&out| self.declared(out)).collect();
        quote!(#tokens #(#declared)*)
    }

    /// The constants of one pass, after which what is carried must be what it was.
    fn repeated(&mut self, eqn: &Eqn, repeated: &Loop) -> TokenStream {
        let same = |of: Var, to: Var| {
            let (of, to) = (names::rule(of, eqn.span), names::rule(to, eqn.span));
            quote!(const #to: ::flaxen::shape::Rule = #of;)
        };
        let inputs = &repeated.body.inputs[..repeated.carried];
        let initial = eqn.args.iter().filter_map(|arg| arg.var());
        let before: TokenStream = initial.zip(inputs).map(|(of, &to)| same(of, to)).collect();
        let pass: Vec<_> = repeated.body.eqns.iter().map(|eqn| self.equation(eqn)).collect();
        let mut checks = Vec::new();
        for (&input, &output) in inputs.iter().zip(&repeated.body.outputs) {
            let (name, span) = (&self.body.info(input).name, self.body.info(output).span);
            let (before, after) = (names::rule(input, span), names::rule(output, span));
            let check = quote_spanned!(span=> ::flaxen::shape::carried(#name, #before, #after));
            checks.push(self.speaks(&format!("carried_{}", input.0), check, span));
        }
        let after: TokenStream = inputs.iter().zip(&eqn.outs).map(|(&of, &to)| same(of, to)).collect();
        quote!(#before #(#pass)* #(#checks)* #after)
    }

    /// What an equation makes of the rules of its arguments.
    fn rule(&self, eqn: &Eqn) -> TokenStream {
        if let Some(declared) = declared(self.body, eqn) {
            let sizes: Vec<_> = declared.map(|(_, tensor)| sizes(tensor)).collect();
            let unused = (sizes.len()..4).map(|_| quote!(::flaxen::shape::Sizes::new(&[])));
            return match sizes.as_slice() {
                [one] => quote!(::flaxen::shape::Rule::Out(#one)),
                several => quote!(::flaxen::shape::Rule::Outs([#(#several,)* #(#unused),*])),
            };
        }
        let declared = match &eqn.call {
            Call::Param(index) => Some(sizes(&self.body.params[*index].tensor)),
            Call::Variable(index) => Some(sizes(&self.body.variables[*index].tensor)),
            // A key and a phase count as scalars.
            Call::MakeRng(_) | Call::Phase(_) => Some(quote!(::flaxen::shape::Sizes::new(&[]))),
            _ => None,
        };
        if let Some(sizes) = declared {
            return quote!(::flaxen::shape::Rule::Out(#sizes));
        }
        let args = eqn.args.iter().filter_map(|arg| arg.var());
        let inputs: Vec<_> = args.map(|var| names::rule(var, eqn.span)).collect();
        let callee = match &eqn.call {
            Call::Submodule(index) => self.body.submodules[*index].inner.clone(),
            _ => None,
        };
        let callee = callee.unwrap_or_else(|| self::callee(self.body, eqn));
        // What is called and is no module gets a text of its own.
        let refused = matches!(eqn.call, Call::Submodule(_));
        let refused = refused.then(|| {
            quote!(
                use ::flaxen::__private::NotCalled as _;
            )
        });
        quote_spanned! {eqn.span=>
            if true #(&& #inputs.fits())* {
                #refused
                <#callee>::shape([#(#inputs.sizes()),*])
            } else {
                ::flaxen::shape::Rule::Poisoned
            }
        }
    }

    /// What is written into a variable has the declared shape.
    fn written(&mut self, eqn: &Eqn, variable: usize) -> TokenStream {
        let variable = &self.body.variables[variable];
        let (name, declared) = (&variable.name, sizes(&variable.tensor));
        let value = eqn.reads().map(|value| names::rule(value, eqn.span));
        let check = quote_spanned!(eqn.span=> ::flaxen::shape::written(#name, #(#value,)* #declared));
        self.speaks(&eqn.label, check, eqn.span)
    }

    /// `let x: Tensor![…] = …;` says what it expects.
    fn declared(&mut self, out: Var) -> Option<TokenStream> {
        let info = self.body.info(out);
        let tensor = info.declared.as_ref()?;
        let (rule, name, expected) = (names::rule(out, tensor.span), &info.name, sizes(tensor));
        let check = quote_spanned!(tensor.span=> ::flaxen::shape::declared(#name, #rule, #expected));
        Some(self.speaks(&format!("type_of_{name}_{}", out.0), check, tensor.span))
    }

    fn result(&mut self, index: usize, output: Var, declared: &TensorType, name: &str) -> TokenStream {
        let (rule, expected) = (names::rule(output, declared.span), sizes(declared));
        let check = quote_spanned!(declared.span=> ::flaxen::shape::returns(#name, #rule, #expected));
        self.speaks(&format!("result_{index}"), check, declared.span)
    }
}

/// The shape rule in numbers for whoever calls this: that of the signature, which the body is checked against.
pub fn shape(name: &Ident, signature: &Signature) -> TokenStream {
    let count = signature.inputs.len();
    let in_numbers = |tensor: &TensorType| tensor.to_sizes(signature);
    let inputs = signature.inputs.iter().map(|(_, ty)| sizes_of_input(ty, &in_numbers));
    let outputs = signature.outputs.iter().map(|tensor| tensor.to_sizes(signature));
    let name = name.to_string();
    quote! {
        /// The shape rule in numbers.
        pub const fn shape(inputs: [::flaxen::shape::Sizes; #count]) -> ::flaxen::shape::Rule {
            ::flaxen::shape::signature(#name, &[#(#inputs),*], &inputs, &[#(#outputs),*])
        }
    }
}
