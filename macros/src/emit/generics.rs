//! The generics of generated items: those of the `impl`, those of `call`, and which of them decide parameters.

use crate::ir::Signature;
use crate::parse::signature::has_bound;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics};

/// The generics of a module or of a differentiable function.
#[derive(Clone)]
pub struct AllGenerics {
    outer: Vec<GenericParam>,
    inner: Vec<GenericParam>,
    predicates: Vec<TokenStream>,
    /// Names for the types of variables, which an `impl` declares and nothing takes as arguments.
    variables: Vec<syn::Ident>,
}

impl AllGenerics {
    /// The generics of a signature.
    pub fn of(signature: &Signature) -> Self {
        let predicates = |generics: &Generics| -> Vec<TokenStream> {
            let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
            predicates.map(ToTokens::to_token_stream).collect()
        };
        AllGenerics {
            outer: signature.outer.params.iter().cloned().collect(),
            inner: signature.inner.params.iter().cloned().collect(),
            variables: Vec::new(),
            predicates: [predicates(&signature.outer), predicates(&signature.inner)].concat(),
        }
    }

    /// The same with further bounds.
    pub fn with(&self, bounds: &[TokenStream]) -> Self {
        let predicates = self.predicates.iter().chain(bounds).cloned().collect();
        AllGenerics { predicates, ..self.clone() }
    }

    /// The same with names for the types of variables.
    pub fn with_variables(&self, variables: &[syn::Ident]) -> Self {
        AllGenerics { variables: variables.to_vec(), ..self.clone() }
    }

    /// The type parameters that nothing is said of: each may stand for a module.
    pub fn modules(&self) -> impl Iterator<Item = &syn::Ident> {
        self.outer.iter().filter_map(|param| match param {
            GenericParam::Type(ty) if ty.bounds.is_empty() => Some(&ty.ident),
            _ => None,
        })
    }

