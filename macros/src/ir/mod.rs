//! The intermediate representation: single-assignment equations.
//!
//! ```text
//! body  ::= inputs (setup | eqn)* outputs
//! setup ::= a statement of the user's that touches no tensor, or where a block of such statements begins or ends
//! eqn   ::= var, … = call(arg, …)
//! call  ::= op(values)              relu(x), leaky_relu(x, 0.1)
//!         | submodule               compact!(Dense<10>)(x), self.encoder(x), self.layers.0(x)
//!         | param                   param!("kernel", zeros(), [3])
//!         | variable                variable!(BatchStats, "mean", zeros(), [3]): the value that it has before the call
//!         | write(variable)         mean.value = x, which binds nothing; in `if P::TRAIN { … }` with the phase
//!         | sow                     sow!(Intermediates, "features", x), which binds nothing
//!         | make_rng(stream)        make_rng!(noise): a key
//!         | phase                   Train, Eval
//!         | apply(model)            model.apply(params, x), in a closure
//!         | transform(body)         grad!(|y| …, x), in a closure
//!         | branch { body, … }      if and match: the body of the arm that is taken
//!         | loop body               for: the body once a pass, on what the pass before gave
//! arg   ::= var | an expression from outside
//! ```
//!
//! The user's types and expressions are carried along as opaque tokens with their spans.

pub mod control;
pub mod print;
pub mod transform;
#[cfg(test)]
pub mod verify;

use crate::parse::dims::{Dim, TensorType};
use control::{Branch, Level, Loop, Number};
use proc_macro2::{Span, TokenStream, TokenTree};
use transform::Closure;

/// A variable, by its index in [`Body::vars`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Var(pub usize);

/// What is known of a variable.
#[derive(Clone, Debug)]
pub struct VarInfo {
    /// The user's name for it, or the name of the op that made it.
    pub name: String,
    /// Where it comes from.
    pub span: Span,
    /// The type that the user wrote for it.
    pub declared: Option<TensorType>,
    /// Whether it is a tree of variables rather than a tensor (in a closure).
    pub is_tree: bool,
}

/// A function of tensors: the body of `call`, of a differentiable function, or of a closure.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// All variables.
    pub vars: Vec<VarInfo>,
    /// The arguments.
    pub inputs: Vec<Var>,
    /// Equations in order.
    pub eqns: Vec<Eqn>,
    /// The user's statements that touch no tensor, each with the number of equations before it.
    pub setup: Vec<(usize, Setup)>,
    /// The results.
    pub outputs: Vec<Var>,
    /// Submodules in the order of their construction.
    pub submodules: Vec<Submodule>,
    /// Parameters declared in place.
    pub params: Vec<Param>,
    /// Variables of other collections declared in place.
    pub variables: Vec<Variable>,
    /// Equations that only training needs.
    pub regions: Vec<Region>,
}

/// What stands in `if P::TRAIN { … }`: equations one after the other, whose values are chosen after them.
#[derive(Clone, Debug)]
pub struct Region {
    /// The phase, a type.
    pub phase: TokenStream,
    /// The equations.
    pub eqns: std::ops::Range<usize>,
    /// The values that are read after it, each with what stands for it in evaluation.
    pub values: Vec<(Var, Var)>,
}

/// Plain Rust between the equations.
#[derive(Clone, Debug)]
pub enum Setup {
    /// A statement that touches no tensor.
    Statement(TokenStream),
    /// A submodule is constructed.
    Submodule(usize),
    /// A block begins. The names that its statements bind end with it.
    Enter,
    /// It ends.
    Leave,
}

/// One equation.
#[derive(Clone, Debug)]
pub struct Eqn {
    /// A name for what it keeps: `relu_0`.
    pub label: String,
    /// What it binds.
    pub outs: Vec<Var>,
    /// What it calls.
    pub call: Call,
    /// On what.
    pub args: Vec<Arg>,
    /// The user's token.
    pub span: Span,
}

