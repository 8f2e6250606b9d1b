//! The stages of a few models, as text: the IR, the lowered passes, and the expansion. Every stage is verified.

use crate::diag::Diagnostics;
use crate::emit;
use crate::emit::module::input_needs;
use crate::ir::verify::verify;
use crate::lower::{Lowered, lower, print};
use crate::parse::body::{BodyParser, Place};
use crate::parse::fields::WithFields;
use crate::parse::methods::{Implementation, implementation};
use crate::parse::signature::signature;
use proc_macro2::TokenStream;

const CNN: &str = "impl Cnn {
    fn call<B: Batch>(&self, x: Tensor![B, 28, 28, 1]) -> Tensor![B, 10] {
        let x = compact!(Conv<32, (3, 3)>)(x);
        let x = relu(x);
        let x = avg_pool::<2, 2>(x);
        let x = compact!(Conv<64, (3, 3)>, strides = (2, 2))(x);
        let x = flatten(x);
        let x = compact!(Dense<256>)(x);
        let x = relu(x);
        compact!(Dense<10>, name = \"head\")(x)
    }
}";

/// Generic dimensions, hyper-parameters, one submodule called twice, a value used twice, a dead step.
const RESIDUAL: &str = "impl<H: Static> Residual<H> {
    fn call<B: Batch>(&self, x: Tensor![B, H]) -> Tensor![B, H] {
        let slope = self.slope * 2.0;
        let dense = compact!(Dense<H>, kernel_init = self.init);
        let y = leaky_relu(dense(x), slope);
        let unused = exp(y);
        let y = dense(y);
        let scale = param!(\"scale\", ones(), [H]);
        (x + y) * scale
    }
}";

/// Several inputs, one of integers, and a tuple of results of which one depends on no parameter.
const PAIR: &str = "impl Pair {
    fn call<B: Batch>(&self, a: Tensor![B, 4], b: Tensor![B, 4], c: Tensor![B; i32]) -> (Tensor![B, 8], Tensor![B, 4]) {
        let (left, right) = compact!(Split<4>)(a);
        let both = concat::<1>(left, one_hot::<4>(c));
        (both, relu(a * b))
    }
}";

/// A branch with a submodule in one arm, a value that a pattern binds, and an arm without an end.
const BRANCH: &str = "impl Gated {
    fn call<B: Batch>(&self, x: Tensor![B, 4]) -> Tensor![B, 4] {
        let y = match self.activation {
            Activation::Leaky(slope) if slope > 0.0 => leaky_relu(x, slope),
            Activation::Gate => sigmoid(compact!(Dense<4>)(x.clone())) * x,
            _ => unreachable!(),
        };
        compact!(Dense<4>)(y)
    }
}";

/// A loop with a block for each pass, in which the last pass differs.
const LOOP: &str = "impl Stack {
    fn call<B: Batch>(&self, x: Tensor![B, 4]) -> Tensor![B, 4] {
        let mut y = x.clone();
        for i in 0..3 {
            y = compact!(Dense<4>, name = format!(\"layers_{i}\"))(y);
            if i != 2 {
                y = relu(y) + x.clone();
            }
        }
        y
    }
}";

/// Submodules in fields, one of them a type parameter, and a second method.
const CLASSIFIER: &str = "{ backbone: one [0] layers: tuple(2) [] } impl<Backbone> Classifier<Backbone> {
    fn call<B: Batch>(&self, x: Tensor![B, 32]) -> Tensor![B, 3] {
        self.classify(relu(x))
    }
    fn classify<B: Batch>(&self, x: Tensor![B, 32]) -> Tensor![B, 3] {
        let features: Tensor![B, 8] = self.backbone(x);
        let hidden = relu(self.layers.0(features));
        self.layers.1(hidden)
    }
}";

/// A variable that training updates, a draw, a value that is sown, and a phase that is passed on.
const STATEFUL: &str = "impl Stateful {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 4], phase: P) -> Tensor![B, 4] {
        let mean = variable!(BatchStats, \"mean\", zeros(), [4]);
        if P::TRAIN {
            mean.value = 0.9 * mean.value + 0.1 * mean_axis::<0>(x);
        }
        let x = x - mean.value + normal_like(x, make_rng!(noise));
        sow!(Intermediates, \"centred\", x);
        let x = compact!(BatchNorm)(x, Eval);
        compact!(Dropout, rate = 0.5)(x, phase)
    }
}";

fn parsed(model: &str) -> Implementation {
    let (fields, item) = match syn::parse_str::<WithFields>(model) {
        Ok(model) => (Some(model.fields), model.implementation),
        Err(_) => (None, syn::parse_str(model).expect("a model of this file")),
    };
    let mut diagnostics = Diagnostics::new();
    let implementation = implementation(&item, fields, &mut diagnostics);
    diagnostics.finish().expect("a model without mistakes");
    implementation.expect("a model without mistakes")
}

fn lowered(model: &str) -> Lowered {
    let call = parsed(model).module.methods.remove(0);
    verify(&call.body).expect("the parsed body");
    let lowered = lower(call.body, &input_needs(&call.signature), call.signature.outputs.len());
    verify(&lowered.body).expect("the lowered body");
    lowered
}

fn stages(model: &str) -> String {
    let lowered = lowered(model);
    let (forward, backward) = (print::forward(&lowered).join("\n  "), print::backward(&lowered).join("\n  "));
    format!("{}\n\nforward\n  {forward}\n\nbackward\n  {backward}", lowered.body)
}

fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("an expansion is Rust"))
}

