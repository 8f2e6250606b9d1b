//! Every text that the macros show a user: what is wrong, and what to write instead.

use crate::ir::transform::Transform;

pub const CLOSURE: &str = "a closure over tensors has no derivative that can be written at compile time\n\
    help: write its body in place, or as a function with `#[differentiable]`";
pub const EARLY_RETURN: &str = "`call` is lowered to straight-line code, so it cannot return early\n\
    help: let the last expression be the result";
pub const WHILE: &str = "`while` and `loop` run a number of times that only the running program knows, so they have no \
    backward pass\n    help: write `for i in 0..4 { … }`, and `if` for the passes that differ";
pub const BREAK: &str = "all passes of a loop are made, and each to its end\n\
    help: put what `break` or `continue` would skip into an `if` on a hyper-parameter or on the number of the pass";
pub const RETURN_IN_LOOP: &str = "all passes of a loop are made, so it cannot return early\n\
    help: assign to a variable in the loop, and let it be the last expression of the body";
pub const FOR_VALUE: &str =
    "a `for` has no value\n    help: assign to a variable in it: `let mut x = …; for … { x = …; }`";
pub const RUN_TIME_LENGTH: &str = "how many passes a loop over tensors has must be known when this is compiled\n\
    help: iterate over a range of constants: `for i in 0..4 { … }`";
pub const UNROLL_LITERAL: &str = "`#[unroll]` writes the loop out pass by pass, so it needs a range of literals: `for i in 0..4`\n\
    help: if all passes have the same shapes, leave it out; then the ends may be constants too";
pub const UNROLL_FOR: &str = "`#[unroll]` goes on a `for`";
pub const UNROLL_TOO_LONG: &str =
    "a loop of more than 1000 passes is not unrolled\n    help: leave out `#[unroll]`";
pub const TENSOR_CONDITION: &str = "this depends on a tensor, but arms are taken by hyper-parameters, never by the values of tensors\n\
    help: compute both and choose element by element, as `jnp.where` does: `mask.clone() * a + (1.0 - mask) * b` with a mask of \
    ones and zeros, or `maximum(a, b)`, `minimum(a, b)`, `relu(x)`";
pub const COMPARISON: &str = "the values of tensors are not compared here, since what is computed does not depend on them\n\
    help: choose element by element, as `jnp.where` does: `mask.clone() * a + (1.0 - mask) * b` with a mask of ones and zeros, \
    or `maximum(a, b)`, `minimum(a, b)`, `relu(x)`; `equal(a, b)` counts matches";
pub const TENSOR_ITERATED: &str =
    "a tensor is not iterated over\n    help: use `slice::<AXIS, START, END>(x)` in each pass";
pub const NO_ELSE: &str = "an `if` whose value is used has an `else`\n\
    help: say what the value is otherwise: `if self.deep { dense(x) } else { x }`";
pub const CONTROL_IN_CLOSURE: &str = "in a closure, branches and loops over tensors are not lowered\n\
    help: write them in a function with `#[differentiable]`, or in the module; a loop of literals can have `#[unroll]`";
pub const NAME_FORMAT: &str = "a name is numbered by the variable of the loop around it, which stands at its end: \
    `name = format!(\"layers_{i}\")`\n    help: for other numbers, write the loop out with `#[unroll]`";
pub const NAME_WITHOUT_LOOP: &str = "a name with a number in it belongs in a loop, and no loop stands around this\n\
    help: write the name as a string: `name = \"head\"`";
pub const NAME_IN_LOOPS: &str = "this name is numbered by one loop and stands in several, so that other passes would declare it again\n\
    help: write one of the loops out with `#[unroll]`, or leave the name out, and it is counted: `Dense_0`, `Dense_1`";
pub const COUNTED_BUT_NEVER_CALLED: &str = "this submodule is never called, but the numbers of those after it count it\n\
    help: give it a name, or leave it out";
pub const COUNTED_BUT_NOT_CALLED: &str = "whether this submodule is called depends on an arm inside of the one that declares it, \
    and so do the numbers of those after it\n    help: give it a name, or declare it where it is called";
