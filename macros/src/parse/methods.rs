//! `#[module]` on the `impl`: which of its methods are lowered, and how one calls another.
//!
//! A method that takes `&self` and tensors, and returns tensors, is lowered. Where a lowered method calls another one, its
//! equations are written in place. `call` is the method that a module is called by; each other one can be called from
//! outside too, unless it declares variables in place, which are numbered where `call` reaches them, or has other generics
//! that decide the shapes of parameters.

use super::body::{BodyParser, Place};
use super::fields::{Kind, Lengths};
use super::pattern::Wanted;
use super::scope::Binding;
use super::signature::{is_of_tensors, signature};
use super::vmapped::{Vmap, attached, vmapped};
use crate::diag::Diagnostics;
use crate::ir::{Arg, Body, Method, Module, Signature, Var, names};
use crate::messages;
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{
    Attribute, Block, ExprMethodCall, FnArg, GenericArgument, GenericParam, Ident, ImplItem, ImplItemFn,
    ItemImpl, Path, PathArguments, ReceiverKind, Type,
};

/// The `impl` of a module: its lowered methods, and the others as they stand.
pub struct Implementation {
    pub module: Module,
    pub others: TokenStream,
}

/// What a body may ask of the `impl` around it.
pub struct Context {
    pub self_ty: Type,
    /// The trait that names the types of the struct's fields.
    pub fields_trait: Path,
    /// The fields, where the struct's macro handed them over.
    fields: Option<Vec<(Ident, Kind)>>,
    /// The type parameters that may stand for modules.
    modules: Vec<Ident>,
    methods: Vec<Lowered>,
    plain: Vec<Ident>,
}

/// A method that is lowered.
struct Lowered {
    name: Ident,
    attributes: Vec<Attribute>,
    signature: Signature,
    block: Block,
}

impl Context {
    /// What is known of a field.
    pub fn kind(&self, field: &Ident) -> Option<&Kind> {
        self.fields.as_ref()?.iter().find(|(name, _)| name == field).map(|(_, kind)| kind)
    }

    /// Whether a field's type depends on a type parameter that may stand for a module, so that what it yields is not known.
    pub fn is_opaque(&self, field: &Ident) -> bool {
        let Type::Path(path) = &self.self_ty else { return false };
        let arguments = match path.path.segments.last().map(|last| &last.arguments) {
            Some(PathArguments::AngleBracketed(arguments)) => &arguments.args,
            _ => return false,
        };
        let mentions = |argument: Option<&GenericArgument>| {
            let tokens = argument.map(ToTokens::to_token_stream).unwrap_or_default();
            self.modules.iter().any(|module| names(tokens.clone(), module))
        };
        self.kind(field).is_some_and(|kind| kind.params.iter().any(|&place| mentions(arguments.get(place))))
    }

    /// A block in which the numbers of submodules are literals.
    fn with_lengths(&self, block: &Block) -> Block {
        let mut block = block.clone();
        Lengths(self.fields.as_deref().unwrap_or_default()).visit_block_mut(&mut block);
        block
    }

    fn method(&self, name: &Ident) -> Option<&Lowered> {
        self.methods.iter().find(|method| method.name == *name)
    }
}

