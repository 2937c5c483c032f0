//! Line charts.

use imaging::Picture;

use super::canvas::{Anchor, Canvas, FAINT, Frame, INK, Rgb, Type, text_width};
use super::ticks::Ticks;

/// The first colours of matplotlib's `tab10`, which most readers can tell apart.
const INKS: [Rgb; 6] =
    [[31, 119, 180], [255, 127, 14], [44, 160, 44], [214, 39, 40], [148, 103, 189], [140, 86, 75]];

const TEXT: f32 = 14.0;
const TITLE: f32 = 19.0;

/// How a line is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stroke {
    /// In one.
    #[default]
    Solid,
    /// As dashes: for what is measured beside the main thing.
    Dashed,
    /// Points that nothing connects.
    Dots,
}

/// One line of a [`Chart`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// `x` and `y`. A point that is no number is a gap.
    pub points: Vec<[f64; 2]>,
    /// How it is drawn.
    pub stroke: Stroke,
    /// Its colour; without one, the next of a fixed row.
    pub colour: Option<Rgb>,
}

impl Series {
    /// Values at 1, 2, 3, …: one for each epoch.
    pub fn new(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let points = values.into_iter().zip(1u32..).map(|(y, x)| [f64::from(x), y]).collect();
        Self { name: name.into(), points, ..Self::default() }
    }

    /// The same, dashed.
    #[must_use]
    pub fn dashed(self) -> Self {
        Self { stroke: Stroke::Dashed, ..self }
    }
}

/// A line chart with axes, and a legend if there are several lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// Above everything.
    pub title: String,
    /// Below the horizontal axis.
    pub x_label: String,
    /// Above the vertical axis.
    pub y_label: String,
    /// The lines, those drawn first first.
    pub series: Vec<Series>,
    /// Ends of the vertical axis. Without them, it holds all values.
    pub y_range: Option<[f64; 2]>,
}

struct Axes {
    x: Ticks,
    y: Ticks,
    frame: Frame,
}

impl Axes {
    fn place(&self, [x, y]: [f64; 2]) -> [f32; 2] {
        let [left, top, width, height] = self.frame;
        [left + self.x.share(x) * width, top + (1.0 - self.y.share(y)) * height]
    }
}

impl Chart {
    /// Draws the chart, `[width, height]` pixels.
    pub fn draw(&self, size: [usize; 2]) -> Picture {
        let mut canvas = Canvas::new(size);
        let axes = self.axes(size);
        self.labels(&mut canvas, &axes);
        for (index, series) in self.series.iter().enumerate() {
            draw_series(&mut canvas, &axes, (series, ink(series, index)));
        }
        if self.series.len() > 1 {
            self.legend(&mut canvas, &axes);
        }
        canvas.into_picture()
    }

    fn axes(&self, [width, height]: [usize; 2]) -> Axes {
        let values = |axis: usize| self.series.iter().flat_map(|s| &s.points).map(move |p| p[axis]);
        let [width, height] = [width, height].map(|side| side as f32);
        let x = Ticks::holding(values(0), (width / 90.0) as usize);
        let is_whole = values(0).all(|v| v.fract() == 0.0);
        let x = if is_whole { x.whole() } else { x };
        let most = (height / 60.0) as usize;
        let y = match self.y_range {
            Some(ends) => Ticks::holding(ends.into_iter(), most),
            None => Ticks::holding(values(1), most).rounded(),
        };
        let labels = y.marks().into_iter().map(|m| text_width(&y.label(m), TEXT));
        let left = 22.0 + labels.fold(0.0, f32::max);
        let top = if self.y_label.is_empty() { 46.0 } else { 66.0 };
        let bottom = if self.x_label.is_empty() { 34.0 } else { 56.0 };
        Axes { x, y, frame: [left, top, width - left - 22.0, height - top - bottom] }
    }

    fn labels(&self, canvas: &mut Canvas, axes: &Axes) {
        let [left, top, width, height] = axes.frame;
        let (right, bottom) = (left + width, top + height);
        canvas.text([left, 24.0], &self.title, Type::new(TITLE, Anchor::Left));
        canvas.text([left, top - 18.0], &self.y_label, Type::new(TEXT, Anchor::Left));
        let below = [left + width / 2.0, bottom + 40.0];
        canvas.text(below, &self.x_label, Type::new(TEXT, Anchor::Middle));
        for mark in axes.y.marks() {
            let [_, y] = axes.place([axes.x.low, mark]);
            canvas.line(&[[left, y], [right, y]], (FAINT, 1.0));
            let label = axes.y.label(mark);
            canvas.text([left - 8.0, y], &label, Type::new(TEXT, Anchor::Right));
        }
        for mark in axes.x.marks() {
            let [x, _] = axes.place([mark, axes.y.low]);
            canvas.line(&[[x, bottom], [x, bottom + 5.0]], (INK, 1.0));
            let label = axes.x.label(mark);
            canvas.text([x, bottom + 17.0], &label, Type::new(TEXT, Anchor::Middle));
        }
        canvas.line(&[[left, bottom], [right, bottom]], (INK, 1.0));
    }