pub const QUESTION_MARK: &str = "`?` would leave the body early\n    help: tensors of wrong shapes do not compile, so no op returns a `Result`";
pub const ASSIGNMENT: &str = "a tensor is not changed in place\n    help: assign to its name: `x = …;`";
pub const ASSIGNED_VALUE: &str =
    "what is assigned to is not a tensor\n    help: bind it before: `let mut x = …;`";
pub const REFERENCE_BINDING: &str = "a tensor is bound by value\n    help: leave out `ref`";
pub const PATTERN: &str = "tensors are bound to a name, or to a tuple of names: `let (a, b) = …;`";
pub const NOT_A_CALL: &str = "this is not a step that has a backward pass\n\
    help: a step is a call of an op (`relu(x)`), of a module (`compact!(Dense<10>)(x)`), or one of `+ - * /`";
pub const CALLEE: &str = "what is called here must be the name of an op, a submodule, or `compact!(…)`";
pub const INDEXING: &str = "a tensor is not indexed in place\n    help: use `slice::<AXIS, START, END>(x)`";
pub const FIELD: &str = "a tensor has no fields that can be read here";
pub const NO_RESULT: &str = "the body must end in its result: leave out the last semicolon";
pub const NOT_A_TENSOR: &str = "the result must come from the inputs or the parameters, and this does not";
pub const NO_SELF: &str = "`call` takes `&self` first: `fn call<B: Batch>(&self, x: Tensor![B, 28]) -> …`";
pub const BY_REFERENCE_SELF: &str = "`call` takes `&self`: the hyper-parameters are read, never changed";
pub const INPUT_TYPE: &str = "an input is written as a tensor: `x: Tensor![B, 28, 28, 1]`";
pub const INPUT_NAME: &str = "an input has a plain name: `x: Tensor![B, 28]`";
pub const OUTPUT_TYPE: &str =
    "the result is written as a tensor, or as a tuple of tensors: `-> Tensor![B, 10]`";
pub const NO_INPUT: &str = "there must be at least one tensor among the inputs";
pub const TOO_MANY: &str = "at most six inputs, and at most four results";
pub const NO_CALL: &str =
    "a module has a method `call`: `fn call<B: Batch>(&self, x: Tensor![B, 28]) -> Tensor![B, 10]`";
pub const TRAIT_IMPL: &str =
    "`#[module]` goes on the module's own `impl`, not on the implementation of a trait";
pub const SELF_TYPE: &str = "`#[module]` goes on the `impl` of a struct: `impl Cnn { … }`";
pub const ITEM: &str = "`#[module]` goes on a struct or on its `impl`";
pub const ARGUMENTS: &str =
    "`#[module]` on an `impl` takes `vmap` or `axis = batch`, and on a struct nothing";
pub const TUPLE_STRUCT: &str =
    "the hyper-parameters of a module have names\n    help: write `struct Name { rate: f32 }`";
pub const ASYNC: &str = "`call` is an ordinary function";
pub const COMPACT_OUTSIDE: &str = "`compact!` declares a submodule, so it belongs in the body of `call` in a `#[module]`\n\
    help: outside of a module, make the layer with `new` and call `init` and `apply` on it";
pub const PARAM_OUTSIDE: &str =
    "`param!` declares a parameter, so it belongs in the body of `call` in a `#[module]`";
pub const COMPACT_IN_FUNCTION: &str = "a function has no parameters, so it cannot declare a submodule\n\
    help: write a `#[module]`";
pub const COMPACT_FORM: &str =
    "`compact!` takes a module and its keywords: `compact!(Dense<10>, name = \"head\")`";
pub const PARAM_FORM: &str =
    "`param!` takes a name, an initialiser and a shape: `param!(\"kernel\", lecun_normal(), [I, F])`";
pub const VARIABLE_FORM: &str = "`variable!` takes a collection, a name, an initialiser and a shape: \
    `variable!(BatchStats, \"mean\", zeros(), [F])`";
pub const VARIABLE_OUTSIDE: &str =
    "`variable!` declares a variable, so it belongs in the body of `call` in a `#[module]`";
