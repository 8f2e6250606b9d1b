//! The head of `call` or of a differentiable function: generics, inputs, outputs.

use super::dims::TensorType;
use crate::diag::Diagnostics;
use crate::ir::Signature;
use crate::messages;
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Error, FnArg, Generics, Ident, Pat, Result, ReturnType, Type};

/// Reads the head of a function. `outer` are the generics of the `impl` around it.
pub fn signature(
    head: &syn::Signature,
    outer: &Generics,
    diagnostics: &mut Diagnostics,
) -> Option<Signature> {
    if let Some(asyncness) = &head.asyncness {
        diagnostics.at(asyncness.span(), messages::ASYNC);
    }
    let inputs: Vec<_> =
        head.inputs.iter().filter_map(|input| diagnostics.keep(self::input(input)?)).collect();
    let outputs = diagnostics.keep(outputs(&head.output, head.ident.span()));
    let expected = head.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
    if expected == 0 {
        diagnostics.at(head.ident.span(), messages::NO_INPUT);
    }
    let outputs = outputs?;
    if expected > 6 || outputs.len() > 4 {
        diagnostics.at(head.ident.span(), messages::TOO_MANY);
    }
    let whole = inputs.len() == expected && expected > 0;
    whole.then(|| Signature { outer: outer.clone(), inner: head.generics.clone(), inputs, outputs })
}

fn input(input: &FnArg) -> Option<Result<(Ident, TensorType)>> {
    let FnArg::Typed(typed) = input else { return None };
    let Pat::Ident(name) = &*typed.pat else {
        return Some(Err(Error::new(typed.pat.span(), messages::INPUT_NAME)));
    };
    if let Some(mutability) = &name.mutability {
        return Some(Err(Error::new(mutability.span(), messages::MUTABLE)));
    }
    Some(tensor_type(&typed.ty, messages::INPUT_TYPE).map(|tensor| (name.ident.clone(), tensor)))
}

fn outputs(output: &ReturnType, function: Span) -> Result<Vec<TensorType>> {
    match output {
        ReturnType::Default => Err(Error::new(function, messages::OUTPUT_TYPE)),
        ReturnType::Type(_, ty) => match &**ty {
            Type::Tuple(tuple) if tuple.elems.len() > 1 => {
                let types = tuple.elems.iter().map(|ty| tensor_type(ty, messages::OUTPUT_TYPE));
                types.collect()
            }
            ty => Ok(vec![tensor_type(ty, messages::OUTPUT_TYPE)?]),
        },
    }
}

/// `Tensor![B, 10]`, taken apart.
pub fn tensor_type(ty: &Type, message: &str) -> Result<TensorType> {
    if let Type::Macro(call) = ty
        && call.mac.path.segments.last().is_some_and(|last| last.ident == "Tensor")
    {
        let mut tensor: TensorType = call.mac.parse_body()?;
        tensor.span = call.mac.path.span();
        return Ok(tensor);
    }
    Err(Error::new(ty.span(), message))
}
