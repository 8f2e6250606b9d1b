//! Convolutions against the plain sum, on random shapes, instruction sets and numbers of threads.

use proptest::prelude::*;

use super::super::simd::available;
use super::super::threads::set_threads;
use super::*;

/// Calls `visit(input, kernel, output)` with the indices of every product of the convolution.
pub(super) fn products(g: &ConvGeometry, mut visit: impl FnMut(usize, usize, usize)) {
    let (per_group, out_per_group) = (g.in_features / g.groups, g.out_features / g.groups);
    for (n, (y, x)) in (0..g.batch).flat_map(|n| positions(g.output).map(move |at| (n, at))) {
        for (ky, kx) in positions(g.kernel) {
            let iy = (y * g.strides[0] + ky * g.dilation[0]).wrapping_sub(g.padding[0][0]);
            let ix = (x * g.strides[1] + kx * g.dilation[1]).wrapping_sub(g.padding[1][0]);
            if iy >= g.input[0] || ix >= g.input[1] {
                continue;
            }
            for (ci, co) in positions([per_group, g.out_features]) {
                let channel = co / out_per_group * per_group + ci;
                visit(
                    ((n * g.input[0] + iy) * g.input[1] + ix) * g.in_features + channel,
                    ((ky * g.kernel[1] + kx) * per_group + ci) * g.out_features + co,
                    ((n * g.output[0] + y) * g.output[1] + x) * g.out_features + co,
                );
            }
        }
    }
}

/// Whole numbers, so that sums are exact in any order.
fn numbers<E: Lanes + From<i16>>(len: usize, seed: u32) -> Vec<E> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        E::from((state >> 29) as i16 - 3)
    };
    (0..len).map(|_| next()).collect()
}

prop_compose! {
    fn geometry()(
        batch in 0_usize..4,
        groups in prop_oneof![3 => Just(1_usize), 1 => 2_usize..4],
        channels in prop_oneof![Just(1_usize), 2_usize..5, 15_usize..36],
        features in prop_oneof![1_usize..4, 15_usize..18, 31_usize..40],
        kernel in prop::array::uniform2(1_usize..4),
        strides in prop::array::uniform2(prop_oneof![Just(1_usize), 2_usize..4]),
        dilation in prop::array::uniform2(1_usize..3),
        padding in prop::array::uniform2(prop::array::uniform2(0_usize..4)),
        output in prop::array::uniform2(1_usize..10),
        spare in prop::array::uniform2(0_usize..3),
        one_channel: bool,
    ) -> ConvGeometry {
        let (groups, channels, kernel, dilation) =
            if one_channel { (1, 1, [3; 2], [1; 2]) } else { (groups, channels, kernel, dilation) };
        // An input for which the output fits, with `spare` pixels that no window need reach.
        let input = [0, 1].map(|i| {
            let seen = (output[i] - 1) * strides[i] + (kernel[i] - 1) * dilation[i] + 1;
            (seen + spare[i].min(strides[i] - 1)).saturating_sub(padding[i][0] + padding[i][1]).max(1)
        });
        let output = [0, 1].map(|i| {
            let padded = input[i] + padding[i][0] + padding[i][1];
            (padded - (kernel[i] - 1) * dilation[i] - 1) / strides[i] + 1
        });
        ConvGeometry {
            batch, input, in_features: groups * channels, output, out_features: groups * features,
            kernel, strides, padding, dilation, groups,
        }
    }
}

/// All three kernels on one geometry, against the plain sums.
fn check_all<E: Lanes + From<i16> + std::fmt::Debug>(g: &ConvGeometry, seed: u32) {
    let input: Vec<E> = numbers(g.input_len(), seed);
    let kernel: Vec<E> = numbers(g.kernel_len(), seed ^ 1);
    let cotangent: Vec<E> = numbers(g.output_len(), seed ^ 2);
    let bias: Vec<E> = numbers(g.out_features, seed ^ 3);
    let zero = E::default();
    let (mut output, mut input_gradient) = (vec![zero; cotangent.len()], vec![zero; input.len()]);
    let (mut kernel_gradient, mut bias_gradient) = (vec![zero; kernel.len()], vec![zero; bias.len()]);
    products(g, |i, k, o| {
        output[o] += input[i] * kernel[k];
        input_gradient[i] += cotangent[o] * kernel[k];
        kernel_gradient[k] += cotangent[o] * input[i];
    });
    for (i, &value) in cotangent.iter().enumerate() {
        bias_gradient[i % g.out_features] += value;
    }
    let biased = |relu: bool| -> Vec<E> {
        let sums = output.iter().enumerate().map(|(i, &sum)| sum + bias[i % bias.len()]);
        sums.map(|sum| if relu && sum < zero { zero } else { sum }).collect()
    };
    for arch in available() {
        let mut found = vec![E::from(9); output.len()];
        forward_with(arch, g, &input, &kernel, Epilogue::Assign, None, &mut found);
        assert_eq!(found, output, "{arch:?}");
        forward_with(arch, g, &input, &kernel, Epilogue::Accumulate, None, &mut found);
        assert!(found.iter().zip(&output).all(|(&twice, &once)| twice == once + once), "{arch:?}");
        forward_with(arch, g, &input, &kernel, Epilogue::Bias(&bias), None, &mut found);
        assert_eq!(found, biased(false), "{arch:?}");
        forward_with(arch, g, &input, &kernel, Epilogue::BiasRelu(&bias), None, &mut found);
        assert_eq!(found, biased(true), "{arch:?}");

        let mut found = vec![E::from(9); input.len()];
        input_gradient_with(arch, g, &cotangent, &kernel, &mut found);
        assert_eq!(found, input_gradient, "{arch:?}");

        let (mut found, mut found_bias) = (vec![E::from(9); kernel.len()], vec![E::from(9); bias.len()]);
        kernel_gradient::compute(arch, g, &input, &cotangent, &mut found, Some(&mut found_bias));
        assert_eq!(found, kernel_gradient, "{arch:?}");
        assert_eq!(found_bias, bias_gradient, "{arch:?}");
        found.fill(E::from(9));
        kernel_gradient::compute(arch, g, &input, &cotangent, &mut found, None);
        assert_eq!(found, kernel_gradient, "{arch:?}");
    }
}