pub const VARIABLE_BOUND: &str =
    "a variable has a name: `let mean = variable!(…);`\n    help: its value is `mean.value`";
pub const VARIABLE_AS_VALUE: &str = "this is a variable\n    help: its value is `.value`";
pub const TRAIN_ELSE: &str = "in evaluation the variables keep their values: leave out the `else`";
pub const TRAIN_OPS: &str = "in `if P::TRAIN { … }` there are ops, and values that are written into variables\n\
    help: call submodules before it; they take the phase";
pub const SOW_FORM: &str =
    "`sow!` takes a collection, a name and a tensor: `sow!(Intermediates, \"features\", x);`";
pub const SOW_OUTSIDE: &str = "`sow!` belongs in the body of `call` in a `#[module]`";
pub const MAKE_RNG_FORM: &str = "`make_rng!` takes an rng stream: `make_rng!(noise)`";
pub const MAKE_RNG_OUTSIDE: &str = "`make_rng!` belongs in the body of `call` in a `#[module]`\n\
    help: outside of a module there are keys: `Key::new(0)`";
pub const KEY_USED_TWICE: &str = "this key has been used: it would make the same numbers again\n\
    help: make another one with `make_rng!`";
pub const RNGS_FORM: &str = "`rngs!` takes a key for each rng stream: `rngs! { dropout: key }`";
pub const NAME_LITERAL: &str =
    "the name is a string: `name = \"head\"`, or in a loop `name = format!(\"layers_{i}\")`";
pub const SUBMODULE_AS_VALUE: &str = "a submodule is called, not passed on: `dense(x)`";
pub const FIELD_ASSIGNMENT: &str = "a module is read, never changed\n\
    help: set its fields before it is called: `Model::new().rate(0.5)`";
pub const ENUMERATED: &str =
    "an enumerated element is a pair: `for (i, layer) in self.layers.iter().enumerate()`";
pub const PLAIN_METHOD: &str = "this method is not lowered, so that no gradient would go through it\n\
    help: let it take `&self` and tensors only, and return tensors";
pub const SUBMODULE_METHOD: &str = "a submodule is called, and no other method of it: `self.encoder(x)`";
pub const RECURSION: &str = "a method is written in place where it is called, so it cannot call itself";
pub const COMPACT_UNREACHED: &str = "`call` does not reach this method, so what it declares would have no number\n\
    help: declare its submodules as fields of the struct";
pub const UNDECLARED: &str = "the type of this module is a type parameter, so what it yields must be declared\n\
    help: bind it to a name with a type: `let y: Tensor![B, 32] = …;`";
pub const TREE_AS_TENSOR: &str = "these are variables of a model: pass them to `model.apply(…)`";
pub const LOSS_INDEPENDENT: &str = "the loss does not depend on what it is differentiated by";
pub const NESTED_REVERSE: &str = "a gradient is taken through this transformation, and a backward pass does not go backward again\n\
    help: take the outer derivative forward, with `jvp!`, `hvp!`, `jacfwd!` or `hessian!`";
pub const NESTED_VJP: &str = "the pullback of `vjp!` is no tensor, so it does not belong in a closure\n\
    help: multiply the output by the cotangent, and take `grad!` of the sum";
pub const TRANSFORM_OUTSIDE: &str = "a derivative in the body of a function or module is not lowered\n\
    help: take it in a closure, outside of the module";

pub const VMAP_FORM: &str = "`vmap!` takes a closure and what to map it over: \
    `vmap!(|x, y| { … }, xs, ys, in_axes = (0, None), out_axes = 0, axis = batch)`";
pub const VMAP_COUNT: &str = "the closure and the arguments after it differ in number";
pub const VMAP_KEYWORD: &str = "the keywords of `vmap!` are `in_axes`, `out_axes` and `axis`";
pub const VMAP_AXIS: &str = "the axis of a `vmap!` is a name that `axis!` declares: `axis!(batch);`";
pub const VMAP_AXIS_NUMBER: &str = "an axis that is mapped over is a number, `0`, or `None`";
pub const VMAP_EFFECT: &str = "a module that draws keys cannot be lowered for a `vmap!`";
pub const VMAP_STATE: &str = "all examples of a `vmap!` update one state: write `None` for it in `out_axes`";
pub const VMAP_TREE: &str = "in a `vmap!`, a gradient is taken by tensors that vary along the axis, not by a model's variables\n\
    help: take the gradient around the `vmap!`";
