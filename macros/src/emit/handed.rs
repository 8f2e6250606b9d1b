//! The calls of equations of which one hands its value to the next before it is computed.
//!
//! ```text
//! let x_1 = <tanh::Op as Op<V0>>::infer_deferred(&<tanh::Op>::new(), Now(x_0));
//! let x_2 = <relu::Op as Op<V1>>::infer_deferred(&<relu::Op>::new(), x_1);
//! let x_2 = Deferred::compute(x_2);
//! ```

use super::passes::Passes;
use crate::ir::{Arg, Eqn, Var};
use crate::lower::backward::Step;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

/// A call of an op.
pub struct Handed {
    /// `infer` or `infer_deferred`.
    pub method: Ident,
    /// What it is called with.
    pub input: TokenStream,
    /// The statement after it: the result is computed, unless it is handed on.
    pub computed: TokenStream,
}

impl Passes<'_> {
    /// Whether an equation hands its value to the next. In a closure, whose equations have the user's statements between
    /// them, each is computed by itself.
    pub(super) fn is_deferred(&self, vars: &[Var]) -> bool {
        !self.in_place && vars.iter().any(|var| self.lowered.deferred.values.contains(var))
    }

    /// The call of an op forward.
    pub(super) fn handed(&self, method: &str, eqn: &Eqn, input: TokenStream, out: &TokenStream) -> Handed {
        let args: Vec<Var> = eqn.args.iter().filter_map(Arg::var).collect();
        handed(method, eqn.span, [&args, &eqn.outs].map(|vars| self.is_deferred(vars)), input, out)
    }

    /// The call of an op backward.
    pub(super) fn handed_back(&self, step: &Step, cotangent: TokenStream, out: &TokenStream) -> Handed {
        let eqn = &self.lowered.body.eqns[step.eqn];
        let deferred = &self.lowered.deferred;
        let takes = eqn.outs.iter().any(|out| deferred.cotangents.contains(out));
        handed("backward", eqn.span, [takes, deferred.hands_back(step)], cotangent, out)
    }
}

/// A call whose input may be deferred, and whose result may be.
fn handed(
    method: &str,
    span: Span,
    [takes, gives]: [bool; 2],
    input: TokenStream,
    out: &TokenStream,
) -> Handed {
    if !takes && !gives {
        return Handed { method: Ident::new(method, span), input, computed: TokenStream::new() };
    }
    let input = if takes { input } else { quote!(::flaxen::op::Now(#input)) };
    let computed = if gives {
        TokenStream::new()
    } else {
        quote_spanned!(span=> let #out = ::flaxen::op::Deferred::compute(#out);)
    };
    Handed { method: format_ident!("{method}_deferred", span = span), input, computed }
}
