//! `jax.random`: every draw of the fixture, in both layouts.

use flaxen::rng::{
    Bernoulli, Distribution, Exponential, Gumbel, Integer, Key, Laplace, Normal, Rademacher, TruncatedNormal,
    Uniform,
};
use flaxen_tests::{Fixture, Tolerance};
use serde_json::Value;

use super::{key, words};

/// The logits of the draws named `categorical`.
const LOGITS: [f32; 8] = [0.1, 1.5, -0.7, 0.0, 2.0, 0.0, 0.5, -1.0];

/// What one draw of the fixture must be.
struct Draw<'a> {
    fixture: &'a Fixture,
    array: String,
    sizes: Vec<usize>,
}

impl Draw<'_> {
    fn len(&self) -> usize {
        self.sizes.iter().product()
    }

    fn floats(&self, key: Key, distribution: &impl Distribution<Value = f32>) {
        let mut out = vec![0.0; self.len()];
        key.duplicate().fill(distribution, &mut out);
        self.is_floats(&out);
        if self.sizes.is_empty() {
            self.is_floats(&[key.draw(distribution)]);
        }
    }

    fn is_floats(&self, out: &[f32]) {
        // The fixture allows some ulps; but the formulas are XLA's to the last bit.
        Tolerance::EXACT.check(&self.array, out, &self.fixture.f32s(&self.array));
    }

    fn is_words(&self, out: &[u32]) {
        assert_eq!(out, self.fixture.u32s(&self.array), "{}", self.array);
    }

    fn is_integers(&self, out: impl IntoIterator<Item = i32>) {
        let out: Vec<i32> = out.into_iter().collect();
        assert_eq!(out, self.fixture.i32s(&self.array), "{}", self.array);
    }

    fn randint<T: Integer + Default + Into<i32>>(&self, key: Key, minval: i64, maxval: i64) {
        let mut out = vec![T::default(); self.len()];
        key.fill_randint(minval, maxval, &mut out);
        self.is_integers(out.into_iter().map(Into::into));
    }

    fn indices(&self, draw: impl FnOnce(&mut [u32])) {
        let mut out = vec![0; self.len()];
        draw(&mut out);
        self.is_integers(out.into_iter().map(|i| i as i32));
    }
}

#[test]
fn every_draw() {
    let fixture = Fixture::open("prng");
    let mut checked = 0;
    for case in fixture.cases() {
        for draw in case["draws"].as_array().expect("a case has draws") {
            let text = |field: &str| draw[field].as_str().expect("a draw has texts").to_owned();
            let expected = Draw {
                fixture: &fixture,
                array: format!("{}/{}", case["id"].as_str().expect("a case has an id"), text("name")),
                sizes: serde_json::from_value(draw["shape"].clone()).expect("a draw has a shape"),
            };
            check(key(case), &text("name"), &expected);
            checked += 1;
        }
    }
    assert_eq!(checked, 784);
}

fn check(key: Key, name: &str, expected: &Draw) {
    let (family, variant) = name.split_once('_').unwrap_or((name, ""));
    match family {
        "key" => expected.is_words(&key.words()),
        "split" => {
            let words: Vec<u32> = key.split_n(expected.len() / 2).iter().flat_map(Key::words).collect();
            expected.is_words(&words);
        }
        "fold" => {
            let data = variant.trim_start_matches("in_").parse().expect("the number that is folded in");
            expected.is_words(&key.fold_in(data).words());
        }
        "bits8" | "bits16" | "bits32" => check_bits(key, family, expected),
        "uniform" => check_uniform(key, variant, expected),
        "normal" => expected.floats(key, &Normal),
        "truncated" if variant == "normal_asym" => expected.floats(key, &TruncatedNormal::new(-0.5, 3.0)),
        "truncated" => expected.floats(key, &TruncatedNormal::new(-2.0, 2.0)),
        "gumbel" => expected.floats(key, &Gumbel),
        "exponential" => expected.floats(key, &Exponential),
        "laplace" => expected.floats(key, &Laplace),
        "bernoulli" => {
            let mut out = vec![false; expected.len()];
            key.fill(&Bernoulli::new(0.3), &mut out);
            assert_eq!(out, expected.fixture.bools(&expected.array), "{}", expected.array);
        }
        "rademacher" => {
            let mut out = vec![0; expected.len()];
            key.fill(&Rademacher, &mut out);
            expected.is_integers(out);
        }
        "randint" => check_randint(key, variant, expected),
        "permutation" => check_permutation(key, variant, expected),
        "categorical" => check_categorical(key, variant, expected),
        "choice" => check_choice(key, variant, expected),
        _ => panic!("nothing draws `{name}`"),
    }
}

fn check_bits(key: Key, family: &str, expected: &Draw) {
    match family {
        "bits8" => {
            let mut out = vec![0; expected.len()];
            key.fill_bits8(&mut out);
            expected.is_words(&out.into_iter().map(u32::from).collect::<Vec<_>>());
        }
        "bits16" => {
            let mut out = vec![0; expected.len()];
            key.fill_bits16(&mut out);
            expected.is_words(&out.into_iter().map(u32::from).collect::<Vec<_>>());
        }
        _ => {
            let mut out = vec![0; expected.len()];
            key.fill_bits32(&mut out);
            expected.is_words(&out);
        }
    }
}