pub const VMAP_TRANSFORM: &str = "in a `vmap!` there may be `grad!` and `value_and_grad!`";

pub const APPLY_VARIABLES: &str = "`apply` takes the model's variables first: `model.apply(params, x)`";
pub const APPLY_MUT_FORM: &str = "`apply_mut` takes the model's variables first and the keys last: \
    `model.apply_mut((params, &state), x, Train, rngs! { dropout: key })`\n    help: a call that draws nothing takes `rngs! {}`";
pub const APPLY_MUT_RESULT: &str =
    "`apply_mut` returns the output and the state: `let (y, state) = model.apply_mut(…);`";
pub const STATEFUL_FORWARD: &str = "a state has no tangents, so this derivative does not go through `apply_mut`\n\
    help: differentiate a call that updates and draws nothing, with `apply`";
pub const DIMENSION_NOT_INTEGER: &str = "a dimension is an integer, such as `28`";
pub const DIMENSION_OPERATOR: &str = "dimensions know `+`, `-`, `*` and `/`";
pub const DIMENSION_FORM: &str =
    "a dimension is an integer, the name of a dimension, or arithmetic on them: `28`, `B`, `H / 2`";
pub const DIMENSION_TOO_LARGE: &str = "a dimension has nine digits at most";
pub const TOO_MANY_DIMENSIONS: &str = "a tensor has six dimensions at most";

/// A dimension with a type of its own.
pub fn dimension_suffix(size: usize) -> String {
    format!("a dimension has no suffix: write `{size}`")
}

/// Two variables of a module want one name.
pub fn name_in_use(name: &str) -> String {
    format!("the name `{name}` is in use: a module gives each submodule and each parameter a name of its own")
}

/// A name that every pass of a loop would give.
pub fn name_in_loop(name: &str) -> String {
    format!(
        "every pass of the loop would declare `{name}`\n    help: declare it before the loop, or number it: `name = format!(\"{name}_{{i}}\")`"
    )
}

/// A loop as long as the running program says.
pub fn length_at_run_time(end: &impl std::fmt::Display) -> String {
    format!(
        "how many passes a loop over tensors has must be known when this is compiled, and `{end}` is known when it runs\n\
         help: write a constant, `0..4` or `0..DEPTH` with `impl<const DEPTH: usize> Model<DEPTH>`; passes can be skipped with \
         `if i < self.depth`"
    )
}

/// A loop as long as a dimension.
pub fn length_of_dimension(end: &impl std::fmt::Display) -> String {
    format!(
        "`{end}` is the size of a dimension, a type, and how many passes a loop has is a number\n\
         help: an op computes all rows at once; or write a constant, `0..4` or `0..N` with `impl<const N: usize> Model<N>`"
    )
}

/// An assignment to what is not `mut`.
pub fn not_mutable(name: &str) -> String {
    format!("`{name}` cannot be assigned to\n    help: bind it with `let mut {name}`")
}

/// `rngs!` with two keys for one stream.
pub fn stream_twice(name: &str) -> String {
    format!("the stream `{name}` has a key already")
}

/// A name that cannot be a field of a struct.
pub fn not_a_name(name: &str) -> String {
    format!("`{name}` cannot name a variable: use letters, digits and `_`, beginning with a letter")
}
pub const CUSTOM_VJP_ITEM: &str = "`#[custom_vjp]` goes on a module with three functions: \
    `mod name { pub fn primal(x: …) -> … pub fn forward(x: …) -> (…, residuals) pub fn backward(residuals, cotangent) -> … }`";
pub const CUSTOM_VJP_FUNCTIONS: &str = "there must be three functions in this module: `primal`, `forward`, which returns the output \
    and what is kept, and `backward`, which takes what was kept and the output's cotangent";
