//! A `vmap!` that stands in no other body: its equations in place, as a block.
//!
//! ```text
//! {
//!     let x_0 = <batch::Op<Unnamed, Dim1<0>> as Op<_>>::infer(&…::new(), xs);
//!     …
//!     vmap_4
//! }
//! ```

use super::passes::Passes;
use super::steps::Types;
use crate::ir::Body;
use crate::lower::lower;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// The block of a body without arguments.
pub fn vmap(body: Body) -> TokenStream {
    let lowered = lower(body, &[], 0);
    let nameless = Ident::new("__Steps", Span::call_site());
    let types = Types::new(&lowered.body, &nameless, TokenStream::new());
    let passes = Passes { lowered: &lowered, types, in_place: true, nest: Vec::new() };
    let (forward, outputs) = (passes.forward_in_place(), passes.outputs());
    quote!({ #forward #outputs })
}
