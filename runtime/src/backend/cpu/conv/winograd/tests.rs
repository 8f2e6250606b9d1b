//! Winograd's convolutions against the plain sum, on random shapes, instruction sets and numbers of threads.

use proptest::prelude::*;

use super::super::super::simd::available;
use super::super::super::threads::set_threads;
use super::super::tests::{halved, is_even, products};
use super::super::{forward_with, input_gradient_with, kernel_gradient as direct_kernel_gradient};
use super::*;

const TILES: [Tile; 2] = [Tile::Of2, Tile::Of4];

prop_compose! {
    fn geometry()(
        batch in 0_usize..4,
        in_features in prop_oneof![Just(1_usize), 2_usize..5, 15_usize..36],
        out_features in prop_oneof![1_usize..4, 15_usize..18, 31_usize..40],
        padding in prop::array::uniform2(prop::array::uniform2(0_usize..4)),
        output in prop::array::uniform2(1_usize..12),
    ) -> ConvGeometry {
        // As much of the padding as leaves at least a pixel of the image.
        let padding = [0, 1].map(|i| {
            let low = padding[i][0].min(output[i] + 1);
            [low, padding[i][1].min(output[i] + 1 - low)]
        });
        let input = [0, 1].map(|i| output[i] + 2 - padding[i][0] - padding[i][1]);
        ConvGeometry {
            batch, input, in_features, output, out_features, padding,
            kernel: [3; 2], strides: [1; 2], dilation: [1; 2], groups: 1,
        }
    }
}

/// Numbers between -1 and 1, by Marsaglia's xorshift: those of a linear congruence repeat themselves at powers of 2, and
/// so do pixels and channels.
fn numbers<E: Lanes>(len: usize, seed: u32) -> Vec<E> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        E::from((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
    };
    (0..len).map(|_| next()).collect()
}

/// Asserts that values are near the expected ones: `tolerance` times the largest.
fn assert_near<E: Lanes + Into<f64>>(found: &[E], expected: &[f64], tolerance: f64, what: &str) {
    let scale = expected.iter().fold(1.0, |scale: f64, value| scale.max(value.abs()));
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let found: f64 = found.into();
        assert!((found - expected).abs() <= tolerance * scale, "{what}: {found}, not {expected}, at {i}");
    }
}

/// The passes that make an image on one geometry, against the plain sums.
fn check_images<E: Lanes + Into<f64>>(g: &ConvGeometry, seed: u32, tolerance: f64) {
    let input: Vec<E> = numbers(g.input_len(), seed);
    let kernel: Vec<E> = numbers(g.kernel_len(), seed ^ 1);
    let cotangent: Vec<E> = numbers(g.output_len(), seed ^ 2);
    let bias: Vec<E> = numbers(g.out_features, seed ^ 3);
    let (mut output, mut input_gradient) = (vec![0.0; cotangent.len()], vec![0.0; input.len()]);
    products(g, |i, k, o| {
        let kernel: f64 = kernel[k].into();
        output[o] += kernel * input[i].into();
        input_gradient[i] += kernel * cotangent[o].into();
    });
    let biased: Vec<f64> =
        output.iter().enumerate().map(|(i, &sum)| sum + bias[i % bias.len()].into()).collect();
    let twice: Vec<f64> = output.iter().map(|sum| 2.0 * sum).collect();
    let positive: Vec<f64> = biased.iter().map(|sum| sum.max(0.0)).collect();
    let cases = [
        ("assign", Epilogue::Assign, &output),
        ("accumulate", Epilogue::Accumulate, &twice),
        ("bias", Epilogue::Bias(&bias), &biased),
        ("relu", Epilogue::BiasRelu(&bias), &positive),
    ];
    for (arch, tile) in available().flat_map(|arch| TILES.map(|tile| (arch, tile))) {
        let mut found = vec![E::from(9.0); output.len()];
        for (name, epilogue, expected) in cases {
            forward(arch, tile, g, &input, &kernel, epilogue, None, &mut found);
            assert_near(&found, expected, tolerance, &format!("{name}, {tile:?}, {arch:?}"));
        }
        let mut found = vec![E::from(9.0); input.len()];
        super::input_gradient(arch, tile, g, &cotangent, &kernel, &mut found);
        assert_near(&found, &input_gradient, tolerance, &format!("input gradient, {tile:?}, {arch:?}"));
    }
}