/// Reads the `impl`; `fields` are the struct's, if its macro handed them over.
pub fn implementation(
    item: &ItemImpl,
    fields: Option<Vec<(Ident, Kind)>>,
    diagnostics: &mut Diagnostics,
) -> Option<Implementation> {
    if let Some((path, _)) = &item.trait_ {
        diagnostics.at(path.span(), messages::TRAIT_IMPL);
        return None;
    }
    let Some(name) = struct_name(&item.self_ty) else {
        diagnostics.at(item.self_ty.span(), messages::SELF_TYPE);
        return None;
    };
    let Some(call) = item.items.iter().filter_map(function).find(|function| function.sig.ident == "call")
    else {
        diagnostics.at(item.self_ty.span(), messages::NO_CALL);
        return None;
    };
    match call.sig.inputs.first() {
        Some(FnArg::Receiver(_)) if takes_reference(call) => {}
        Some(FnArg::Receiver(receiver)) => diagnostics.at(receiver.span(), messages::BY_REFERENCE_SELF),
        _ => diagnostics.at(call.sig.ident.span(), messages::NO_SELF),
    }
    let mut context = context(item, &name, fields);
    let (lowered, others): (Vec<&ImplItem>, Vec<&ImplItem>) =
        item.items.iter().partition(|part| function(part).is_some_and(|function| is_lowered(function, item)));
    for function in std::iter::once(call).chain(lowered.into_iter().filter_map(function)) {
        if context.method(&function.sig.ident).is_none() {
            context.methods.push(Lowered {
                name: function.sig.ident.clone(),
                attributes: function.attrs.clone(),
                signature: signature(&function.sig, &item.generics, diagnostics)?,
                block: context.with_lengths(&function.block),
            });
        }
    }
    context.plain =
        others.iter().filter_map(|other| function(other)).map(|other| other.sig.ident.clone()).collect();
    let methods = self::methods(&context, None, diagnostics);
    // A mistake would be found twice.
    let vmap = attached(item, diagnostics).filter(|_| diagnostics.is_empty());
    let vmapped =
        vmap.as_ref().map_or_else(Vec::new, |vmap| self::methods(&context, Some(vmap), diagnostics));
    let names_axes = matches!(vmap, Some(Vmap::Axes(_)));
    Some(Implementation {
        module: Module { name, self_ty: (*item.self_ty).clone(), methods, vmapped, names_axes },
        others: quote!(#(#others)*),
    })
}

fn context(item: &ItemImpl, name: &Ident, fields: Option<Vec<(Ident, Kind)>>) -> Context {
    let mut fields_trait = match &*item.self_ty {
        Type::Path(path) => path.path.clone(),
        _ => name.clone().into(),
    };
    if let Some(last) = fields_trait.segments.last_mut() {
        *last = fields_name(name).into();
    }
    let modules = item.generics.type_params().filter(|param| param.bounds.is_empty());
    Context {
        self_ty: (*item.self_ty).clone(),
        fields_trait,
        fields,
        modules: modules.map(|param| param.ident.clone()).collect(),
        methods: Vec::new(),
        plain: Vec::new(),
    }
}

/// The trait that names the types of a struct's fields, and the macro that hands them over.
pub fn fields_name(module: &Ident) -> Ident {
    format_ident!("__{module}Fields")
}

fn function(item: &ImplItem) -> Option<&ImplItemFn> {
    match item {
        ImplItem::Fn(function) => Some(function),
        _ => None,
    }
}

fn takes_reference(function: &ImplItemFn) -> bool {
    match function.sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) => matches!(receiver.kind, ReceiverKind::Reference(_, _, None)),
        _ => false,
    }
}

/// Whether a method is lowered: it takes `&self` and tensors, and returns tensors.
pub fn is_lowered(function: &ImplItemFn, item: &ItemImpl) -> bool {
    function.sig.ident == "call" || takes_reference(function) && is_of_tensors(&function.sig, &item.generics)
}

/// The methods that can be called from outside, or in a `vmap!`, `call` first.
fn methods(context: &Context, vmap: Option<&Vmap>, diagnostics: &mut Diagnostics) -> Vec<Method> {
    let mut methods: Vec<Method> = Vec::new();
    let mut reached: Vec<Ident> = Vec::new();
    for lowered in &context.methods {
        let mut parser = BodyParser::new(Place::Module, diagnostics);
        parser.module = Some(context);
        let mut signature = lowered.signature.clone();
        if let Some(vmap) = vmap {
            let (along, axes) = vmapped(&signature, vmap);
            (signature, parser.along) = (along, Some(axes));
        }
        parser.inputs(&signature);
        parser.function_body(&lowered.block, lowered.signature.outputs.len());
        parser.declare_results(&lowered.signature);
        let inlined = std::mem::take(&mut parser.inlined);
        let body = parser.finish();
        let is_call = methods.is_empty();
        if is_call {
            reached = inlined;
        } else if declares(&body) {
            if !reached.contains(&lowered.name) {
                diagnostics.at(lowered.name.span(), messages::COMPACT_UNREACHED);
            }
            continue;
        } else if deciding(&signature) != deciding(&methods[0].signature) {
            continue;
        }
        let attributes = lowered.attributes.iter().map(ToTokens::to_token_stream).collect();
        let name = lowered.name.clone();
        methods.push(Method { name, attributes, signature, body });
    }
    methods
}

