//! A curve for each number of threads, and its floor, as an SVG file.

use std::error::Error;
use std::path::Path;

use plotters::backend::SVGBackend;
use plotters::chart::ChartBuilder;
use plotters::coord::combinators::IntoLogRange;
use plotters::drawing::IntoDrawingArea;
use plotters::element::{Circle, PathElement};
use plotters::series::{DashedLineSeries, LineSeries};
use plotters::style::{BLACK, Color, FontStyle, IntoFont, RGBColor, ShapeStyle, WHITE, register_font};

/// DejaVu Sans without all but ASCII: see `font/README.md`.
const FONT: &[u8] = include_bytes!("../../font/DejaVuSans-ascii.ttf");
const FONT_NAME: &str = "DejaVu Sans";

const SIZE: (u32, u32) = (640, 420);
const COLORS: [RGBColor; 2] = [RGBColor(31, 119, 180), RGBColor(214, 90, 20)];

/// Times of steps by one number of threads.
pub struct Curve {
    pub threads: usize,
    pub points: Vec<Point>,
}

/// A step of some size.
#[derive(Clone, Copy)]
pub struct Point {
    /// Examples in a batch, features, or layers.
    pub size: usize,
    /// Seconds of a step.
    pub seconds: f64,
    /// Seconds at the machine's peak.
    pub floor: f64,
}

/// Draws the curves on logarithmic axes.
pub fn draw(path: &Path, title: &str, size: &str, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
    register_font(FONT_NAME, FontStyle::Normal, FONT).map_err(|_| "the font cannot be read")?;
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let sizes = points().map(|point| point.size as f64);
    let (first, last) = (sizes.clone().fold(f64::INFINITY, f64::min), sizes.fold(0.0, f64::max));
    let lowest = points().map(|point| 1e6 * point.floor.min(point.seconds)).fold(f64::INFINITY, f64::min);
    let highest = points().map(|point| 1e6 * point.seconds).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, (FONT_NAME, 17))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(
            (first..last * 1.001).log_scale().base(2.0),
            (0.8 * lowest..1.3 * highest).log_scale(),
        )?;
    chart
        .configure_mesh()
        .label_style((FONT_NAME, 13))
        .axis_desc_style((FONT_NAME, 14))
        .x_desc(size)
        .y_desc("us a step")
        .x_labels(12)
        .x_label_formatter(&|size| format!("{size:.0}"))
        .y_label_formatter(&|time| format!("{time}"))
        .light_line_style(WHITE)
        .draw()?;
    for (curve, color) in curves.iter().zip(COLORS) {
        let style = ShapeStyle { color: color.to_rgba(), filled: true, stroke_width: 2 };
        let measured = curve.points.iter().map(|point| (point.size as f64, 1e6 * point.seconds));
        let floor = curve.points.iter().map(|point| (point.size as f64, 1e6 * point.floor));
        chart
            .draw_series(LineSeries::new(measured.clone(), style))?
            .label(match curve.threads {
                1 => "1 thread (dashed: at peak)".to_string(),
                threads => format!("{threads} threads"),
            })
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        chart.draw_series(measured.map(|place| Circle::new(place, 3, style)))?;
        chart.draw_series(DashedLineSeries::new(floor, 5, 4, color.stroke_width(1)))?;
    }
    let legend = (FONT_NAME, 13).into_font();
    chart
        .configure_series_labels()
        .label_font(legend)
        .background_style(WHITE)
        .border_style(BLACK.mix(0.3))
        .position(plotters::chart::SeriesLabelPosition::UpperLeft)
        .draw()?;
    Ok(area.present()?)
}
