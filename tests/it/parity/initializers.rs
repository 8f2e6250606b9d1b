//! `flax.linen.initializers`, in both layouts.

use flaxen::init::*;
use flaxen_tests::{Fixture, Tolerance};

use super::key;

/// The initialiser that an expression of the fixture makes.
fn initializer(name: &str) -> Initializer {
    let scaling = |scale, mode, spread| VarianceScaling::new(scale, mode, spread);
    match name {
        "lecun_normal" => lecun_normal(),
        "lecun_uniform" => lecun_uniform(),
        "glorot_normal" => xavier_normal(),
        "glorot_uniform" => xavier_uniform(),
        "he_normal" => kaiming_normal(),
        "he_uniform" => kaiming_uniform(),
        "zeros" => zeros(),
        "ones" => ones(),
        "constant" => constant(0.5),
        "normal_default" => normal(0.01),
        "normal" => normal(0.02),
        "uniform_default" => uniform(0.01),
        "uniform" => uniform(0.3),
        "truncated_normal_default" => truncated_normal(0.01, -2.0, 2.0),
        "truncated_normal" => truncated_normal(0.5, -1.0, 3.0),
        "orthogonal" => orthogonal(1.0),
        "orthogonal_scale" => Initializer::Orthogonal { scale: 2.0, column_axis: 0 },
        "delta_orthogonal" => delta_orthogonal(1.0),
        "embed_default" => scaling(1.0, FanMode::FanIn, Spread::Normal).out_axis(0).into(),
        "vs_axes" => scaling(1.0, FanMode::FanIn, Spread::TruncatedNormal).in_axis(0).out_axis(1).into(),
        "vs_batch_axis" => scaling(1.0, FanMode::FanOut, Spread::Uniform).batch_axis(0).into(),
        _ => {
            let (mode, spread) = ["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]
                .into_iter()
                .find_map(|mode| {
                    Some((mode, name.strip_prefix("vs_")?.strip_prefix(mode)?.strip_prefix('_')?))
                })
                .unwrap_or_else(|| panic!("no initialiser `{name}`"));
            let parsed = |name: &str| serde_json::Value::from(name);
            let mode = serde_json::from_value(parsed(mode)).expect("a mode");
            variance_scaling(2.0, mode, serde_json::from_value(parsed(spread)).expect("a distribution"))
        }
    }
}

#[test]
fn every_initialiser() {
    let fixture = Fixture::open("initializers");
    let mut checked = 0;
    for case in fixture.cases().iter().filter(|case| case["dtype"] == "float32") {
        let id = case["id"].as_str().expect("a case has an id");
        let name = id.split('/').nth(2).expect("an id is mode/seed/name/shape");
        let sizes: Vec<usize> = serde_json::from_value(case["shape"].clone()).expect("a shape");
        let mut out = vec![f32::NAN; sizes.iter().product()];
        initializer(name).fill(key(case), &sizes, &mut out);
        let tolerance = Tolerance::parse(case["tol"].as_str().expect("a tolerance"));
        tolerance.check(id, &out, &fixture.f32s(&format!("{id}/value")));
        checked += 1;
    }
    assert_eq!(checked, 256);
}

#[test]
fn a_configuration_survives_json() {
    for initializer in [lecun_normal(), truncated_normal(0.1, -1.0, 2.0), orthogonal(2.0), zeros()] {
        let text = serde_json::to_string(&initializer).expect("it can be written");
        assert_eq!(serde_json::from_str::<Initializer>(&text).expect("it can be read"), initializer);
    }
}

#[test]
fn tensors_of_both_floats() {
    use flaxen::prelude::*;
    let narrow: Tensor![4, 3] = he_normal().init(Key::new(1), Default::default());
    let wide: Tensor![4, 3; f64] = he_normal().init(Key::new(1), Default::default());
    assert!(narrow.as_slice().iter().zip(wide.as_slice()).all(|(&a, &b)| f64::from(a) == b));
}
