//! Rng streams: what a body draws, and the keys of a call.

use flaxen::init::normal;
use flaxen::prelude::*;
use flaxen::rng::Scope;

stream!(
    /// Noise on the way of the features.
    pub noise
);

/// Adds noise, scaled.
#[module]
struct Noisy {
    #[default(0.5)]
    scale: f64,
}

#[module]
impl Noisy {
    fn call<B: Batch>(&self, x: Tensor![B, 4]) -> Tensor![B, 4] {
        let key = make_rng!(noise);
        let gain = param!("gain", normal(1.0), [4]);
        let first = normal_like(x, key);
        let second = uniform_like(x, make_rng!(noise));
        x * gain + self.scale * first + second
    }
}

/// Two of them, and a dropout.
#[module]
struct Model;

#[module]
impl Model {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 4], phase: P) -> Tensor![B, 4] {
        let x = compact!(Noisy)(x);
        let x = compact!(Noisy, scale = 0.25)(x);
        compact!(Dropout, rate = 0.5)(x, phase)
    }
}

fn ones_of(rows: usize) -> Tensor![Dyn, 4] {
    Tensor::full((Dyn(rows), Default::default()), 1.0)
}

#[test]
fn each_draw_has_the_key_that_flax_derives_from_the_path() {
    let variables = Model::new().init(Key::new(0));
    let keys = || rngs! { noise: Key::new(7) };
    let (y, state) = Model::new().apply_mut(&variables, ones_of(3), Eval, keys());
    let scope = Scope::with_streams([("noise", Key::new(7))]);
    let mut expected = ones_of(3);
    for (name, scale, params) in
        [("Noisy_0", 0.5, &variables.params.noisy_0), ("Noisy_1", 0.25, &variables.params.noisy_1)]
    {
        let module = scope.child(name);
        let draw = || module.make_rng("noise").expect("a stream that is given");
        let first: Tensor![Dyn, 4] = draw().normal(expected.shape());
        let second: Tensor![Dyn, 4] = draw().uniform(expected.shape(), 0.0, 1.0);
        expected = &(&(&expected * &params.gain) + &(&first * scale)) + &second;
    }
    assert_eq!(y, expected);
    assert_eq!(state, variables.state);
    assert_eq!(Model::new().apply_mut(&variables, ones_of(3), Eval, keys()).0, y);
}

#[test]
fn the_noise_is_a_constant_for_the_derivative() {
    let variables = Noisy::new().init(Key::new(0));
    let x = ones_of(2);
    let ((_, state), (gradients, dx)) = value_and_grad!(
        |params, x| {
            let (y, state) = Noisy::new().apply_mut(params, x, rngs! { noise: Key::new(7) });
            (y.sum(), state)
        },
        &variables.params,
        x
    );
    assert_eq!(gradients.gain.as_slice(), [2.0; 4]);
    for row in dx.as_slice().chunks(4) {
        assert_eq!(row, variables.params.gain.as_slice());
    }
    assert_eq!(state, variables.state);
}

#[test]
fn several_streams_at_init() {
    let model = Model::new();
    let keys = || rngs! { params: Key::new(0), noise: Key::new(7), dropout: Key::new(8) };
    let expected = model.init(Key::new(0));
    assert_eq!(model.init(keys()).params, expected.params);
    let (y, variables) = model.init_with_output(keys(), ones_of(2), Train);
    assert_eq!(variables.params, expected.params);
    let rest = rngs! { noise: Key::new(7), dropout: Key::new(8) };
    assert_eq!(model.apply_mut(&variables, ones_of(2), Train, rest).0, y);
}

#[test]
fn a_bare_key_is_that_for_params() {
    let layer = Dense::<U3>::new();
    let x: Tensor![2, 4] = Tensor::full(Default::default(), 1.0);
    let (y, variables) = layer.init_with_output(Key::new(0), x.clone());
    assert_eq!(layer.apply(&variables, x.clone()), y);
    let scope = Scope::root(Key::new(0));
    let (params, ()) = flaxen::module::Module::<Tensor![2, 4]>::init(&layer, &scope);
    assert_eq!(variables.params, params);
    assert_eq!(layer.init(rngs! { params: Key::new(0) }, &x).params, params);
}

#[test]
fn a_draw_in_a_closure_takes_a_key_from_outside() {
    let x = ones_of(2);
    let (_, dx) = value_and_grad!(|x| (x * normal_like(x, Key::new(3))).sum(), x);
    let expected: Tensor![Dyn, 4] = Key::new(3).normal(dx.shape());
    assert_eq!(dx, expected);
}