/// Whether a body declares variables in place.
fn declares(body: &Body) -> bool {
    !body.params.is_empty() || body.submodules.iter().any(|submodule| !submodule.held)
}

/// The generics of a method that decide the shapes of parameters.
fn deciding(signature: &Signature) -> Vec<String> {
    let params = signature.inner.params.iter().filter(|param| match param {
        GenericParam::Type(param) => !super::signature::has_bound(param, &["Batch", "Phase", "Axes"]),
        _ => true,
    });
    params.map(|param| param.to_token_stream().to_string()).collect()
}

/// The name of the struct that an `impl` is for.
pub fn struct_name(ty: &Type) -> Option<Ident> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last().map(|last| last.ident.clone()),
        _ => None,
    }
}

impl BodyParser<'_> {
    /// `self.encode(x)`: another method of the module, or a field that is a submodule.
    pub(super) fn method_of_self(&mut self, call: &ExprMethodCall, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let context = self.module?;
        if let Some(method) = context.method(&call.method) {
            return self.inline(method, call, wanted);
        }
        if context.plain.contains(&call.method) {
            self.mistake(call.method.span(), messages::PLAIN_METHOD);
            return None;
        }
        let held = super::fields::Held { field: call.method.clone(), index: None };
        self.call_held(&held, call.args.iter(), wanted)
    }

    /// Writes the equations of another method in place.
    fn inline(&mut self, method: &Lowered, call: &ExprMethodCall, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let span = call.method.span();
        let args = self.tensors(call.args.iter())?;
        if self.inlining.contains(&method.name) {
            self.mistake(span, messages::RECURSION);
            return None;
        }
        let (given, takes) = (args.len(), method.signature.inputs.len());
        if given != takes || wanted.len() != method.signature.outputs.len() {
            self.mistake(span, messages::method_form(&method.name, takes, method.signature.outputs.len()));
            return None;
        }
        self.check_generics(method, call)?;
        let scope = std::mem::take(&mut self.scope);
        for ((name, _), var) in method.signature.inputs.iter().zip(args.iter().filter_map(Arg::var)) {
            match method.signature.mutable.contains(name) {
                true => self.scope.bind_mut(name.to_string(), Binding::Tensor(var)),
                false => self.scope.bind(name.to_string(), Binding::Tensor(var)),
            }
        }
        self.inlined.push(method.name.clone());
        self.inlining.push(method.name.clone());
        let outputs = self.inner_block(&method.block, wanted);
        self.inlining.pop();
        self.scope = scope;
        if let Some(outputs) = &outputs {
            self.declare_outputs(outputs, &method.signature);
        }
        outputs
    }

    /// The equations of another method stand among generics of this one, so that those that they name must be here too.
    fn check_generics(&mut self, method: &Lowered, call: &ExprMethodCall) -> Option<()> {
        let Some(caller) = self.generics.clone() else { return Some(()) };
        let body = method.block.to_token_stream();
        let missing = method.signature.inner.type_params().find(|param| {
            !caller.type_params().any(|known| known.ident == param.ident) && names(body.clone(), &param.ident)
        });
        match missing {
            Some(param) => {
                let message = messages::missing_generic(&method.name, &param.ident);
                self.mistake(call.method.span(), message);
                None
            }
            None => Some(()),
        }
    }

    /// What a submodule yields whose type is a type parameter is known only by a declaration: that of a `let`, or that of
    /// the result.
    pub(super) fn declare_results(&mut self, signature: &Signature) {
        let outputs = self.body.outputs.clone();
        self.declare_outputs(&outputs, signature);
        for index in 0..self.body.eqns.len() {
            let eqn = &self.body.eqns[index];
            if eqn.outs.iter().any(|out| self.body.is_undeclared(eqn, *out)) {
                self.mistake(eqn.span, messages::UNDECLARED);
            }
        }
    }

    fn declare_outputs(&mut self, outputs: &[Var], signature: &Signature) {
        for (&output, declared) in outputs.iter().zip(&signature.outputs) {
            let undeclared = self
                .body
                .eqns
                .iter()
                .any(|eqn| eqn.outs.contains(&output) && self.body.is_undeclared(eqn, output));
            if undeclared {
                self.body.vars[output.0].declared = Some(declared.clone());
            }
        }
    }
}
