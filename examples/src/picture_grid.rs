//! Images in a grid of five by five with a caption under each, as a PNG file.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;

use flaxen::data::mnist::{LabelledImages, SIDE};
use flaxen::{Error, Result};
use plotters::backend::BitMapBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{BLACK, Color, FontStyle, IntoFont, RGBColor, WHITE, register_font};

/// Images in a row, and rows.
const ROWS: usize = 5;

/// The most images that a grid shows.
pub const IMAGES: usize = ROWS * ROWS;

/// A pixel of an image is a square of this side.
const ZOOM: usize = 5;

const GAP: usize = 20;
const TITLE_HEIGHT: usize = 56;
const CAPTION_HEIGHT: usize = 54;
const LINE_HEIGHT: usize = 19;
const IMAGE_SIDE: usize = SIDE * ZOOM;
const WIDTH: usize = ROWS * (IMAGE_SIDE + GAP) + GAP;
const HEIGHT: usize = TITLE_HEIGHT + ROWS * (IMAGE_SIDE + CAPTION_HEIGHT);

const RED: RGBColor = RGBColor(200, 0, 0);
const FRAME: RGBColor = RGBColor(190, 190, 190);

/// DejaVu Sans without all but ASCII: see `font/README.md`.
const FONT: &[u8] = include_bytes!("../font/DejaVuSans-ascii.ttf");
const FONT_NAME: &str = "DejaVu Sans";

/// What stands under an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caption {
    /// The class that the image is said to be.
    class: String,
    /// The class that it is, where that is another; the caption is red then.
    truth: Option<String>,
}

impl Caption {
    /// The class of an image.
    pub fn label(class: &str) -> Self {
        Self { class: class.into(), truth: None }
    }

    /// The class that a model predicts.
    pub fn prediction(predicted: &str, truth: &str) -> Self {
        Self { class: predicted.into(), truth: (predicted != truth).then(|| truth.into()) }
    }

    /// Whether the class is not the true one.
    pub fn is_wrong(&self) -> bool {
        self.truth.is_some()
    }
}

/// Writes the first images of a set, dark on white, each with its caption. There are as many as captions, and at
/// most [`IMAGES`].
///
/// # Errors
///
/// [`Error::Io`] when the file cannot be written.
pub fn write(path: &Path, title: &str, set: &LabelledImages, captions: &[Caption]) -> Result<()> {
    let mut pixels = vec![0; WIDTH * HEIGHT * 3];
    draw(&mut pixels, title, set, captions)
        .and_then(|()| write_png(path, &pixels))
        .map_err(|source| Error::Io { path: path.to_owned(), source })
}

/// Finds out whether [`write()`] will be able to write this file, and leaves no trace.
///
/// # Errors
///
/// [`Error::Io`] when it will not.
pub fn check_writable(path: &Path) -> Result<()> {
    let io_error = |source| Error::Io { path: path.to_owned(), source };
    let existed = path.exists();
    File::options().append(true).create(true).open(path).map_err(io_error)?;
    if existed { Ok(()) } else { fs::remove_file(path).map_err(io_error) }
}

/// Where plotters draws.
type Canvas<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// The picture as rows of red, green and blue.
fn draw(pixels: &mut [u8], title: &str, set: &LabelledImages, captions: &[Caption]) -> io::Result<()> {
    register_font(FONT_NAME, FontStyle::Normal, FONT)
        .map_err(|_| io::Error::other("the font inside the program is damaged"))?;
    let canvas = BitMapBackend::with_buffer(pixels, (WIDTH as u32, HEIGHT as u32)).into_drawing_area();
    canvas.fill(&WHITE).map_err(io::Error::other)?;
    write_line(&canvas, title, WIDTH / 2, (TITLE_HEIGHT - 24) / 2, 24, BLACK)?;
    for (index, caption) in captions.iter().enumerate().take(IMAGES.min(set.len())) {
        let left = GAP + index % ROWS * (IMAGE_SIDE + GAP);
        let top = TITLE_HEIGHT + index / ROWS * (IMAGE_SIDE + CAPTION_HEIGHT);
        draw_image(&canvas, set, index, (left, top), if caption.is_wrong() { RED } else { FRAME })?;
        draw_caption(&canvas, caption, left + IMAGE_SIDE / 2, top + IMAGE_SIDE + 9)?;
    }
    canvas.present().map_err(io::Error::other)
}

/// One image in its frame, dark on white as printed on paper.
fn draw_image(
    canvas: &Canvas,
    set: &LabelledImages,
    index: usize,
    (left, top): (usize, usize),
    frame: RGBColor,
) -> io::Result<()> {
    // Plotters fills up to the second corner, without it.
    let square = |left: usize, top: usize, side: usize| {
        [(left as i32, top as i32), ((left + side) as i32, (top + side) as i32)]
    };
    // Two pixels of frame around the image.
    let framed = Rectangle::new(square(left - 2, top - 2, IMAGE_SIDE + 4), frame.filled());
    canvas.draw(&framed).map_err(io::Error::other)?;
    for (position, &pixel) in set.image(index).iter().enumerate() {
        let ink = u32::from(pixel) * 255 / u32::from(set.white());
        let grey = 255 - ink.min(255) as u8;
        let (row, column) = (position / SIDE, position % SIDE);
        let corners = square(left + column * ZOOM, top + row * ZOOM, ZOOM);
        let dot = Rectangle::new(corners, RGBColor(grey, grey, grey).filled());
        canvas.draw(&dot).map_err(io::Error::other)?;
    }
    Ok(())
}

