//! `#[module]` on a struct or on its `impl`.

use super::body::{BodyParser, Place};
use super::signature::signature;
use crate::diag::Diagnostics;
use crate::ir::Module;
use crate::messages;
use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, Fields, FnArg, Generics, Ident, ImplItem, ImplItemFn, ItemImpl, ItemStruct,
    ReceiverKind, Type, Visibility,
};

/// The struct of a module: its hyper-parameters.
pub struct Structure {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub name: Ident,
    pub generics: Generics,
    pub fields: Vec<Field>,
}

/// A hyper-parameter.
pub struct Field {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub name: Ident,
    pub ty: Type,
    /// What `#[default(…)]` says.
    pub default: Option<Expr>,
}

/// Reads the struct.
pub fn structure(item: ItemStruct, diagnostics: &mut Diagnostics) -> Option<Structure> {
    let fields = match item.fields {
        Fields::Unit => Vec::new(),
        Fields::Named(named) => {
            named.named.into_iter().filter_map(|field| self::field(field, diagnostics)).collect()
        }
        Fields::Unnamed(fields) => {
            diagnostics.at(fields.span(), messages::TUPLE_STRUCT);
            return None;
        }
    };
    Some(Structure {
        attributes: item.attrs,
        visibility: item.vis,
        name: item.ident,
        generics: item.generics,
        fields,
    })
}

fn field(field: syn::Field, diagnostics: &mut Diagnostics) -> Option<Field> {
    let (defaults, attributes): (Vec<_>, Vec<_>) =
        field.attrs.into_iter().partition(|attribute| attribute.path().is_ident("default"));
    let default = match defaults.first() {
        Some(attribute) => Some(diagnostics.keep(attribute.parse_args::<Expr>())?),
        None => None,
    };
    Some(Field { attributes, visibility: field.vis, name: field.ident?, ty: field.ty, default })
}

/// The `impl` of a module: the lowered `call`, its docs, and the other methods as they stand.
pub struct Implementation {
    pub module: Module,
    pub attributes: Vec<Attribute>,
    pub others: TokenStream,
}

/// Reads the `impl`.
pub fn implementation(item: &ItemImpl, diagnostics: &mut Diagnostics) -> Option<Implementation> {
    if let Some((path, _)) = &item.trait_ {
        diagnostics.at(path.span(), messages::TRAIT_IMPL);
        return None;
    }
    let Some(name) = struct_name(&item.self_ty) else {
        diagnostics.at(item.self_ty.span(), messages::SELF_TYPE);
        return None;
    };
    let Some(call) = item.items.iter().find_map(call_of) else {
        diagnostics.at(item.self_ty.span(), messages::NO_CALL);
        return None;
    };
    match call.sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) => {
            if !matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) {
                diagnostics.at(receiver.span(), messages::BY_REFERENCE_SELF);
            }
        }
        _ => diagnostics.at(call.sig.ident.span(), messages::NO_SELF),
    }
    let signature = signature(&call.sig, &item.generics, diagnostics)?;
    let mut parser = BodyParser::new(Place::Module, diagnostics).of_type(&item.self_ty);
    parser.inputs(&signature);
    parser.function_body(&call.block, signature.outputs.len());
    let body = parser.finish();
    let others = item.items.iter().filter(|item| call_of(item).is_none());
    Some(Implementation {
        module: Module { name, self_ty: (*item.self_ty).clone(), signature, body },
        attributes: call.attrs.clone(),
        others: quote!(#(#others)*),
    })
}

fn call_of(item: &ImplItem) -> Option<&ImplItemFn> {
    match item {
        ImplItem::Fn(function) if function.sig.ident == "call" => Some(function),
        _ => None,
    }
}

/// The name of the struct that an `impl` is for.
pub fn struct_name(ty: &Type) -> Option<Ident> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last().map(|last| last.ident.clone()),
        _ => None,
    }
}