    /// `H: Dim, O: Dim, B: Batch`
    pub fn declared(&self) -> TokenStream {
        let (all, variables) = (self.outer.iter().chain(&self.inner), &self.variables);
        quote!(#(#all,)* #(#variables,)*)
    }

    /// `H, O, B`
    pub fn arguments(&self) -> TokenStream {
        arguments(self.outer.iter().chain(&self.inner))
    }

    /// `H, O, B` as a list of types, in which a constant has a type too.
    pub fn types(&self) -> TokenStream {
        types(self.outer.iter().chain(&self.inner))
    }

    /// `H, O, Dyn, Eval` as a list of types: what parameters may depend on.
    pub fn types_without_batch(&self) -> TokenStream {
        let names = self.outer.iter().chain(&self.inner).map(|param| match param {
            GenericParam::Type(ty) if has_bound(ty, &["Batch"]) => quote!(::flaxen::shape::Dyn),
            GenericParam::Type(ty) if has_bound(ty, &["Phase"]) => quote!(::flaxen::module::Eval),
            GenericParam::Type(ty) if has_bound(ty, &["Axes"]) => quote!(()),
            other => as_type(other),
        });
        quote!(#(#names,)*)
    }

    /// `H: Dim, O: Dim`: the generics of the parameters.
    pub fn declared_of_params(&self) -> TokenStream {
        let (params, variables) = (self.params(), &self.variables);
        quote!(#(#params,)* #(#variables,)*)
    }

    /// `H, O`
    pub fn arguments_of_params(&self) -> TokenStream {
        arguments(self.params().into_iter())
    }

    /// `H, O` as a list of types.
    pub fn types_of_params(&self) -> TokenStream {
        types(self.params().into_iter())
    }

    /// The generics that stand for an element.
    pub fn elements(&self) -> Vec<syn::Ident> {
        let elements = self.outer.iter().chain(&self.inner).filter_map(|param| match stand_in(param) {
            Some(StandIn::Element(name)) => Some(name),
            _ => None,
        });
        elements.collect()
    }

    /// What the generics of the parameters must be, as predicates: `H: Dim, H: DimDiv<U2>,`.
    pub fn bounds_of_params(&self) -> TokenStream {
        let bounds = self.params().into_iter().filter_map(|param| match param {
            GenericParam::Type(ty) if !ty.bounds.is_empty() => {
                let (name, bounds) = (&ty.ident, &ty.bounds);
                Some(quote!(#name: #bounds,))
            }
            _ => None,
        });
        let (bounds, predicates) = (bounds.collect::<TokenStream>(), &self.predicates);
        quote!(#bounds #(#predicates,)*)
    }

    /// `H, O`: the generics of the `impl`.
    pub fn arguments_of_outer(&self) -> TokenStream {
        arguments(self.outer.iter())
    }

    /// Whether the parameters have no generics.
    pub fn params_are_concrete(&self) -> bool {
        self.params().is_empty()
    }

    /// The generics of the method that decide parameters: `I: Static`.
    pub fn declared_inner_of_params(&self) -> TokenStream {
        let params = self.inner.iter().filter(|param| decides_params(param));
        quote!(#(#params,)*)
    }

    /// The generics of the method: `B: Batch, I: Static`.
    pub fn declared_inner(&self) -> TokenStream {
        let (inner, variables) = (&self.inner, &self.variables);
        quote!(#(#inner,)* #(#variables,)*)
    }

    /// `where H: DimDiv<U2>`
    pub fn where_clause(&self) -> TokenStream {
        let predicates = &self.predicates;
        if predicates.is_empty() { TokenStream::new() } else { quote!(where #(#predicates,)*) }
    }

    /// `H: DimDiv<U2>`
    pub fn predicates(&self) -> &[TokenStream] {
        &self.predicates
    }

    /// The type parameters that a shape check in numbers needs stand-ins for; `None` if there is one of which it is not
    /// known what it stands for.
    pub fn stand_ins(&self, is_module: impl Fn(&syn::Ident) -> bool) -> Option<Vec<StandIn>> {
        let known = |param| {
            stand_in(param).or_else(|| match param {
                GenericParam::Type(ty) if ty.bounds.is_empty() && is_module(&ty.ident) => {
                    Some(StandIn::Module(ty.ident.clone()))
                }
                _ => None,
            })
        };
        self.outer.iter().chain(&self.inner).map(known).collect()
    }

    fn params(&self) -> Vec<&GenericParam> {
        self.outer.iter().chain(&self.inner).filter(|param| decides_params(param)).collect()
    }
}

/// What a type parameter stands for.
pub enum StandIn {
    /// A dimension.
    Dim(syn::Ident),
    /// An element.
    Element(syn::Ident),
    /// Training or evaluation.
    Phase(syn::Ident),
    /// A module.
    Module(syn::Ident),
    /// A number of passes, or something else that no shape depends on.
    Constant(syn::Ident, Box<syn::Type>),
}

fn stand_in(param: &GenericParam) -> Option<StandIn> {
    let ty = match param {
        GenericParam::Type(ty) => ty,
        GenericParam::Const(constant) => {
            return Some(StandIn::Constant(constant.ident.clone(), Box::new(constant.ty.clone())));
        }
        GenericParam::Lifetime(_) => return None,
    };
    if has_bound(ty, &["Dim", "Batch", "Static"]) {
        Some(StandIn::Dim(ty.ident.clone()))
    } else if has_bound(ty, &["Float", "Element"]) {
        Some(StandIn::Element(ty.ident.clone()))
    } else if has_bound(ty, &["Phase"]) {
        Some(StandIn::Phase(ty.ident.clone()))
    } else {
        None
    }
}

/// A batch promises not to decide a parameter's shape, and a phase not to decide whether there is one.
fn decides_params(param: &GenericParam) -> bool {
    !matches!(param, GenericParam::Type(ty) if has_bound(ty, &["Batch", "Phase", "Axes"]))
}

fn argument(param: &GenericParam) -> TokenStream {
    match param {
        GenericParam::Type(ty) => {
            let name = &ty.ident;
            quote!(#name)
        }
        GenericParam::Const(constant) => {
            let name = &constant.ident;
            quote!(#name)
        }
        GenericParam::Lifetime(lifetime) => {
            let name = &lifetime.lifetime;
            quote!(#name)
        }
    }
}

fn arguments<'a>(params: impl Iterator<Item = &'a GenericParam>) -> TokenStream {
    let names = params.map(argument);
    quote!(#(#names,)*)
}

fn types<'a>(params: impl Iterator<Item = &'a GenericParam>) -> TokenStream {
    let types = params.map(as_type);
    quote!(#(#types,)*)
}

fn as_type(param: &GenericParam) -> TokenStream {
    match param {
        GenericParam::Const(constant) => {
            let (name, ty) = (&constant.ident, &constant.ty);
            quote!(::flaxen::__private::constant::#ty<#name>)
        }
        other => argument(other),
    }
}
