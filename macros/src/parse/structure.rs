//! `#[module]` on a struct.

use super::arguments::integers_to_dims;
use super::fields::{Kind, kind_of};
use crate::diag::Diagnostics;
use crate::messages;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Fields, Generics, Ident, ItemStruct, Type, Visibility};

/// The struct of a module: its hyper-parameters and its submodules.
pub struct Structure {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub name: Ident,
    pub generics: Generics,
    pub fields: Vec<Field>,
}

/// A hyper-parameter or a submodule: which of the two, its use says.
pub struct Field {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub name: Ident,
    /// Its type, in which integers among generic arguments are dimensions.
    pub ty: Type,
    /// What `#[default(…)]` says.
    pub default: Option<Expr>,
    /// What its type shows of it.
    pub kind: Kind,
}

/// Reads the struct.
pub fn structure(item: ItemStruct, diagnostics: &mut Diagnostics) -> Option<Structure> {
    let fields = match item.fields {
        Fields::Unit => Vec::new(),
        Fields::Named(named) => {
            let fields = named.named.into_iter();
            fields.filter_map(|field| self::field(field, &item.generics, diagnostics)).collect()
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

fn field(field: syn::Field, generics: &Generics, diagnostics: &mut Diagnostics) -> Option<Field> {
    let (defaults, attributes): (Vec<_>, Vec<_>) =
        field.attrs.into_iter().partition(|attribute| attribute.path().is_ident("default"));
    let default = match defaults.first() {
        Some(attribute) => Some(diagnostics.keep(attribute.parse_args::<Expr>())?),
        None => None,
    };
    let mut ty = field.ty;
    integers_to_dims(&mut ty);
    let kind = kind_of(&ty, generics);
    Some(Field { attributes, visibility: field.vis, name: field.ident?, ty, default, kind })
}