/// The gradients of kernel and bias on one geometry, against the plain sums.
fn check_kernel_gradient<E: Lanes + Into<f64>>(g: &ConvGeometry, seed: u32, tolerance: f64) {
    let input: Vec<E> = numbers(g.input_len(), seed);
    let cotangent: Vec<E> = numbers(g.output_len(), seed ^ 2);
    let (mut kernel_gradient, mut bias_gradient) = (vec![0.0; g.kernel_len()], vec![0.0; g.out_features]);
    products(g, |i, k, o| kernel_gradient[k] += input[i].into() * cotangent[o].into());
    for (i, &value) in cotangent.iter().enumerate() {
        bias_gradient[i % g.out_features] += value.into();
    }
    for arch in available() {
        let mut found = vec![E::from(9.0); kernel_gradient.len()];
        let mut found_bias = vec![E::from(9.0); bias_gradient.len()];
        kernel_gradient::compute(arch, g, &input, &cotangent, &mut found, Some(&mut found_bias));
        assert_near(&found, &kernel_gradient, tolerance, &format!("kernel gradient, {arch:?}"));
        assert_near(&found_bias, &bias_gradient, tolerance, &format!("bias gradient, {arch:?}"));
        found.fill(E::from(9.0));
        kernel_gradient::compute(arch, g, &input, &cotangent, &mut found, None);
        assert_near(&found, &kernel_gradient, tolerance, &format!("kernel gradient alone, {arch:?}"));
    }
}