#[test]
fn stages_of_the_cnn() {
    insta::assert_snapshot!(stages(CNN));
}

#[test]
fn stages_of_a_residual_block() {
    insta::assert_snapshot!(stages(RESIDUAL));
}

#[test]
fn stages_of_a_pair() {
    insta::assert_snapshot!(stages(PAIR));
}

#[test]
fn stages_of_a_branch() {
    insta::assert_snapshot!(stages(BRANCH));
}

#[test]
fn stages_of_a_loop() {
    insta::assert_snapshot!(stages(LOOP));
}

#[test]
fn stages_of_a_stateful_module() {
    insta::assert_snapshot!(stages(STATEFUL));
}

#[test]
fn expansion_of_a_stateful_module() {
    insta::assert_snapshot!(pretty(emit::module::module(parsed(STATEFUL))));
}

#[test]
fn expansion_of_a_branch() {
    insta::assert_snapshot!(pretty(emit::module::module(parsed(BRANCH))));
}

#[test]
fn expansion_of_a_loop() {
    insta::assert_snapshot!(pretty(emit::module::module(parsed(LOOP))));
}

#[test]
fn stages_of_a_classifier() {
    insta::assert_snapshot!(stages(CLASSIFIER));
}

#[test]
fn expansion_of_a_classifier() {
    insta::assert_snapshot!(pretty(emit::module::module(parsed(CLASSIFIER))));
}

#[test]
fn expansion_of_the_cnn() {
    insta::assert_snapshot!(pretty(emit::module::module(parsed(CNN))));
}

#[test]
fn expansion_of_a_residual_block() {
    insta::assert_snapshot!(pretty(emit::module::module(parsed(RESIDUAL))));
}

#[test]
fn expansion_of_a_pair() {
    insta::assert_snapshot!(pretty(emit::module::module(parsed(PAIR))));
}

#[test]
fn the_first_layer_is_not_asked_for_the_cotangent_of_the_image_unless_the_caller_asks() {
    let expansion: String = pretty(emit::module::module(parsed(CNN))).split_whitespace().collect();
    let backward = |variable: usize, need: &str| format!("__CnnSteps>::V{variable},{need},>>::backward(");
    assert!(expansion.contains(&backward(0, "Need0")), "the first layer obeys the caller");
    assert!(!expansion.contains(&backward(0, "::flaxen::op::Yes")), "nobody asks the first layer regardless");
    assert!(expansion.contains(&backward(3, "::flaxen::op::Yes")), "the second layer is always asked");
}

#[test]
fn a_function_keeps_nothing_for_its_labels() {
    let function: syn::ItemFn = syn::parse_str(
        "fn loss<B: Batch>(logits: Tensor![B, 10], labels: Tensor![B; i32]) -> Tensor![] {
            softmax_cross_entropy(logits, one_hot::<10>(labels)).mean()
        }",
    )
    .expect("a function");
    let mut diagnostics = Diagnostics::new();
    let signature =
        signature(&function.sig, &syn::Generics::default(), &mut diagnostics).expect("a signature");
    let mut parser = BodyParser::new(Place::Function, &mut diagnostics);
    parser.inputs(&signature);
    parser.function_body(&function.block, 1);
    let body = parser.finish();
    diagnostics.finish().expect("no mistakes");
    let lowered = lower(body, &input_needs(&signature), 1);
    assert_eq!(
        print::forward(&lowered),
        [
            "one_hot_2 = one_hot<10>(labels_1)",
            "softmax_cross_entropy_3 = softmax_cross_entropy(logits_0, one_hot_2)    keeps softmax_cross_entropy_0",
            "mean_4 = mean(softmax_cross_entropy_3)    keeps mean_0",
        ]
    );
}

#[test]
fn a_vmap_is_written_among_the_equations_around_it() {
    let function: syn::ItemFn = syn::parse_str(
        "fn distances<B: Batch>(x: Tensor![B, 3], center: Tensor![3]) -> Tensor![B] {
            vmap!(|x| square(x - center).sum(), x, axis = batch)
        }",
    )
    .expect("a function");
    let mut diagnostics = Diagnostics::new();
    let signature =
        signature(&function.sig, &syn::Generics::default(), &mut diagnostics).expect("a signature");
    let mut parser = BodyParser::new(Place::Function, &mut diagnostics);
    parser.inputs(&signature);
    parser.function_body(&function.block, 1);
    let body = parser.finish();
    diagnostics.finish().expect("no mistakes");
    verify(&body).expect("the parsed body");
    let lowered = lower(body, &input_needs(&signature), 1);
    let forward = print::forward(&lowered).join("\n").replace("::flaxen::batching::", "");
    let steps = [
        "x_2 = batch<batch, 0>(x_0)    keeps vmap_0",
        "center_3 = share<batch>(center_1)    keeps vmap_1",
        "sub_4 = sub(x_2, center_3)    keeps sub_0",
        "square_5 = square(sub_4)    keeps square_0",
        "sum_6 = sum(square_5)    keeps sum_0",
        "vmap_7 = leave(sum_6)    keeps vmap_2",
        "vmap_8 = unbatch<0>(vmap_7)    keeps vmap_3",
    ];
    assert_eq!(forward, steps.join("\n"));
}

#[test]
fn verify_finds_what_is_read_before_it_is_bound() {
    let mut body = parsed(CNN).module.methods.remove(0).body;
    body.eqns.swap(0, 1);
    assert!(verify(&body).expect_err("a broken body").contains("before it is bound"));
}
