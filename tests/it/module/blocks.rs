//! Inference a few examples at a time gives the same bits as all at once.

use flaxen::backend::threads;
use flaxen::module::Module;
use flaxen::prelude::*;

/// Large values between small ones: a block is a few images.
#[module]
struct Classifier;

#[module]
impl Classifier {
    fn call<B: Batch>(&self, x: Tensor![B, 24, 24, 1]) -> Tensor![B, 5] {
        let x = max_pool::<2, 2>(relu(compact!(Conv<64, (3, 3)>)(x)));
        let x = avg_pool::<3, 3>(tanh(compact!(Conv<8, (3, 3)>)(x)));
        softmax(compact!(Dense<5>)(flatten(x)))
    }
}

/// Examples that depend on each other.
#[module]
struct Centred;

#[module]
impl Centred {
    fn call<B: Batch>(&self, x: Tensor![B, 24, 24, 1]) -> Tensor![B, 24, 24, 64] {
        let x = compact!(Conv<64, (3, 3)>)(x);
        x.clone() - mean_axis::<0>(x)
    }
}

type Images = Tensor![Dyn, 24, 24, 1];

fn images(count: usize) -> Images {
    Key::new(2).normal((Dyn(count), Default::default(), Default::default(), Default::default()))
}

/// What a pooling takes from a convolution is written if an op between them is no `relu`.
#[module]
struct Saturated;

#[module]
impl Saturated {
    fn call<B: Batch>(&self, x: Tensor![B, 24, 24, 1]) -> Tensor![B, 12, 12, 64] {
        max_pool::<2, 2>(tanh(compact!(Conv<64, (3, 3)>)(x)))
    }
}

#[test]
fn the_largest_value_that_is_written_decides() {
    assert_eq!(<Classifier as Module<Images>>::EXAMPLE_BYTES, Some(12 * 12 * 64 * 4));
    assert_eq!(<Saturated as Module<Images>>::EXAMPLE_BYTES, Some(24 * 24 * 64 * 4));
    assert_eq!(<Centred as Module<Images>>::EXAMPLE_BYTES, None);
}

#[test]
fn blocks_are_the_whole() {
    let model = Classifier::new();
    let params = model.init(Key::new(1)).params;
    let count = 100 * threads() + 7;
    let all = images(count);
    let together = model.apply(&params, all.clone());
    assert_eq!(together.sizes(), [count, 5]);
    for (i, image) in all.as_slice().chunks(24 * 24).enumerate() {
        let one =
            Images::from_slice((Dyn(1), Default::default(), Default::default(), Default::default()), image);
        let one = model.apply(&params, one.expect("an image"));
        assert_eq!(one.as_slice(), &together.as_slice()[i * 5..][..5], "image {i}");
    }
    let few: Tensor![3, 24, 24, 1] =
        Tensor::from_slice(Default::default(), &all.as_slice()[..3 * 576]).expect("3");
    assert_eq!(model.apply(&params, few).as_slice(), &together.as_slice()[..15]);
    assert_eq!(model.apply(&params, images(0)).sizes(), [0, 5]);
}
