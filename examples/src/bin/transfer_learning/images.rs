//! Images as the vision transformer wants them: of its size, in three colours, and with the mean and the deviation of the images
//! that it was trained on.

use flaxen::Result;
use flaxen::data::mnist::{LabelledBatch, LabelledImages, SIDE};
use flaxen::prelude::*;

/// The mean of each colour in the images that CLIP was trained on.
const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];

/// Their standard deviation.
const DEVIATION: [f32; 3] = [0.268_629_54, 0.261_302_58, 0.275_777_11];

/// Images of these indices as images of `I` by `I`, each pixel that of the nearest place.
pub fn enlarged<I: Static>(images: &LabelledImages, indices: &[usize]) -> Result<Tensor![Dyn, I, I, 3]> {
    let batch: LabelledBatch<Dyn> = images.gather(indices)?;
    let pixels = batch.images.as_slice();
    let colours = MEAN.len();
    let shape = (Dyn(indices.len()), I::default(), I::default(), U3::default());
    Ok(Tensor::from_fn(shape, |index| {
        let (pixel, colour) = (index / colours, index % colours);
        let (image, row, column) = (pixel / (I::N * I::N), pixel / I::N % I::N, pixel % I::N);
        let nearest = (image * SIDE + row * SIDE / I::N) * SIDE + column * SIDE / I::N;
        (pixels[nearest] - MEAN[colour]) / DEVIATION[colour]
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_becomes_a_square_of_three_colours() {
        let images = flaxen_examples::digits::load().unwrap().train;
        let large = enlarged::<U56>(&images, &[3, 0]).unwrap();
        let small: LabelledBatch<Dyn> = images.gather(&[3, 0]).unwrap();
        assert_eq!(large.sizes(), [2, 56, 56, 3]);
        for (image, row, column) in [(0, 9, 31), (1, 8, 30), (1, 55, 0)] {
            let pixel = small.images.as_slice()[(image * 28 + row / 2) * 28 + column / 2];
            let at = ((image * 56 + row) * 56 + column) * 3;
            for (colour, &found) in large.as_slice()[at..at + 3].iter().enumerate() {
                assert_eq!(found, (pixel - MEAN[colour]) / DEVIATION[colour]);
            }
        }
    }
}