pub const CUSTOM_VJP_GENERICS: &str = "this function must have the generics of `primal`, in the same words";
pub const CUSTOM_VJP_FORWARD: &str =
    "`forward` returns two things: the output, and what `backward` reads; `()` if that is nothing";
pub const CUSTOM_VJP_BACKWARD: &str = "`backward` takes what `forward` kept and the output's cotangent, and returns a cotangent for \
    each tensor that `primal` takes: a tuple of them if there are several, with `()` for one that has none";
pub const CUSTOM_VJP_RETURNS: &str = "the type of the result must be written here";
pub const CUSTOM_VJP_SHAPE: &str = "the shape of the result is not known\n    help: write all tensors in dimensions, \
    `Tensor![B, 10; E]`, or give the result the shape of an input, `Tensor<S, E>`";

/// What stands in the macro of a transformation.
pub fn form(transform: Transform) -> String {
    let name = transform.name();
    match transform {
        Transform::ValueAndGrad | Transform::Grad => format!(
            "`{name}!` takes a closure and what to differentiate by: `{name}!(|params| {{ … }}, &state.params)`"
        ),
        _ if transform.takes_tangents() => {
            format!(
                "`{name}!` takes a closure, where it is evaluated, and a direction: `{name}!(|x| {{ … }}, x, tangent)`"
            )
        }
        _ => format!("`{name}!` takes a closure and where it is evaluated: `{name}!(|x| {{ … }}, x)`"),
    }
}

/// The arguments are not as many as the closure's.
pub fn count(transform: Transform) -> String {
    match transform.takes_tangents() {
        true => format!(
            "after a closure of several arguments, `{name}!` takes the tuple of them and the tuple of their tangents: \
             `{name}!(|x, y| {{ … }}, (x, y), (dx, dy))`",
            name = transform.name()
        ),
        false => "the closure and the arguments after it differ in number".to_string(),
    }
}

/// A Jacobian by several tensors.
pub fn one_argument(transform: Transform) -> String {
    let name = transform.name();
    format!("`{name}!` differentiates by one tensor\n    help: let the closure read the others from outside")
}

/// The closure ends in too many values.
pub fn results(transform: Transform) -> String {
    match transform {
        Transform::ValueAndGrad | Transform::Grad => {
            "the closure ends in the loss, or in `(loss, aux)`".to_string()
        }
        _ if transform.most_results() == 1 => {
            format!("the closure of `{}!` ends in one tensor", transform.name())
        }
        _ => format!("the closure ends in a tensor, or in a tuple of at most {}", transform.most_results()),
    }
}

/// A transformation's result has several parts.
pub fn bound(transform: Transform, results: usize) -> String {
    format!("`{}!` has {results} results here: bind each to a name, `let (a, b) = …;`", transform.name())
}

/// A field that the struct does not have.
pub fn no_field(field: &impl std::fmt::Display) -> String {
    format!("the struct of this module has no field `{field}`")
}

/// A field that does not hold so many submodules.
pub fn no_element(field: &impl std::fmt::Display, index: usize) -> String {
    format!(
        "`{field}` has no submodule {index}\n\
         help: several submodules are in a tuple, `self.{field}.0(x)`, or in an array, `self.{field}[0](x)`"
    )
}

/// A method that is called with the wrong number of tensors.
pub fn method_form(method: &impl std::fmt::Display, inputs: usize, outputs: usize) -> String {
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!("`{method}` takes {} and returns {}", count(inputs, "input"), count(outputs, "tensor"))
}

/// A generic that a method written in place names, and its caller does not have.
pub fn missing_generic(method: &impl std::fmt::Display, generic: &impl std::fmt::Display) -> String {
    format!(
        "`{method}` is written in place here, and names its generic `{generic}`, which does not exist here\n\
         help: give this method a generic of the same name and meaning"
    )
}

/// Another number of axes than there are values.
pub fn vmap_axes(values: usize) -> String {
    format!("there are {values} values here: write one axis for all, or a tuple with one for each")
}

/// A `vmap!` whose results are not bound to as many names.
pub fn vmap_results(results: usize) -> String {
    format!("this `vmap!` has {results} results: bind each to a name, `let (a, b) = …;`")
}