/// What a halving makes of the output, of which the plain result is known.
pub(super) fn halved<E: Lanes>(g: &ConvGeometry, halving: Halving, output: &[E]) -> Vec<E> {
    let [rows, columns] = g.output;
    let mut halved = Vec::new();
    for (n, (y, x)) in (0..g.batch).flat_map(|n| positions([rows / 2, columns / 2]).map(move |at| (n, at))) {
        for feature in 0..g.out_features {
            let at = |(down, right)| {
                output[((n * rows + 2 * y + down) * columns + 2 * x + right) * g.out_features + feature]
            };
            let window = [(0, 0), (0, 1), (1, 0), (1, 1)].map(at);
            halved.push(match halving {
                Halving::Average => {
                    window.into_iter().fold(E::default(), |sum, value| sum + value) * E::from(0.25)
                }
                Halving::Maximum => {
                    window.into_iter().fold(window[0], |best, value| if value > best { value } else { best })
                }
            });
        }
    }
    halved
}

/// Images that are halved before they are written: the bits are those of the images.
fn check_halving<E: Lanes + From<i16> + std::fmt::Debug>(g: &ConvGeometry, seed: u32) {
    let input: Vec<E> = numbers(g.input_len(), seed);
    let kernel: Vec<E> = numbers(g.kernel_len(), seed ^ 1);
    let bias: Vec<E> = numbers(g.out_features, seed ^ 2);
    for arch in available() {
        for epilogue in [Epilogue::Assign, Epilogue::Bias(&bias), Epilogue::BiasRelu(&bias)] {
            let mut output = vec![E::from(9); g.output_len()];
            forward_with(arch, g, &input, &kernel, epilogue, None, &mut output);
            for halving in [Halving::Average, Halving::Maximum] {
                let mut found = vec![E::from(9); output.len() / 4];
                forward_with(arch, g, &input, &kernel, epilogue, Some(halving), &mut found);
                assert_eq!(found, halved(g, halving, &output), "{arch:?}, {epilogue:?}, {halving:?}");
            }
        }
    }
}

/// Whether images can be halved.
pub(super) fn is_even(g: &ConvGeometry) -> bool {
    g.output.iter().all(|size| size.is_multiple_of(2))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn halved_images_are_those_of_the_whole(g in geometry().prop_filter("even images", is_even), seed: u32) {
        check_halving::<f32>(&g, seed);
        check_halving::<f64>(&g, seed);
    }

    #[test]
    fn convolutions_of_f32_are_the_plain_sums(g in geometry(), seed: u32) {
        check_all::<f32>(&g, seed);
    }

    #[test]
    fn convolutions_of_f64_are_the_plain_sums(g in geometry(), seed: u32) {
        check_all::<f64>(&g, seed);
    }
}

#[test]
fn one_and_two_threads_give_the_same_bits() {
    for in_features in [1, 20] {
        let g = ConvGeometry {
            batch: 9,
            input: [14, 14],
            in_features,
            output: [14, 14],
            out_features: 40,
            kernel: [3, 3],
            strides: [1, 1],
            padding: [[1, 1]; 2],
            dilation: [1, 1],
            groups: 1,
        };
        let fractions =
            |len: usize, scale: f32| (0..len).map(|i| (i as f32 * scale).sin()).collect::<Vec<_>>();
        let input = fractions(g.input_len(), 0.37);
        let (kernel, cotangent) = (fractions(g.kernel_len(), 0.71), fractions(g.output_len(), 0.13));
        let all = || {
            let mut results =
                [g.output_len(), g.input_len(), g.kernel_len(), g.out_features].map(|len| vec![0.0; len]);
            let [output, dx, dk, db] = &mut results;
            forward(&g, &input, &kernel, Epilogue::Assign, output);
            input_gradient(&g, &cotangent, &kernel, dx);
            kernel_gradient(&g, &input, &cotangent, dk, Some(db));
            results.map(|result| result.into_iter().map(f32::to_bits).collect::<Vec<_>>())
        };
        let [one, two] = [1, 2].map(|count| {
            set_threads(count);
            all()
        });
        assert!(one == two, "{in_features} channels");
    }
}
