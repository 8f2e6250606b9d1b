//! `#[custom_vjp] mod clip_gradient { fn primal(…) … fn forward(…) … fn backward(…) … }`: an op with a rule of the user's.

use super::signature::tensor_type;
use crate::diag::Diagnostics;
use crate::ir::{InputType, Signature};
use crate::messages;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{FnArg, GenericArgument, Ident, Item, ItemFn, ItemMod, Pat, PathArguments, ReturnType, Type};

/// The room of an op, with its three functions.
pub struct CustomVjp {
    /// The module as the user wrote it.
    pub item: ItemMod,
    /// The arguments of `primal` and `forward`, in order.
    pub arguments: Vec<Argument>,
    /// The functions.
    pub primal: ItemFn,
    pub forward: ItemFn,
    pub backward: ItemFn,
    /// The types of the output, of what is kept, and of each cotangent.
    pub output: Type,
    pub residuals: Type,
    pub cotangents: Vec<Type>,
    pub shape: Shape,
}

/// An argument of the op.
pub struct Argument {
    pub name: Ident,
    pub ty: Type,
    /// Whether it is a tensor rather than a value.
    pub is_tensor: bool,
}

/// The shape rule.
pub enum Shape {
    /// That of a signature in dimensions.
    Signature(Box<Signature>),
    /// The results have the shapes of these inputs.
    OfInputs(Vec<usize>),
}

/// Reads the module.
pub fn custom_vjp(item: ItemMod, diagnostics: &mut Diagnostics) -> Option<CustomVjp> {
    let functions = ["primal", "forward", "backward"].map(|name| function(&item, name));
    let [Some(primal), Some(forward), Some(backward)] = functions else {
        diagnostics.at(item.ident.span(), messages::CUSTOM_VJP_FUNCTIONS);
        return None;
    };
    for other in [&forward, &backward] {
        if generics(other) != generics(&primal) {
            diagnostics.at(other.sig.ident.span(), messages::CUSTOM_VJP_GENERICS);
        }
    }
    let arguments = diagnostics.keep(arguments(&primal))?;
    let output = returned(&primal, diagnostics)?;
    let parts = parts(&returned(&forward, diagnostics)?);
    let [_, residuals] = parts.as_slice() else {
        diagnostics.at(forward.sig.ident.span(), messages::CUSTOM_VJP_FORWARD);
        return None;
    };
    let tensors = arguments.iter().filter(|argument| argument.is_tensor).count();
    let pulled = returned(&backward, diagnostics)?;
    let cotangents = if tensors == 1 { vec![pulled] } else { self::parts(&pulled) };
    if backward.sig.inputs.len() != 2 || cotangents.len() != tensors {
        diagnostics.at(backward.sig.ident.span(), messages::CUSTOM_VJP_BACKWARD);
    }
    let shape = shape(&primal, &arguments, &output, diagnostics)?;
    let residuals = residuals.clone();
    Some(CustomVjp { item, arguments, primal, forward, backward, output, residuals, cotangents, shape })
}

fn function(item: &ItemMod, name: &str) -> Option<ItemFn> {
    let (_, items) = item.content.as_ref()?;
    items.iter().find_map(|item| match item {
        Item::Fn(function) if function.sig.ident == name => Some(function.clone()),
        _ => None,
    })
}

/// The generics as text, to be compared.
fn generics(function: &ItemFn) -> String {
    let generics = &function.sig.generics;
    let params: Vec<String> =
        generics.params.iter().map(|param| param.to_token_stream().to_string()).collect();
    params.join(",") + &generics.where_clause.to_token_stream().to_string()
}

fn arguments(primal: &ItemFn) -> syn::Result<Vec<Argument>> {
    let arguments = primal.sig.inputs.iter().map(|input| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(name) => {
                let is_tensor = tensor_type(&typed.ty, "").is_ok() || shape_of(&typed.ty).is_some();
                Ok(Argument { name: name.ident.clone(), ty: (*typed.ty).clone(), is_tensor })
            }
            other => Err(syn::Error::new(other.span(), messages::INPUT_NAME)),
        },
        FnArg::Receiver(receiver) => Err(syn::Error::new(receiver.span(), messages::INPUT_NAME)),
    });
    let arguments: Vec<Argument> = arguments.collect::<syn::Result<_>>()?;
    match arguments.iter().filter(|argument| argument.is_tensor).count() {
        0 => Err(syn::Error::new(primal.sig.ident.span(), messages::NO_INPUT)),
        1..=6 => Ok(arguments),
        _ => Err(syn::Error::new(primal.sig.ident.span(), messages::TOO_MANY)),
    }
}

/// The type that a function returns.
fn returned(function: &ItemFn, diagnostics: &mut Diagnostics) -> Option<Type> {
    match &function.sig.output {
        ReturnType::Type(_, ty) => Some((**ty).clone()),
        ReturnType::Default => {
            diagnostics.at(function.sig.ident.span(), messages::CUSTOM_VJP_RETURNS);
            None
        }
    }
}

fn parts(ty: &Type) -> Vec<Type> {
    match ty {
        Type::Tuple(tuple) => tuple.elems.iter().cloned().collect(),
        one => vec![one.clone()],
    }
}

/// `S` of `Tensor<S, E>`.
fn shape_of(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Tensor")?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first()? {
            GenericArgument::Type(shape) => Some(shape.to_token_stream().to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn shape(
    primal: &ItemFn,
    arguments: &[Argument],
    output: &Type,
    diagnostics: &mut Diagnostics,
) -> Option<Shape> {
    let tensors = || arguments.iter().filter(|argument| argument.is_tensor);
    let outputs = parts(output);
    let inputs = tensors().map(|argument| {
        let tensor = tensor_type(&argument.ty, "").ok()?;
        Some((argument.name.clone(), InputType::Tensor(Box::new(tensor))))
    });
    let in_dimensions = outputs.iter().map(|output| tensor_type(output, "").ok());
    if let (Some(inputs), Some(outputs)) = (inputs.collect(), in_dimensions.collect()) {
        let (outer, inner) = (syn::Generics::default(), primal.sig.generics.clone());
        return Some(Shape::Signature(Box::new(Signature {
            outer,
            inner,
            inputs,
            mutable: Vec::new(),
            outputs,
        })));
    }
    let places = outputs.iter().map(|output| {
        let shape = shape_of(output)?;
        tensors().position(|argument| shape_of(&argument.ty).as_ref() == Some(&shape))
    });
    let places: Option<Vec<usize>> = places.collect();
    if places.is_none() {
        diagnostics.at(primal.sig.output.span(), messages::CUSTOM_VJP_SHAPE);
    }
    places.map(Shape::OfInputs)
}
