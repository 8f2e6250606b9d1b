//! Modules that are written as in Flax have the variables of Flax: their paths, order, shapes and first elements.

use flaxen::module::Module;
use flaxen::prelude::*;
use flaxen::rng::{Key, Layout, Scope};
use flaxen::tree::{Path, Visit};
use flaxen_tests::{Fixture, Tolerance};
use serde_json::{Value, json};

/// Each module under the name of its case. What Flax writes in `setup` are the fields of the struct.
macro_rules! cases {
    ($($case:ident $module:ident $({ $($fields:tt)* })? ($x:ident: $($dims:literal),+) $body:block)+) => {
        $(
            #[module]
            struct $module { $($($fields)*)? }

            #[module]
            impl $module {
                fn call<B: Batch>(&self, $x: Tensor![B, 3]) -> Tensor![B, $($dims),+] $body
            }
        )+

        $(
            #[test]
            fn $case() {
                check(stringify!($case), &$module::new());
            }
        )+
    };
}

cases! {
    explicit_name_between ExplicitNameBetween(x: 2) {
        let x = compact!(Dense<2>)(x);
        let x = compact!(Dense<2>, name = "mid")(x);
        compact!(Dense<2>)(x)
    }
    instance_called_twice InstanceCalledTwice(x: 3) {
        let d = compact!(Dense<3>);
        d(d(x))
    }
    created_but_not_called CreatedButNotCalled(x: 2) {
        let unused = compact!(Dense<4>);
        compact!(Dense<2>)(x)
    }
    created_order_vs_call_order CreatedOrderVsCallOrder(x: 2) {
        let a = compact!(Dense<3>);
        let b = compact!(Dense<2>);
        b(x.clone()) + slice::<1, 0, 2>(a(x))
    }
    sequential_inline SequentialInline(x: 2) {
        let x = relu(compact!(Dense<2>)(x));
        compact!(Dense<2>)(x)
    }
    sequential_setup SequentialSetup { net: Net } (x: 2) {
        self.net(x)
    }
    sequential_inline_twice SequentialInlineTwice(x: 2) {
        let x = tanh(compact!(Dense<3>)(x));
        compact!(Dense<2>)(x)
    }
    setup_list_dict SetupListDict {
        ls: [Dense<3>; 2],
        dd_p: Dense<3>,
        dd_q_r: Dense<3>,
        tt: (Dense<3>, ()),
        tt_1_0: Dense<3>,
    } (x: 3) {
        let x = self.ls[0](x);
        let x = self.ls[1](x);
        let x = self.dd_p(x.clone()) + self.dd_q_r(x);
        self.tt.0(x.clone()) + self.tt_1_0(x)
    }
    setup_not_called SetupNotCalled { a: Dense<3>, b: Dense<4> } (x: 3) {
        self.a(x)
    }
    setup_call_order SetupCallOrder { a: Dense<3>, b: Dense<3> } (x: 3) {
        self.a(self.b(x))
    }
    setup_param SetupParam { d: Dense<2> } (x: 2) {
        let w = param!("w", flaxen::init::normal(0.01), [3, 2]);
        self.d(x.clone()) + matmul(x, w)
    }
    setup_shared_attr SetupSharedAttr { a: Dense<3> } (x: 3) {
        let b = &self.a;
        b(self.a(x))
    }
    field_module FieldModule { inner: Dense<3> } (x: 2) {
        compact!(Dense<2>)(self.inner(x))
    }
    field_module_list FieldModuleList { parts: (Dense<3>, Dense<2>) } (x: 2) {
        self.parts.1(self.parts.0(x))
    }
    nested_compact_method NestedCompactMethod(x: 3) {
        compact!(Inner<3>)(compact!(Inner<4>)(x.clone())) + compact!(Inner<3>, name = "skip")(x)
    }
    subclass_name SubclassName(x: 3) {
        compact!(Dense2<3>)(compact!(Dense<3>)(x))
    }
}

/// A method that declares a layer where `call` calls it.
#[module]
struct SetupTwoMethodsCompact;

#[module]
impl SetupTwoMethodsCompact {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 2] {
        self.other(x)
    }

    fn other<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 2] {
        compact!(Dense<2>)(x)
    }
}

#[test]
fn setup_two_methods_compact() {
    check("setup_two_methods_compact", &SetupTwoMethodsCompact::new());
}

/// And a method that is called twice, so that it declares two.
#[module]
struct HelperMethod;

#[module]
impl HelperMethod {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        self.block(self.block(x))
    }

    fn block<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        compact!(Dense<3>)(x)
    }
}

#[test]
fn helper_method() {
    check("helper_method", &HelperMethod::new());
}

/// The `nn.Sequential` of a `setup`: its layers have the numbers of their places.
#[module]
struct Net {
    layers: (Dense<2>, (), Dense<2>),
}

#[module]
impl Net {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 2] {
        self.layers.2(relu(self.layers.0(x)))
    }
}

/// `nn.Dense(w)(nn.relu(nn.Dense(w)(x)))`
#[module]
struct Inner<W: Static>;

#[module]
impl<W: Static> Inner<W> {
    fn call<B: Batch, I: Static>(&self, x: Tensor![B, I]) -> Tensor![B, W] {
        compact!(Dense<W>)(relu(compact!(Dense<W>)(x)))
    }
}

/// A layer under another name, as a subclass without changes.
type Dense2<F> = Dense<F>;

/// Compares the variables of a module, in order, with those of its case.
fn check<M: Module<Tensor![2, 3]>>(name: &str, module: &M) {
    let naming = Fixture::open("flax_rng").other_json("naming.json");
    let cases = naming["cases"].as_array().expect("a list of cases");
    let case = cases.iter().find(|case| case["name"] == name).expect(name);
    assert_eq!(case["input_shape"], json!([2, 3]));
    let expected = case["variables"].as_array().expect("a list of variables");

    let (params, _) = module.init(&Scope::root(Key::with_layout(0, Layout::Legacy)));
    let mut leaves = Leaves(Vec::new());
    params.visit(&Path::ROOT, &mut leaves);
    assert_eq!(leaves.0.len(), expected.len(), "{name}");
    for ((path, sizes, first), expected) in leaves.0.into_iter().zip(expected) {
        assert_eq!(path, expected["path"], "{name}");
        assert_eq!(sizes, expected["shape"], "{name} {path}");
        let expected = expected["first"].as_f64().expect("a number") as f32;
        Tolerance::ulp(4).check(&format!("{name} {path}"), &[first], &[expected]);
    }
}

/// Path, sizes and first element of each leaf.
struct Leaves(Vec<(Value, Value, f32)>);

impl Visit for Leaves {
    fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>) {
        let path = path.to_string();
        let names: Vec<&str> = std::iter::once("params").chain(path.split('/')).collect();
        let first = leaf.as_slice()[0].to_f64() as f32;
        self.0.push((json!(names), json!(leaf.sizes().as_ref()), first));
    }
}
