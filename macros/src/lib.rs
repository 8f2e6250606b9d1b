//! The compiler of flaxen: `#[module]`, `#[differentiable]`, `value_and_grad!`, `Tensor!`.
//!
//! parse (syn to IR) → analyze → lower → emit. No stage knows an op, a layer, an optimiser or a device: generated code
//! reaches them through the contracts of the crate `flaxen`, by the path that the user wrote.

mod analyze;
mod diag;
mod emit;
mod fallback;
mod ir;
mod lower;
mod messages;
mod parse;
#[cfg(test)]
mod snapshots;

use diag::Diagnostics;
use ir::transform::Transform;
use parse::closure::ClosureCall;
use proc_macro::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::{Error, Item};

/// Makes a module of a struct and its `impl`.
///
/// On a struct, the fields are hyper-parameters, and submodules in the style of Flax's `setup`: `encoder: Encoder<20>`,
/// `layers: (Dense<3>, Dense<4>)`, `blocks: [Block; 4]`, or a type parameter, `backbone: Backbone`. Integers among generic
/// arguments are dimensions. Each field has a default (`#[default(0.5)]`, or that of its type) and a setter of its name, which
/// `compact!(Scale<3>, rate = 0.1)` calls too.
///
/// On an `impl`, which stands after the struct, the methods that take `&self` and tensors, and return tensors, are lowered:
/// there will be a struct of parameters (`CnnParams`) with a field a submodule, `init`, `apply`, and a backward pass, which
/// the documentation of the `impl` lists. Other methods stay as they are.
///
/// # Submodules in fields
///
/// `self.encoder(x)`, `self.layers.0(x)` and `self.blocks[0](x)` call them. As in Flax a submodule has variables if it is
/// called; their names are those of the fields, `encoder`, `layers_0`, `blocks_0`. What a submodule yields whose type is a
/// type parameter must be declared, `let y: Tensor![B, 32] = self.backbone(x);`, and the bounds are written for the user.
///
/// `for layer in &self.layers` and `for (i, layer) in self.layers.iter().enumerate()` are written out, a pass for each submodule of
/// a tuple or an array. `if let Some(projection) = &self.projection` calls a submodule that may not be there, and then has no
/// variables.
///
/// # Methods
///
/// `call` is the method that the module is applied by. Another one, `encode`, is called as `self.encode(x)` in the module,
/// where its equations are written in place, so that the generics that it names must exist there too; and from outside as
/// `model.encode().apply(&variables, x)`, or `model.bind(&variables).encode(x)`. All methods share the variables. Unlike
/// Flax's, `init` draws also those of submodules that only other methods call, after those of `call`: each key comes from
/// the path, so that they are what Flax draws when it initialises by such a method. A method that declares variables in place
/// is called in the module only, since they are numbered where `call` reaches them; and so is one whose generics, besides a
/// batch or a phase, are not those of `call`.
#[proc_macro_attribute]
pub fn module(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let tokens = syn::parse::<Item>(item).map(|item| match item {
        Item::Impl(mut item) => {
            parse::vmapped::attach(arguments.into(), &mut item);
            implementation(item, None)
        }
        _ if !arguments.is_empty() => {
            Error::new(proc_macro2::Span::call_site(), messages::ARGUMENTS).into_compile_error()
        }
        Item::Struct(item) => structure(item),
        other => Error::new_spanned(other, messages::ITEM).into_compile_error(),
    });
    tokens.unwrap_or_else(Error::into_compile_error).into()
}

fn structure(item: syn::ItemStruct) -> proc_macro2::TokenStream {
    let mut diagnostics = Diagnostics::new();
    let structure = parse::structure::structure(item, &mut diagnostics);
    let tokens = structure.map(|structure| emit::structure::structure(&structure));
    or_mistakes(tokens, diagnostics, proc_macro2::TokenStream::new)
}

/// An `impl` with the fields of its struct, as the struct's own macro hands them over.
#[doc(hidden)]
#[proc_macro]
pub fn __implementation(tokens: TokenStream) -> TokenStream {
    let parsed = syn::parse_macro_input!(tokens as parse::fields::WithFields);
    implementation(parsed.implementation, Some(parsed.fields)).into()
}