/// The class, and the true one on a second line.
fn draw_caption(canvas: &Canvas, caption: &Caption, center: usize, top: usize) -> io::Result<()> {
    let color = if caption.is_wrong() { RED } else { BLACK };
    write_line(canvas, &caption.class, center, top, 16, color)?;
    match &caption.truth {
        Some(truth) => write_line(canvas, &format!("(true: {truth})"), center, top + LINE_HEIGHT, 15, color),
        None => Ok(()),
    }
}

/// A line of text, its top in the middle at the given place.
fn write_line(
    canvas: &Canvas,
    text: &str,
    center: usize,
    top: usize,
    size: u32,
    color: RGBColor,
) -> io::Result<()> {
    let style = (FONT_NAME, size).into_font().color(&color).pos(Pos::new(HPos::Center, VPos::Top));
    canvas.draw(&Text::new(text, (center as i32, top as i32), style)).map_err(io::Error::other)
}

fn write_png(path: &Path, pixels: &[u8]) -> io::Result<()> {
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), WIDTH as u32, HEIGHT as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    Ok(writer.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digits;

    /// The red, green and blue of a place in a picture.
    fn color(pixels: &[u8], left: usize, top: usize) -> [u8; 3] {
        let start = (top * WIDTH + left) * 3;
        [pixels[start], pixels[start + 1], pixels[start + 2]]
    }

    fn drawn(captions: &[Caption]) -> Vec<u8> {
        let mut pixels = vec![0; WIDTH * HEIGHT * 3];
        draw(&mut pixels, "title", &digits::load().unwrap().train, captions).unwrap();
        pixels
    }

    #[test]
    fn images_are_dark_on_white_in_their_places() {
        let set = digits::load().unwrap().train;
        let pixels = drawn(&vec![Caption::label("class"); 30]);
        for index in [0, 7, 24] {
            let (left, top) = (
                GAP + index % 5 * (IMAGE_SIDE + GAP),
                TITLE_HEIGHT + index / 5 * (IMAGE_SIDE + CAPTION_HEIGHT),
            );
            for position in 0..SIDE * SIDE {
                let grey = 255 - (u32::from(set.image(index)[position]) * 255 / 16) as u8;
                let (row, column) = (position / SIDE, position % SIDE);
                for within in [0, ZOOM - 1] {
                    let place = (left + column * ZOOM + within, top + row * ZOOM + within);
                    assert_eq!(
                        color(&pixels, place.0, place.1),
                        [grey; 3],
                        "image {index}, pixel {position}"
                    );
                }
            }
        }
    }

    #[test]
    fn captions_need_no_font_of_the_system_and_wrong_ones_are_red() {
        let is_red = |pixel: &[u8]| pixel[0] >= 200 && pixel[1] == 0 && pixel[2] == 0;
        let is_black = |pixel: &[u8]| pixel == [0; 3];
        let below = |caption: Caption| {
            let pixels = drawn(&[caption]);
            let rows = TITLE_HEIGHT + IMAGE_SIDE + 3..TITLE_HEIGHT + IMAGE_SIDE + CAPTION_HEIGHT;
            pixels[rows.start * WIDTH * 3..rows.end * WIDTH * 3].to_vec()
        };
        let right = below(Caption::prediction("Bag", "Bag"));
        assert!(right.chunks(3).any(is_black) && !right.chunks(3).any(is_red));
        let wrong = below(Caption::prediction("Bag", "Coat"));
        assert!(wrong.chunks(3).any(is_red) && !wrong.chunks(3).any(is_black));
        assert_ne!(wrong, below(Caption::prediction("Bag", "Dress")), "the true class is told");
    }

    #[test]
    fn the_file_is_a_png_of_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digits.png");
        let set = digits::load().unwrap().test;
        write(&path, "Ten", &set, &vec![Caption::label("7"); 10]).unwrap();
        let decoder = png::Decoder::new(io::BufReader::new(File::open(&path).unwrap()));
        let info = decoder.read_info().unwrap();
        assert_eq!((info.info().width as usize, info.info().height as usize), (WIDTH, HEIGHT));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_found_out_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.png");
        check_writable(&path).unwrap();
        assert!(!path.exists(), "no trace");
        fs::write(&path, "old").unwrap();
        check_writable(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        for path in [folder.path().to_owned(), folder.path().join("absent/picture.png")] {
            let message = check_writable(&path).unwrap_err().to_string();
            assert!(message.starts_with(&path.display().to_string()), "{message}");
            assert!(write(&path, "", &digits::load().unwrap().test, &[]).is_err());
        }
    }
}