fn check_uniform(key: Key, variant: &str, expected: &Draw) {
    let mut out = vec![0.0; expected.len()];
    match variant {
        "bf16" => key.fill_uniform_bf16(&mut out),
        "f16" => key.fill_uniform_f16(&mut out),
        _ if variant.starts_with("range") => return expected.floats(key, &Uniform::new(-3.0, 2.0)),
        _ => return expected.floats(key, &Uniform::UNIT),
    }
    expected.is_floats(&out);
}

fn check_randint(key: Key, variant: &str, expected: &Draw) {
    match variant {
        "u8" => expected.randint::<u8>(key, 0, 256),
        "i8" => expected.randint::<i8>(key, -10, 10),
        "full" => expected.randint::<i32>(key, i32::MIN.into(), i32::MAX.into()),
        "empty_span" => expected.randint::<i32>(key, 4, 4),
        _ => expected.randint::<i32>(key, -5, 100),
    }
}

fn check_permutation(key: Key, variant: &str, expected: &Draw) {
    let mut table: Vec<i32> = (0..expected.len() as i32).collect();
    match variant {
        "2d" => key.shuffle_axis(&mut table, &expected.sizes, 0),
        "axis1" => key.shuffle_axis(&mut table, &expected.sizes, 1),
        "independent" => key.shuffle_independent(&mut table, &expected.sizes, 1),
        _ => {
            expected.is_integers(key.duplicate().permutation(expected.len()).into_iter().map(|i| i as i32));
            key.shuffle(&mut table);
        }
    }
    expected.is_integers(table);
}

fn check_categorical(key: Key, variant: &str, expected: &Draw) {
    expected.indices(|out| match variant {
        "axis0" => key.fill_categorical(&LOGITS, &[2, 4], 0, out),
        "shape" => key.fill_categorical(&LOGITS[..4], &[4], 0, out),
        _ => key.fill_categorical(&LOGITS, &[2, 4], 1, out),
    });
}

fn check_choice(key: Key, variant: &str, expected: &Draw) {
    const P: [f32; 4] = [0.1, 0.4, 0.3, 0.2];
    expected.indices(|out| {
        match variant {
            "replace" => key.fill_choice(10, out),
            "noreplace" => key.fill_choice_without_replacement(10, out),
            "p" => key.fill_choice_weighted(&P, out),
            _ => key.fill_choice_weighted_without_replacement(&P, out),
        }
        .expect("there is enough to choose from");
    });
}

#[test]
fn edges_of_seed_and_fold_in() {
    let fixture = Fixture::open("prng");
    let pairs = |name: &str| fixture.json()[name].as_array().expect("a list of pairs").clone();
    for pair in pairs("seed_edge") {
        let seed: i64 = pair[0].as_str().and_then(|seed| seed.parse().ok()).expect("a seed");
        assert_eq!(Key::new(seed as u64).words(), words(&pair[1]), "seed {seed}");
    }
    // The fixture folds into `PRNGKey(0)`.
    for pair in pairs("fold_edge") {
        let data = pair[0].as_u64().expect("a number to fold in") as u32;
        assert_eq!(Key::new(0).fold_in(data).words(), words(&pair[1]), "fold_in {data}");
    }
}

#[test]
fn a_key_survives_json() {
    let (key, _) = Key::legacy(3).split();
    let json: Value = serde_json::to_value(&key).expect("a key can be written");
    assert_eq!(json["layout"], "legacy");
    assert_eq!(serde_json::from_value::<Key>(json).expect("a key can be read"), key);
}

#[test]
fn tensors_are_the_same_draws() {
    use flaxen::prelude::*;
    let fixture = Fixture::open("prng");
    for case in fixture.cases() {
        let id = case["id"].as_str().expect("a case has an id");
        let array = |name: &str| format!("{id}/{name}_2x3");
        let normal: Tensor![2, 3] = key(case).normal(Default::default());
        assert_eq!(normal.as_slice(), fixture.f32s(&array("normal")));
        let wide: Tensor![2, 3; f64] = key(case).normal(Default::default());
        assert!(normal.as_slice().iter().zip(wide.as_slice()).all(|(&a, &b)| f64::from(a) == b));
        let uniform: Tensor![2, 3] = key(case).uniform(Default::default(), -3.0, 2.0);
        assert_eq!(uniform.as_slice(), fixture.f32s(&array("uniform_range")));
        let coins: Tensor![2, 3; bool] = key(case).bernoulli(0.3, Default::default());
        assert_eq!(coins.as_slice(), fixture.bools(&array("bernoulli")));
        let dice: Tensor![2, 3; i32] = key(case).randint(Default::default(), -5, 100);
        assert_eq!(dice.as_slice(), fixture.i32s(&array("randint")));
        let words: Tensor![2, 3; u32] = key(case).bits(Default::default());
        assert_eq!(words.as_slice(), fixture.u32s(&array("bits32")));

        let logits: Tensor![2, 4] = Tensor::of(&LOGITS).expect("eight logits");
        let classes = key(case).categorical(&logits);
        let expected = fixture.i32s(&format!("{id}/categorical"));
        assert!(classes.as_slice().iter().map(|&class| class as i32).eq(expected));
    }
}