    /// In the corner that the lines leave free.
    fn legend(&self, canvas: &mut Canvas, axes: &Axes) {
        let names = self.series.iter().map(|s| text_width(&s.name, TEXT));
        let (width, height) =
            (names.fold(0.0, f32::max) + 52.0, self.series.len() as f32 * 21.0 + 10.0);
        let [left, top, full_width, full_height] = axes.frame;
        let (right, bottom) = (left + full_width - width - 8.0, top + full_height - height - 8.0);
        let corners =
            [[right, top + 8.0], [right, bottom], [left + 8.0, top + 8.0], [left + 8.0, bottom]];
        let points = || self.series.iter().flat_map(|s| &s.points).map(|&p| axes.place(p));
        let covered = |[x, y]: &[f32; 2]| {
            let inside = |[px, py]: &[f32; 2]| {
                (x - 6.0..x + width + 6.0).contains(px) && (y - 6.0..y + height + 6.0).contains(py)
            };
            points().filter(|p| inside(p)).count()
        };
        let [x, y] = corners.into_iter().min_by_key(covered).unwrap_or(corners[0]);
        canvas.fill([x, y, width, height], [250; 3]);
        canvas.frame([x, y, width, height], (FAINT, 1.0));
        for (index, series) in self.series.iter().enumerate() {
            let y = y + 16.0 + index as f32 * 21.0;
            let sample = [[x + 10.0, y], [x + 36.0, y]];
            stroke(canvas, &sample, (series.stroke, ink(series, index)));
            canvas.text([x + 44.0, y], &series.name, Type::new(TEXT, Anchor::Left));
        }
    }
}

fn ink(series: &Series, index: usize) -> Rgb {
    series.colour.unwrap_or(INKS[index % INKS.len()])
}

fn draw_series(canvas: &mut Canvas, axes: &Axes, (series, rgb): (&Series, Rgb)) {
    let [left, top, width, height] = axes.frame;
    let places: Vec<[f32; 2]> = series
        .points
        .iter()
        .map(|&point| axes.place(point))
        .map(|[x, y]| [x.clamp(left, left + width), y.clamp(top, top + height)])
        .collect();
    stroke(canvas, &places, (series.stroke, rgb));
    if let [only] = places[..]
        && only.iter().all(|v| v.is_finite())
    {
        canvas.dot(only, (rgb, 3.5));
    }
}

fn stroke(canvas: &mut Canvas, places: &[[f32; 2]], (stroke, rgb): (Stroke, Rgb)) {
    match stroke {
        Stroke::Solid => canvas.line(places, (rgb, 2.0)),
        Stroke::Dashed => dashes(canvas, places, rgb),
        Stroke::Dots => {
            for &place in places.iter().filter(|p| p.iter().all(|v| v.is_finite())) {
                canvas.dot(place, (rgb, 2.5));
            }
        }
    }
}

/// Dashes of one length along the whole line, around its corners too.
fn dashes(canvas: &mut Canvas, places: &[[f32; 2]], rgb: Rgb) {
    const DASH: f32 = 7.0;
    let mut walked = 0.0;
    for pair in places.windows(2) {
        let [dx, dy] = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]];
        let length = dx.hypot(dy);
        let at = |way: f32| [pair[0][0] + dx * way / length, pair[0][1] + dy * way / length];
        let mut way = 0.0;
        while way < length {
            let next = (way + DASH - walked % DASH).min(length);
            if ((walked / DASH) as u32).is_multiple_of(2) {
                canvas.line(&[at(way), at(next)], (rgb, 2.0));
            }
            walked += (next - way).max(1e-3);
            way = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::canvas::rgb_bytes;

    #[test]
    fn a_rising_line_rises() {
        let chart = Chart {
            title: "Rise".into(),
            series: vec![Series::new("a", (0..20).map(f64::from))],
            ..Chart::default()
        };
        let picture = chart.draw([300, 200]);
        let pixels = rgb_bytes(&picture);
        let row_of = |column: usize| (0..200).find(|y| pixels[y * 300 + column] == INKS[0]);
        let (left, right) = (row_of(60).unwrap(), row_of(250).unwrap());
        assert!(left > right + 60, "{left}, {right}");
    }

    #[test]
    fn gaps_nothing_and_one_point_can_be_drawn() {
        let with = |series: Vec<Series>| Chart { series, ..Chart::default() }.draw([200, 150]);
        let empty = with(vec![]);
        let gap = with(vec![Series::new("a", [1.0, f64::NAN, 2.0]).dashed()]);
        let one = with(vec![Series::new("a", [0.5])]);
        assert_eq!([empty.size(), gap.size(), one.size()], [[150, 200]; 3]);
        let coloured = |p: &Picture| rgb_bytes(p).iter().filter(|c| **c == INKS[0]).count();
        assert!(coloured(&one) > 10 && coloured(&empty) == 0);
    }
}