/// Images that are halved before they are written: the bits are those of the images.
fn check_halving<E: Lanes + std::fmt::Debug>(g: &ConvGeometry, seed: u32) {
    let input: Vec<E> = numbers(g.input_len(), seed);
    let kernel: Vec<E> = numbers(g.kernel_len(), seed ^ 1);
    let bias: Vec<E> = numbers(g.out_features, seed ^ 3);
    for (arch, tile) in available().flat_map(|arch| TILES.map(|tile| (arch, tile))) {
        for epilogue in [Epilogue::Assign, Epilogue::Bias(&bias), Epilogue::BiasRelu(&bias)] {
            let mut output = vec![E::from(9.0); g.output_len()];
            forward(arch, tile, g, &input, &kernel, epilogue, None, &mut output);
            for halving in [Halving::Average, Halving::Maximum] {
                let mut found = vec![E::from(9.0); output.len() / 4];
                forward(arch, tile, g, &input, &kernel, epilogue, Some(halving), &mut found);
                assert_eq!(
                    found,
                    halved(g, halving, &output),
                    "{arch:?}, {tile:?}, {epilogue:?}, {halving:?}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn halved_images_are_those_of_the_whole(g in geometry().prop_filter("even images", is_even), seed: u32) {
        check_halving::<f32>(&g, seed);
        check_halving::<f64>(&g, seed);
    }

    #[test]
    fn images_are_the_plain_sums(g in geometry(), seed: u32) {
        check_images::<f32>(&g, seed, 1e-5);
        check_images::<f64>(&g, seed, 1e-14);
    }

    #[test]
    fn kernel_gradients_are_the_plain_sums(g in geometry(), seed: u32) {
        check_kernel_gradient::<f32>(&g, seed, 1e-5);
        check_kernel_gradient::<f64>(&g, seed, 1e-14);
    }
}

fn same(batch: usize, size: usize, in_features: usize, out_features: usize) -> ConvGeometry {
    ConvGeometry {
        batch,
        input: [size; 2],
        in_features,
        output: [size; 2],
        out_features,
        kernel: [3; 2],
        strides: [1; 2],
        padding: [[1; 2]; 2],
        dilation: [1; 2],
        groups: 1,
    }
}

/// The largest and the mean square error.
fn errors(found: &[f32], exact: &[f64]) -> [f64; 2] {
    let errors = found.iter().zip(exact).map(|(&found, exact)| (f64::from(found) - exact).abs());
    let squares: f64 = errors.clone().map(|error| error * error).sum();
    [errors.fold(0.0, f64::max), (squares / exact.len() as f64).sqrt()]
}

/// Asserts that the error of `winograd` is at most twice that of `direct`; both fill a slice.
fn assert_accurate(what: &str, exact: &[f64], direct: impl Fn(&mut [f32]), winograd: impl Fn(&mut [f32])) {
    let of = |fill: &dyn Fn(&mut [f32])| {
        let mut found = vec![0.0; exact.len()];
        fill(&mut found);
        errors(&found, exact)
    };
    let (direct, winograd) = (of(&direct), of(&winograd));
    assert!(
        winograd[0] <= 2.0 * direct[0] && winograd[1] <= 2.0 * direct[1],
        "{what}: {winograd:?}, {direct:?}"
    );
}

#[test]
fn the_error_is_at_most_twice_the_direct_kernels() {
    let shapes = [
        (16, 14, 32, 64),
        (2, 32, 64, 64),
        (2, 16, 128, 128),
        (4, 30, 32, 32),
        (4, 14, 16, 32),
        (4, 14, 32, 16),
    ];
    for g in shapes.map(|(batch, size, channels, features)| same(batch, size, channels, features)) {
        let input: Vec<f32> = numbers(g.input_len(), 1);
        let (kernel, cotangent): (Vec<f32>, Vec<f32>) =
            (numbers(g.kernel_len(), 2), numbers(g.output_len(), 3));
        let wide = |narrow: &[f32]| narrow.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
        let (wide_input, wide_kernel, wide_cotangent) = (wide(&input), wide(&kernel), wide(&cotangent));
        let [mut output, mut dx, mut dk] =
            [g.output_len(), g.input_len(), g.kernel_len()].map(|len| vec![0.0; len]);
        let best = available().next().unwrap();
        forward_with(best, &g, &wide_input, &wide_kernel, Epilogue::Assign, None, &mut output);
        input_gradient_with(best, &g, &wide_cotangent, &wide_kernel, &mut dx);
        direct_kernel_gradient::compute(best, &g, &wide_input, &wide_cotangent, &mut dk, None);
        let suitable = |pass| TILES.into_iter().filter(move |&tile| suits::<f32>(&g, pass, tile));
        assert!(suitable(Pass::Forward).count() > 0, "{g:?}");
        // Without fused multiply-adds both round more often, and differently.
        for arch in available().filter(|arch| !matches!(arch, Arch::Scalar)) {
            for tile in suitable(Pass::Forward) {
                assert_accurate(
                    &format!("forward, {g:?}, {tile:?}, {arch:?}"),
                    &output,
                    |found| forward_with(arch, &g, &input, &kernel, Epilogue::Assign, None, found),
                    |found| forward(arch, tile, &g, &input, &kernel, Epilogue::Assign, None, found),
                );
            }
            for tile in suitable(Pass::InputGradient) {
                assert_accurate(
                    &format!("input gradient, {g:?}, {tile:?}, {arch:?}"),
                    &dx,
                    |found| input_gradient_with(arch, &g, &cotangent, &kernel, found),
                    |found| super::input_gradient(arch, tile, &g, &cotangent, &kernel, found),
                );
            }
            for _ in suitable(Pass::KernelGradient).filter(|&tile| tile == Tile::Of2) {
                assert_accurate(
                    &format!("kernel gradient, {g:?}, {arch:?}"),
                    &dk,
                    |found| direct_kernel_gradient::compute(arch, &g, &input, &cotangent, found, None),
                    |found| kernel_gradient::compute(arch, &g, &input, &cotangent, found, None),
                );
            }
        }
    }
}

/// Where all that an output's window sees is 0, whatever lies around it.
#[test]
fn tiles_of_2_keep_zeros() {
    let g = same(3, 14, 16, 40);
    let kernel: Vec<f32> = numbers(g.kernel_len(), 1);
    let mut input: Vec<f32> = numbers(g.input_len(), 2);
    // Ten pixels of eleven are 0.
    for (index, pixel) in input.chunks_exact_mut(g.in_features).enumerate() {
        if !(index * 7).is_multiple_of(11) {
            pixel.fill(0.0);
        }
    }
    let mut empty = vec![true; g.output_len()];
    products(&g, |i, _, o| empty[o] &= input[i] == 0.0);
    assert!(empty.iter().any(|&empty| empty) && empty.iter().any(|&empty| !empty));
    for arch in available() {
        let mut found = vec![9.0; g.output_len()];
        forward(arch, Tile::Of2, &g, &input, &kernel, Epilogue::Assign, None, &mut found);
        assert!(found.iter().zip(&empty).all(|(&sum, &empty)| (sum == 0.0) == empty), "{arch:?}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let g = same(9, 14, 32, 40);
    let (input, kernel): (Vec<f32>, Vec<f32>) = (numbers(g.input_len(), 1), numbers(g.kernel_len(), 2));
    let cotangent: Vec<f32> = numbers(g.output_len(), 3);
    let all = |count: usize| {
        set_threads(count);
        let arch = available().next().unwrap();
        let images = TILES.map(|tile| {
            let (mut output, mut dx) = (vec![0.0; g.output_len()], vec![0.0; g.input_len()]);
            forward(arch, tile, &g, &input, &kernel, Epilogue::Assign, None, &mut output);
            super::input_gradient(arch, tile, &g, &cotangent, &kernel, &mut dx);
            [output, dx]
        });
        let (mut dk, mut db) = (vec![0.0; g.kernel_len()], vec![0.0; g.out_features]);
        kernel_gradient::compute(arch, &g, &input, &cotangent, &mut dk, Some(&mut db));
        let results = images.into_iter().flatten().chain([dk, db]);
        results.map(|result| result.into_iter().map(f32::to_bits).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let one = all(1);
    assert!([2, 5].into_iter().all(|count| all(count) == one));
}

#[test]
fn only_what_was_measured_to_pay_suits() {
    let passes = [Pass::Forward, Pass::Inference, Pass::InputGradient, Pass::KernelGradient];
    let chosen = |g: ConvGeometry| passes.map(|pass| tile::<f32>(&g, pass));
    let (of_2, of_4) = (Some(Tile::Of2), Some(Tile::Of4));
    assert_eq!(chosen(same(32, 14, 32, 64)), [of_2, of_4, of_4, of_2]);
    assert_eq!(chosen(same(16, 32, 64, 64)), [of_2, of_4, of_4, of_2]);
    assert_eq!(chosen(same(32, 5, 64, 64)), [of_2, of_2, of_2, None]);
    assert_eq!(chosen(same(32, 14, 16, 32)), [of_2, of_2, of_2, None]);
    assert_eq!(chosen(same(32, 14, 16, 16)), [None; 4]);
    assert_eq!(chosen(same(32, 28, 1, 32)), [None; 4]);
    assert_eq!(chosen(same(32, 1, 64, 64)), [None; 4]);
    assert_eq!(chosen(ConvGeometry { strides: [2; 2], ..same(16, 32, 64, 64) }), [None; 4]);
    assert_eq!(chosen(ConvGeometry { dilation: [2; 2], ..same(16, 32, 64, 64) }), [None; 4]);
    assert_eq!(chosen(ConvGeometry { groups: 2, ..same(16, 32, 64, 64) }), [None; 4]);
    assert_eq!(chosen(ConvGeometry { kernel: [3, 5], ..same(16, 32, 64, 64) }), [None; 4]);
    assert_eq!(tile::<f64>(&same(16, 32, 64, 64), Pass::Forward), None);
}
