//! The head of `call` or of a differentiable function: generics, inputs, outputs.

use super::dims::TensorType;
use crate::diag::Diagnostics;
use crate::ir::{InputType, Signature};
use crate::messages;
use proc_macro2::Span;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Error, FnArg, Generics, Ident, Pat, Result, ReturnType, Type, TypeParam, TypeParamBound};

/// Reads the head of a function. `outer` are the generics of the `impl` around it.
pub fn signature(
    head: &syn::Signature,
    outer: &Generics,
    diagnostics: &mut Diagnostics,
) -> Option<Signature> {
    if let Some(asyncness) = &head.asyncness {
        diagnostics.at(asyncness.span(), messages::ASYNC);
    }
    let generics = [outer, &head.generics];
    let inputs: Vec<_> =
        head.inputs.iter().filter_map(|input| diagnostics.keep(self::input(input, &generics)?)).collect();
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
    let mutable = head.inputs.iter().filter_map(mutable).collect();
    whole.then(|| Signature { outer: outer.clone(), inner: head.generics.clone(), inputs, mutable, outputs })
}

/// The name in `mut x: Tensor![…]`.
fn mutable(input: &FnArg) -> Option<Ident> {
    match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(name) if name.mutability.is_some() => Some(name.ident.clone()),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}

fn input(input: &FnArg, generics: &[&Generics]) -> Option<Result<(Ident, InputType)>> {
    let FnArg::Typed(typed) = input else { return None };
    let Pat::Ident(name) = &*typed.pat else {
        return Some(Err(Error::new(typed.pat.span(), messages::INPUT_NAME)));
    };
    if is_phase(&typed.ty, generics) {
        return Some(Ok((name.ident.clone(), InputType::Phase(typed.ty.to_token_stream()))));
    }
    let tensor = tensor_type(&typed.ty, messages::INPUT_TYPE);
    Some(tensor.map(|tensor| (name.ident.clone(), InputType::Tensor(Box::new(tensor)))))
}

/// Whether a method takes nothing but tensors and phases, at least one, and returns tensors.
pub fn is_of_tensors(head: &syn::Signature, outer: &Generics) -> bool {
    let generics = [outer, &head.generics];
    let mut inputs = head.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(&*typed.ty),
        FnArg::Receiver(_) => None,
    });
    let is_tensor = |ty: &Type| tensor_type(ty, "").is_ok();
    inputs.clone().any(is_tensor)
        && inputs.all(|ty| is_tensor(ty) || is_phase(ty, &generics))
        && outputs(&head.output, head.ident.span()).is_ok()
}

/// `Train`, `Eval`, or a parameter that is one of them: `P: Phase`.
fn is_phase(ty: &Type, generics: &[&Generics]) -> bool {
    let Type::Path(path) = ty else { return false };
    let named = path.path.segments.last().is_some_and(|last| last.ident == "Train" || last.ident == "Eval");
    let mut params = generics.iter().flat_map(|generics| generics.type_params());
    named || params.any(|param| path.path.is_ident(&param.ident) && has_bound(param, &["Phase"]))
}

/// Whether one of these traits bounds a type parameter where it is declared.
pub fn has_bound(param: &TypeParam, names: &[&str]) -> bool {
    param.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name))
        }
        _ => false,
    })
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
