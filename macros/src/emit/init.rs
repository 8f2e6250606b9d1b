//! The statements that draw the variables.
//!
//! ```text
//! let (drawn_conv_0, state_conv_0) = <Conv<…> as Module<V0>>::init(&<Conv<…>>::new(), &scope.child("Conv_0"));
//! let (drawn_layers, state_layers) = Unzip::unzip(each_of(&part_for_0, |pass_0, ()| <Dense<…>>::init(…)));
//! let (drawn_dense_0, state_dense_0) = Unzip::unzip(match &part_if_0 { Either::Left(()) => Some(…), _ => None });
//! ```

use super::control::side;
use super::names;
use super::passes::Passes;
use super::place::Declared;
use crate::ir::control::{Called, Level};
use crate::ir::{Call, Eqn};
use proc_macro2::TokenStream;
use quote::quote;

impl<'a> Passes<'a> {
    /// What a submodule is for the input of a call: `<Conv<…> as Module<V0>>`.
    pub fn contract(&self, eqn: &Eqn) -> TokenStream {
        let (callee, input) = (self.types.callee(eqn), self.types.input(eqn));
        quote!(<#callee as ::flaxen::module::Module<#input>>)
    }

    /// Draws the variables of a submodule.
    pub fn draw_submodule(&self, index: usize) -> TokenStream {
        let declared = Declared::submodule(&self.lowered.body, index);
        let (param, state) = (names::drawn(&declared.key), names::drawn_state(&declared.key));
        let drawn = self.in_nest(declared.nest, &|passes| passes.draw_called(index));
        match declared.nest.is_empty() && !declared.optional {
            true => quote!(let (#param, #state) = #drawn;),
            false => quote!(let (#param, #state) = ::flaxen::__private::Unzip::unzip(#drawn);),
        }
    }

    /// Draws a parameter.
    pub fn draw_param(&self, index: usize) -> TokenStream {
        let declared = Declared::param(&self.lowered.body, index);
        let ty = self.lowered.body.params[index].tensor.to_type();
        let drawn = self.in_nest(declared.nest, &|passes| {
            let part = passes.part_of(|call| matches!(call, Call::Param(of) if *of == index));
            let made = quote! {
                ::flaxen::init::Initializer::init(#part, scope.param(), ::core::default::Default::default())
            };
            if declared.nest.is_empty() { made } else { quote!({ let drawn: #ty = #made; drawn }) }
        });
        let param = names::drawn(&declared.key);
        quote!(let #param = #drawn;)
    }

    /// Draws a variable of another collection.
    pub fn draw_variable(&self, index: usize) -> TokenStream {
        let declared = Declared::variable(&self.lowered.body, index);
        let drawn = self.in_nest(declared.nest, &|passes| {
            let part = passes.part_of(|call| matches!(call, Call::Variable(of) if *of == index));
            quote!(::flaxen::__private::variable(#part, scope))
        });
        let state = names::drawn_state(&declared.key);
        quote!(let #state = #drawn;)
    }

    /// The initialiser of the equation in this body that makes such a call.
    fn part_of(&self, is_own: impl Fn(&Call) -> bool) -> Option<TokenStream> {
        self.lowered.body.eqns.iter().find(|eqn| is_own(&eqn.call)).map(|eqn| self.part(eqn))
    }

    /// What `inner` makes in the arms and passes of a declaration: one for each pass, and none in other arms.
    fn in_nest(&self, nest: &[Level], inner: &dyn Fn(&Passes) -> TokenStream) -> TokenStream {
        let Some((level, rest)) = nest.split_first() else { return inner(self) };
        let eqns = self.lowered.body.eqns.iter().enumerate();
        let found = eqns.filter_map(|(index, eqn)| match (&eqn.call, level) {
            (Call::Branch(branch), Level::Arm { branch: id, arm }) if branch.id == *id => {
                let passes = self.inner(index);
                let (pattern, part) =
                    (side(*arm, passes.len(), passes[*arm].parts()), names::part(&eqn.label));
                let drawn = passes[*arm].in_nest(rest, inner);
                let other = (passes.len() > 1).then(|| quote!(_ => ::core::option::Option::None,));
                Some(quote!(match &#part { #pattern => ::core::option::Option::Some(#drawn), #other }))
            }
            (Call::Loop(repeated), Level::Pass { of, .. }) if repeated.id == *of => {
                let passes = self.inner(index);
                let (pass, part) = (names::pass(*of), names::part(&eqn.label));
                let (parts, drawn) = (passes[0].parts(), passes[0].in_nest(rest, inner));
                Some(quote!(::flaxen::__private::each_of(&#part, |#pass, #parts| #drawn)))
            }
            _ => None,
        });
        found.collect()
    }

    /// Draws a submodule in the body that declares it, with the input of its first call.
    fn draw_called(&self, index: usize) -> TokenStream {
        let optional = self.lowered.body.submodules[index].optional;
        match (self.draw_directly(index), optional) {
            (Some(drawn), _) => drawn,
            (None, true) => self.draw_if_called(index),
            (None, false) => {
                let drawn = self.draw_if_called(index);
                quote!(::flaxen::__private::called(#drawn))
            }
        }
    }

    fn draw_directly(&self, index: usize) -> Option<TokenStream> {
        let own = |eqn: &&Eqn| matches!(&eqn.call, Call::Submodule(of) if *of == index);
        let eqn = self.lowered.body.eqns.iter().find(own)?;
        let (contract, part, scope) = (self.contract(eqn), self.part(eqn), self.scope_of(index));
        Some(quote!(#contract::init(#part, &#scope)))
    }

    /// The submodule, if an arm or a pass that is taken calls it.
    fn draw_if_called(&self, index: usize) -> TokenStream {
        if let Some(drawn) = self.draw_directly(index) {
            return quote!(::core::option::Option::Some(#drawn));
        }
        let eqns = self.lowered.body.eqns.iter().enumerate();
        let calling =
            eqns.filter(|(_, eqn)| eqn.call.bodies().iter().any(|body| body.calls(index) != Called::Never));
        let drawn = calling.map(|(at, eqn)| self.draw_if_taken(at, eqn, index));
        let drawn = drawn.reduce(|first, next| quote!(::core::option::Option::or_else(#first, || #next)));
        drawn.unwrap_or_else(|| quote!(::core::option::Option::None))
    }

    fn draw_if_taken(&self, at: usize, eqn: &Eqn, index: usize) -> TokenStream {
        let (part, passes) = (names::part(&eqn.label), self.inner(at));
        if let Call::Loop(repeated) = &eqn.call {
            let (pass, parts, drawn) =
                (names::pass(repeated.id), passes[0].parts(), passes[0].draw_if_called(index));
            return quote!(::flaxen::__private::first_of(&#part, |#pass, #parts| #drawn));
        }
        let arms = passes.iter().enumerate().map(|(arm, inner)| {
            let (pattern, drawn) = (side(arm, passes.len(), inner.parts()), inner.draw_if_called(index));
            quote!(#pattern => #drawn,)
        });
        quote!(match &#part { #(#arms)* })
    }
}