/// What an equation calls.
#[derive(Clone, Debug)]
pub enum Call {
    /// An op: its type, and the values for its `new`.
    Op { ty: TokenStream, values: Vec<TokenStream> },
    /// A submodule of this module.
    Submodule(usize),
    /// A parameter of this module.
    Param(usize),
    /// The value of a variable of this module before the call.
    Variable(usize),
    /// A new value of a variable of this module, in one phase only if there is one.
    Write { variable: usize, phase: Option<TokenStream> },
    /// A value that is stored if somebody captures it: the collection and the name.
    Sow { collection: TokenStream, name: String },
    /// A key of an rng stream, which is a type.
    MakeRng(TokenStream),
    /// Training or evaluation, as a type.
    Phase(TokenStream),
    /// Another model, with its variables.
    /// One of several bodies.
    Branch(Branch),
    /// A body several times.
    Loop(Loop),
    Apply {
        model: TokenStream,
        /// Its variables, or only its parameters.
        variables: Arg,
        /// Its state, where the two are given one by one.
        state: Option<Arg>,
        /// The keys of a call that returns its state too: `apply_mut`.
        rngs: Option<TokenStream>,
    },
    /// A transformed closure. The equation's arguments are the closure's, their tangents if it takes any, and the variables
    /// that it reads of the closure around it.
    Transform(Box<Closure>),
}

impl Call {
    /// Whether the call does something besides binding variables, so that it is made even if nobody uses them.
    pub fn has_effect(&self) -> bool {
        let own = matches!(self, Call::Write { .. } | Call::Sow { .. });
        own || self.bodies().iter().any(|body| body.eqns.iter().any(|eqn| eqn.call.has_effect()))
    }
}

impl Eqn {
    /// The outputs. The last of what `apply_mut` binds is the state.
    pub fn results(&self) -> &[Var] {
        match (&self.call, self.outs.split_last()) {
            (Call::Apply { rngs: Some(_), .. }, Some((_, results))) => results,
            _ => &self.outs,
        }
    }

    /// The variables that it reads, those that it may not move among them.
    pub fn reads(&self) -> impl Iterator<Item = Var> + '_ {
        let state = match &self.call {
            Call::Apply { state: Some(state), .. } => state.var(),
            _ => None,
        };
        self.args.iter().filter_map(Arg::var).chain(state)
    }
}

/// An argument of an equation.
#[derive(Clone, Debug)]
pub enum Arg {
    /// A variable.
    Var(Var),
    /// An expression of the surrounding code.
    Outside(TokenStream),
}

impl Arg {
    /// The variable, if it is one.
    pub fn var(&self) -> Option<Var> {
        match self {
            Arg::Var(var) => Some(*var),
            Arg::Outside(_) => None,
        }
    }
}

/// A submodule: one that `compact!` declared, or one that the module's struct holds.
#[derive(Clone, Debug)]
pub struct Submodule {
    /// The number of its declaration, in the order of the source.
    pub order: usize,
    /// Flax's name: `Conv_0`, the one that the user gave, that of the field, or `layers_0` for an element of it; without its
    /// number if that is not known yet.
    pub name: String,
    /// What tells it from others of this name.
    pub number: Number,
    /// The arms and passes in which it is declared, the outermost first.
    pub nest: Vec<Level>,
    /// Whether it is called in arms only that may not be taken.
    pub optional: bool,
    /// The field of the parameter struct: `conv_0`.
    pub field: syn::Ident,
    /// The module's type.
    pub ty: TokenStream,
    /// The same without what transforms it (`Remat`), if the user wrote it in place.
    pub inner: Option<TokenStream>,
    /// The module as the user wrote it.
    pub text: String,
    /// Value keywords: `rate = 0.5`.
    pub keywords: Vec<(syn::Ident, TokenStream)>,
    /// The user's token.
    pub span: Span,
    /// Whether it is a field of the module's struct.
    pub held: bool,
    /// Whether the field is an `Option`, which is known to be there where this is called.
    pub in_option: bool,
    /// The element of the field.
    pub element: Option<Element>,
    /// Whether its type depends on a type parameter, so that what it yields is known by declarations only.
    pub opaque: bool,
}

/// One of the submodules in a tuple or in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    pub index: usize,
    /// How many there are.
    pub count: usize,
    /// Whether they are in an array.
    pub array: bool,
}

/// A parameter that `param!` declared.
#[derive(Clone, Debug)]
pub struct Param {
    /// The number of its declaration, in the order of the source.
    pub order: usize,
    /// Its name.
    pub name: String,
    /// The arms in which it is declared, the outermost first.
    pub nest: Vec<Level>,
    /// The field of the parameter struct.
    pub field: syn::Ident,
    /// The initialiser.
    pub initializer: TokenStream,
    /// The shape and the element.
    pub tensor: TensorType,
}