fn implementation(
    item: syn::ItemImpl,
    fields: Option<Vec<(syn::Ident, parse::fields::Kind)>>,
) -> proc_macro2::TokenStream {
    if fields.is_none()
        && parse::fields::asks_for_fields(&item)
        && let Some(name) = parse::methods::struct_name(&item.self_ty)
    {
        let fields = parse::methods::fields_name(&name);
        return quote!(#fields! { #item });
    }
    let mut diagnostics = Diagnostics::new();
    let receiver = parse::fields::receiver(&item);
    let tokens = match parse::methods::implementation(&item, fields, &mut diagnostics) {
        Some(implementation) if diagnostics.is_empty() => or_mistakes(
            Some(emit::module::module(implementation)),
            diagnostics,
            proc_macro2::TokenStream::new,
        ),
        _ => or_mistakes(None, diagnostics, || fallback::implementation(&item)),
    };
    match receiver {
        Some(receiver) => emit::names::same_self(tokens, receiver),
        None => tokens,
    }
}

/// Makes a function of tensors differentiable: a room of the same name holds it as an op, with a backward pass that is
/// written while it is compiled. It can be called in modules, in `value_and_grad!`, and as the function that it is.
#[proc_macro_attribute]
pub fn differentiable(_: TokenStream, item: TokenStream) -> TokenStream {
    let item = syn::parse_macro_input!(item as syn::ItemFn);
    let mut diagnostics = Diagnostics::new();
    let signature = parse::signature::signature(&item.sig, &syn::Generics::default(), &mut diagnostics);
    let tokens = signature.and_then(|signature| {
        let mut parser = parse::body::BodyParser::new(parse::body::Place::Function, &mut diagnostics);
        parser.inputs(&signature);
        parser.function_body(&item.block, signature.outputs.len());
        let body = parser.finish();
        diagnostics.is_empty().then(|| emit::function::function(&item, &signature, body))
    });
    or_mistakes(tokens, diagnostics, || fallback::function(&item)).into()
}

/// Makes an op with a derivative of one's own of a module with three functions, as `jax.custom_vjp`.
///
/// `primal` computes the output. `forward` takes the same, and returns the output and what is kept; `backward` takes what was kept
/// and the output's cotangent, and returns the cotangents of the inputs, with `()` for an input that has none. Arguments of
/// `primal` that are no tensors are values of the op. Outside of the module its name is the function `primal`, and in the body
/// of a module or closure the op. Examples are in `flaxen::transform`.
#[proc_macro_attribute]
pub fn custom_vjp(_: TokenStream, item: TokenStream) -> TokenStream {
    let item = match syn::parse::<Item>(item) {
        Ok(Item::Mod(item)) => item,
        Ok(other) => return Error::new_spanned(other, messages::CUSTOM_VJP_ITEM).into_compile_error().into(),
        Err(mistake) => return mistake.into_compile_error().into(),
    };
    let mut diagnostics = Diagnostics::new();
    let custom = parse::custom_vjp::custom_vjp(item.clone(), &mut diagnostics);
    let tokens = custom.map(|custom| emit::custom_vjp::custom_vjp(&custom));
    or_mistakes(tokens, diagnostics, || quote!(#item)).into()
}

/// The value of a closure and its gradient: `value_and_grad!(|params| { … }, &state.params)`.
///
/// The closure sees its surroundings. It ends in the loss, a scalar, or in `(loss, aux)`; the result is `(loss, gradient)`
/// or `((loss, aux), gradient)`, with a tuple of gradients for a closure of several arguments. In it, a call is of a model
/// (`model.apply(params, x)`), of an op or a `#[differentiable]` function, or an operator.
#[proc_macro]
pub fn value_and_grad(tokens: TokenStream) -> TokenStream {
    transformed(Transform::ValueAndGrad, tokens)
}

/// The gradient of a closure, as `jax.grad`: `grad!(|x| square(x).sum(), x)`.
///
/// As [`value_and_grad!`], without the loss: of a closure that ends in `(loss, aux)`, the result is `(gradient, aux)`.
#[proc_macro]
pub fn grad(tokens: TokenStream) -> TokenStream {
    transformed(Transform::Grad, tokens)
}

/// The output of a closure and its pullback, as `jax.vjp`: `let (out, pullback) = vjp!(|x, w| matmul(x, w), x, w);`.
///
/// The pullback takes a cotangent of the output, and returns those of the arguments: `let (dx, dw) = pullback(cotangent);`.
/// It is called once, because it gives up what the forward pass kept. A closure may end in a tuple of at most four tensors;
/// then the pullback takes a tuple of cotangents.
#[proc_macro]
pub fn vjp(tokens: TokenStream) -> TokenStream {
    transformed(Transform::Vjp, tokens)
}

/// The output of a closure and its derivative in a direction, as `jax.jvp`: `let (out, tangent) = jvp!(|x| tanh(x), x, dx);`.
///
/// A closure of several arguments takes a tuple of them and a tuple of their tangents: `jvp!(|x, w| matmul(x, w), (x, w), (dx, dw))`;
/// a tree of variables and its tangent are given by reference. The equations are computed with dual numbers; what is read from
/// outside is lifted to them. How transformations stand in one another is said in `flaxen::transform`.
#[proc_macro]
pub fn jvp(tokens: TokenStream) -> TokenStream {
    transformed(Transform::Jvp, tokens)
}

/// The product of a Hessian and a vector, `hvp!(|x| square(x).sum(), x, v)`: forward over reverse, as `jvp` of `grad` in JAX.
///
/// A closure of several arguments takes a tuple of them and a tuple of directions, and the result is a tuple of products.
#[proc_macro]
pub fn hvp(tokens: TokenStream) -> TokenStream {
    transformed(Transform::Hvp, tokens)
}

/// The Jacobian of a closure of one tensor, a column at a time, as `jax.jacfwd`: `jacfwd!(|x| softmax(x), x)`.
///
/// Its shape is the output's and then the input's. The closure runs once for each element of the input.
#[proc_macro]
pub fn jacfwd(tokens: TokenStream) -> TokenStream {
    transformed(Transform::Jacfwd, tokens)
}

/// The Jacobian of a closure of one tensor, a row at a time, as `jax.jacrev`: `jacrev!(|x| softmax(x), x)`.
///
/// Its shape is the output's and then the input's. The closure runs once for each element of the output.
#[proc_macro]
pub fn jacrev(tokens: TokenStream) -> TokenStream {
    transformed(Transform::Jacrev, tokens)
}

/// The Hessian of a closure of one tensor that ends in a scalar, as `jax.hessian`: `hessian!(|x| exp(x).sum(), x)`.
///
/// Its shape is the input's twice. The closure runs once for each element of the input, forward over reverse.
#[proc_macro]
pub fn hessian(tokens: TokenStream) -> TokenStream {
    transformed(Transform::Hessian, tokens)
}

/// Declares names of axes: `axis!(pub batch);`. A `vmap!` binds one, and what reduces along it names it.
///
/// ```text
/// use flaxen::prelude::*;
///
/// axis!(batch);
///
/// let x = Tensor::<(U4,)>::of(&[1.0, 2.0, 3.0, 6.0])?;
/// let centered = vmap!(|x| x - pmean::<batch>(x), x, axis = batch);
/// assert_eq!(centered.as_slice(), [-2.0, -1.0, 0.0, 3.0]);
/// # Ok::<(), flaxen::Error>(())
/// ```
#[proc_macro]
pub fn axis(tokens: TokenStream) -> TokenStream {
    let parse::axis::Axes(axes) = syn::parse_macro_input!(tokens as parse::axis::Axes);
    let call = proc_macro::Span::call_site();
    let place = format!("{} {} {}", call.file(), call.line(), call.column());
    axes.iter().map(|axis| emit::axis::axis(axis, &place)).collect::<proc_macro2::TokenStream>().into()
}

/// A function of one example, computed for many at once, as `jax.vmap`: `vmap!(|x, y| square(x - y).mean(), xs, ys)`.
///
/// Each argument is a tensor with one more axis than the closure's. The results are stacked.
///
/// | keyword | | default |
/// |---|---|---|
/// | `in_axes = (0, None)` | the axis of each argument; `None` for one that all examples share. One number is for all | `0` |
/// | `out_axes = (1, None)` | where the examples are in each result; `None` for one that does not depend on them | `0` |
/// | `axis = batch` | a name for what is mapped over, declared with `axis!`, for `pmean::<batch>(x)` and its like | |
///
/// It stands in the closure of a transformation, in the body of a module or function, in another `vmap!`, or anywhere else. The
/// closure sees its surroundings, and what is said of [`value_and_grad!`] holds for its statements.
#[proc_macro]
pub fn vmap(tokens: TokenStream) -> TokenStream {
    let call = syn::parse_macro_input!(tokens as parse::vmap::VmapCall);
    let mut diagnostics = Diagnostics::new();
    let body = call.lower(&mut diagnostics);
    let tokens = diagnostics.is_empty().then(|| emit::vmap::vmap(body));
    let tokens = or_mistakes(tokens, diagnostics, || quote!(::core::unreachable!()));
    quote!({ #tokens }).into()
}

fn transformed(transform: Transform, tokens: TokenStream) -> TokenStream {
    let call = match ClosureCall::parser(transform).parse(tokens) {
        Ok(call) => call,
        Err(mistake) => return mistake.into_compile_error().into(),
    };
    let mut diagnostics = Diagnostics::new();
    let (closure, args) = call.lower(&mut diagnostics);
    let tokens = diagnostics.is_empty().then(|| emit::closure::closure(&closure, &args, &mut diagnostics));
    // In an expression the mistakes are statements, and the value is one of any type.
    let tokens = or_mistakes(tokens, diagnostics, || quote!(::core::unreachable!()));
    quote!({ #tokens }).into()
}

/// Declares a submodule in the body of a module: `compact!(Conv<32, (3, 3)>, padding = Valid, name = "stem")(x)`.
///
/// Integers in it are dimensions. Keywords whose value is an integer, a tuple of integers, a boolean or the name of a type
/// are part of the module's type; others call the setter of that name.
#[proc_macro]
pub fn compact(tokens: TokenStream) -> TokenStream {
    outside(tokens, messages::COMPACT_OUTSIDE)
}

/// Declares a parameter in the body of a module: `param!("kernel", lecun_normal(), [I, F])`.
#[proc_macro]
pub fn param(tokens: TokenStream) -> TokenStream {
    outside(tokens, messages::PARAM_OUTSIDE)
}

/// Declares a variable of another collection than `params` in the body of a module:
/// `let mean = variable!(BatchStats, "mean", zeros(), [F]);`.
///
/// `mean.value` is its value, and `mean.value = x;` gives it another one, which reads that follow see and `apply_mut` returns. A
/// value that is read has no gradient; one that has been written is what was computed, and has.
#[proc_macro]
pub fn variable(tokens: TokenStream) -> TokenStream {
    outside(tokens, messages::VARIABLE_OUTSIDE)
}

/// Stores a value of the body of a module for who captures it: `sow!(Intermediates, "features", x);`.
///
/// `apply_and_capture` returns what was sown; all other calls pass it over.
#[proc_macro]
pub fn sow(tokens: TokenStream) -> TokenStream {
    outside(tokens, messages::SOW_OUTSIDE)
}

/// The next key of an rng stream, in the body of a module: `let key = make_rng!(noise);`. It is an argument of an op that
/// draws, `normal_like(x, key)`.
#[proc_macro]
pub fn make_rng(tokens: TokenStream) -> TokenStream {
    outside(tokens, messages::MAKE_RNG_OUTSIDE)
}

/// The keys of a call, one for each rng stream that it draws from: `rngs! { dropout: key, noise: other }`.
#[proc_macro]
pub fn rngs(tokens: TokenStream) -> TokenStream {
    let keys = syn::parse_macro_input!(tokens as parse::rngs::Keys);
    let mut diagnostics = Diagnostics::new();
    let keys = keys.check(&mut diagnostics);
    let tokens = or_mistakes(None, diagnostics, || emit::rngs::rngs(&keys));
    quote!({ #tokens }).into()
}

/// Declares a collection of variables, as a type: `collection!(pub Cache);`. Its name is `cache`.
#[proc_macro]
pub fn collection(tokens: TokenStream) -> TokenStream {
    let marker = syn::parse_macro_input!(tokens as parse::marker::Marker);
    match parse::compact::field_of(&marker.name.to_string(), marker.name.span()) {
        Ok(name) => emit::marker::collection(&marker, &name.to_string()).into(),
        Err(mistake) => mistake.into_compile_error().into(),
    }
}

/// Declares an rng stream, as a type of its name: `stream!(pub noise);`.
#[proc_macro]
pub fn stream(tokens: TokenStream) -> TokenStream {
    emit::marker::stream(&syn::parse_macro_input!(tokens as parse::marker::Marker)).into()
}

fn outside(_: TokenStream, message: &str) -> TokenStream {
    Error::new(proc_macro2::Span::call_site(), message).into_compile_error().into()
}

/// A tensor type: `Tensor![B, 28, 28, 1]`, `Tensor![B, H / 2, 64; f64]`, `Tensor![]` for a scalar.
#[proc_macro]
#[allow(non_snake_case)]
pub fn Tensor(tokens: TokenStream) -> TokenStream {
    match syn::parse::<parse::dims::TensorType>(tokens) {
        Ok(tensor) => tensor.to_type().into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// A dimension as a type: `dim!(50257)`.
#[proc_macro]
pub fn dim(tokens: TokenStream) -> TokenStream {
    match syn::parse::<parse::dims::Dim>(tokens) {
        Ok(dim) => dim.to_type().into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// Names the dimensions `U0` to `U1024`.
#[doc(hidden)]
#[proc_macro]
pub fn __dimension_names(_: TokenStream) -> TokenStream {
    (0..=1024).flat_map(parse::dims::name_of).collect::<proc_macro2::TokenStream>().into()
}

/// What was made, or all mistakes and what stands in for it.
fn or_mistakes(
    tokens: Option<proc_macro2::TokenStream>,
    diagnostics: Diagnostics,
    fallback: impl FnOnce() -> proc_macro2::TokenStream,
) -> proc_macro2::TokenStream {
    match diagnostics.finish() {
        Ok(()) => tokens.unwrap_or_else(fallback),
        Err(mistakes) => {
            let (mistakes, fallback) = (mistakes.into_compile_error(), fallback());
            quote!(#mistakes #fallback)
        }
    }
}