/// A variable that `variable!` declared.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The number of its declaration, in the order of the source.
    pub order: usize,
    /// The arms in which it is declared, the outermost first.
    pub nest: Vec<Level>,
    /// Its collection, a type.
    pub collection: TokenStream,
    /// Its name.
    pub name: String,
    /// The field of the state struct.
    pub field: syn::Ident,
    /// The initialiser.
    pub initializer: TokenStream,
    /// The shape and the element.
    pub tensor: TensorType,
}

/// A module: a struct's name, its generics, and its methods.
#[derive(Clone, Debug)]
pub struct Module {
    /// The struct.
    pub name: syn::Ident,
    /// The type that the `impl` is for.
    pub self_ty: syn::Type,
    /// What can be called from outside: `call` first, by which the module itself is called.
    pub methods: Vec<Method>,
    /// The methods in a `vmap!`, if there are any.
    pub vmapped: Vec<Method>,
    /// Whether the module names axes, so that it can be called in a `vmap!` only.
    pub names_axes: bool,
}

/// A method that was lowered.
#[derive(Clone, Debug)]
pub struct Method {
    /// `call`, `encode`.
    pub name: syn::Ident,
    /// Documentation and other attributes.
    pub attributes: TokenStream,
    pub signature: Signature,
    pub body: Body,
}

/// What stands around a body: generics, declared inputs and outputs.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Generics of the `impl` (none for a function).
    pub outer: syn::Generics,
    /// Generics of the method or function.
    pub inner: syn::Generics,
    /// Names and types of the inputs.
    pub inputs: Vec<(syn::Ident, InputType)>,
    /// Those that may be assigned to.
    pub mutable: Vec<syn::Ident>,
    /// Types of the outputs.
    pub outputs: Vec<TensorType>,
}

/// What an input is.
#[derive(Clone, Debug)]
pub enum InputType {
    /// A tensor.
    Tensor(Box<TensorType>),
    /// Training or evaluation: a type without a shape, which is passed on to the modules that ask for it.
    Phase(TokenStream),
}

impl InputType {
    /// The tensor's type, if it is one.
    pub fn tensor(&self) -> Option<&TensorType> {
        match self {
            InputType::Tensor(tensor) => Some(tensor),
            InputType::Phase(_) => None,
        }
    }

    /// The type as code.
    pub fn to_type(&self) -> TokenStream {
        match self {
            InputType::Tensor(tensor) => tensor.to_type(),
            InputType::Phase(ty) => ty.clone(),
        }
    }

    /// Whether it can have a cotangent.
    pub fn is_differentiable(&self) -> bool {
        self.tensor().is_some_and(TensorType::is_differentiable)
    }
}

impl Signature {
    /// Names of the dimensions that are generic in the method alone, so that only the inputs know them.
    pub fn is_inner(&self, dim: &Dim) -> bool {
        match dim {
            Dim::Name(path) => self.inner.type_params().any(|param| path.is_ident(&param.ident)),
            _ => false,
        }
    }
}

/// Whether an identifier stands among tokens.
pub fn names(tokens: TokenStream, name: &syn::Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => names(group.stream(), name),
        TokenTree::Ident(ident) => ident == *name,
        _ => false,
    })
}

impl Body {
    /// A new variable.
    pub fn var(&mut self, name: impl Into<String>, span: Span, declared: Option<TensorType>) -> Var {
        self.vars.push(VarInfo { name: name.into(), span, declared, is_tree: false });
        Var(self.vars.len() - 1)
    }

    /// What is known of a variable.
    pub fn info(&self, var: Var) -> &VarInfo {
        &self.vars[var.0]
    }

    /// Whether an equation or a result reads a variable.
    pub fn reads(&self, var: Var) -> bool {
        let of_equation = |eqn: &Eqn| {
            let variables = match &eqn.call {
                Call::Apply { variables, .. } => variables.var(),
                _ => None,
            };
            eqn.reads().chain(variables).any(|read| read == var)
        };
        self.outputs.contains(&var) || self.eqns.iter().any(of_equation)
    }

    /// Whether an equation yields this variable by a submodule of unknown type, and nothing declares what it is.
    pub fn is_undeclared(&self, eqn: &Eqn, out: Var) -> bool {
        let opaque = matches!(eqn.call, Call::Submodule(index) if self.submodules[index].opaque);
        opaque && self.info(out).declared.is_none()
    }
}
