//! Where boxes and lines lie.

use std::fmt::Write;

use imaging::Picture;

use super::Diagram;
use crate::plot::{Anchor, Canvas, Rgb, Type, text_width};

const ROW: f32 = 58.0;
const TALL: f32 = 40.0;
const TEXT: f32 = 13.0;
const SMALL: f32 = 11.5;
const MARGIN: f32 = 20.0;
/// From one line beside the boxes to the next.
const LANE: f32 = 12.0;
const TITLE: f32 = 44.0;
const LINE: Rgb = [110, 110, 120];

/// A diagram laid out. Each box has a row of its own. A line to the next row goes
/// straight down; a longer one leaves to the right, past what it skips.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    title: String,
    size: [f32; 2],
    boxes: Vec<Placed>,
    lines: Vec<Vec<[f32; 2]>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Placed {
    /// Left, top, width, height.
    frame: [f32; 4],
    fill: Rgb,
    name: String,
    size: String,
    what: String,
    params: String,
}

/// One colour for each family of operations.
pub(super) fn colour(kind: &str) -> Rgb {
    match kind {
        "input" => [226, 226, 230],
        "conv" | "conv_transpose" => [200, 220, 245],
        "linear" => [250, 222, 190],
        "max_pool" | "avg_pool" | "adaptive_avg_pool" | "resize" => [208, 238, 208],
        "add" | "mul" | "concat" => [246, 208, 214],
        _ => [240, 236, 216],
    }
}

impl Scene {
    pub(super) fn of(diagram: &Diagram) -> Self {
        let widest = diagram.boxes.iter().map(room).fold(220.0, f32::max);
        let left = MARGIN;
        let boxes: Vec<Placed> = diagram
            .boxes
            .iter()
            .enumerate()
            .map(|(row, layer)| Placed {
                frame: [left, TITLE + row as f32 * ROW, widest, TALL],
                fill: colour(layer.kind),
                name: layer.name.clone(),
                size: layer.size(),
                what: layer.what.clone(),
                params: if layer.params > 0 { grouped(layer.params) } else { String::new() },
            })
            .collect();
        let (lines, beside) = lines(diagram, &boxes);
        let width = left + widest + (beside as f32 + 1.0) * LANE + MARGIN;
        let height = TITLE + boxes.len() as f32 * ROW;
        let title = diagram.network.clone();
        Self {
            size: [width.max(text_width(&title, 18.0) + 2.0 * MARGIN), height],
            title,
            boxes,
            lines,
        }
    }

    /// As SVG.
    pub fn svg(&self) -> String {
        let [width, height] = self.size;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" \
             font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"{TEXT}\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        self.lines.iter().for_each(|line| write_line(&mut out, line));
        self.boxes.iter().for_each(|placed| write_box(&mut out, placed));
        write_text(&mut out, ([MARGIN, 22.0], 18.0, Anchor::Left, &self.title));
        let texts = self.boxes.iter().flat_map(Placed::texts);
        texts.for_each(|text| write_text(&mut out, text));
        out.push_str("</svg>\n");
        out
    }

    /// As a picture.
    pub fn picture(&self) -> Picture {
        let mut canvas = Canvas::new(self.size.map(|s| s.ceil() as usize));
        canvas.text([MARGIN, 22.0], &self.title, Type::new(18.0, Anchor::Left));
        for line in &self.lines {
            canvas.line(line, (LINE, 1.5));
            let [a, b, c] = tip(line);
            canvas.line(&[a, b, c, a], (LINE, 1.5));
        }
        for placed in &self.boxes {
            canvas.fill(placed.frame, placed.fill);
            canvas.frame(placed.frame, (LINE, 1.0));
            for (at, size, anchor, words) in placed.texts() {
                canvas.text(at, words, Type::new(size, anchor));
            }
        }
        canvas.into_picture()
    }
}

// To a string: writing there cannot fail.

fn write_line(svg: &mut String, line: &[[f32; 2]]) {
    let points = |points: &[[f32; 2]]| {
        points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
    };
    let (path, tip) = (points(line), points(&tip(line)));
    let _ = writeln!(
        svg,
        "<polyline points=\"{path}\" fill=\"none\" stroke=\"#6e6e78\" stroke-width=\"1.5\"/>"
    );
    let _ = writeln!(svg, "<polygon points=\"{tip}\" fill=\"#6e6e78\"/>");
}

fn write_box(svg: &mut String, placed: &Placed) {
    let ([x, y, w, h], [r, g, b]) = (placed.frame, placed.fill);
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h}\" rx=\"5\" \
         fill=\"#{r:02x}{g:02x}{b:02x}\" stroke=\"#6e6e78\"/>"
    );
}

fn write_text(svg: &mut String, (at, size, anchor, words): Text<'_>) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let anchor = if anchor == Anchor::Left { "start" } else { "end" };
    let (x, y) = (at[0], at[1] + size * 0.35);
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}

/// Where its middle is, how high it is, which of its ends is there, and what it says.
type Text<'a> = ([f32; 2], f32, Anchor, &'a str);

impl Placed {
    /// Name and shape above, what it does and its parameters below.
    fn texts(&self) -> [Text<'_>; 4] {
        let [x, y, w, _] = self.frame;
        let (left, right) = (x + 10.0, x + w - 10.0);
        [
            ([left, y + 12.5], TEXT, Anchor::Left, &self.name),
            ([right, y + 12.5], TEXT, Anchor::Right, &self.size),
            ([left, y + 29.0], SMALL, Anchor::Left, &self.what),
            ([right, y + 29.0], SMALL, Anchor::Right, &self.params),
        ]
    }
}

/// Pixels that a box's texts need.
fn room(layer: &super::LayerBox) -> f32 {
    let above = text_width(&layer.name, TEXT) + text_width(&layer.size(), TEXT);
    let below = text_width(&layer.what, SMALL) + text_width(&grouped(layer.params), SMALL);
    above.max(below) + 50.0
}

/// All lines, and how many lanes beside the boxes they take: the shorter a line, the
/// nearer its lane, and no two that overlap share one.
fn lines(diagram: &Diagram, boxes: &[Placed]) -> (Vec<Vec<[f32; 2]>>, usize) {
    let mut edges: Vec<[usize; 2]> = vec![];
    for (to, layer) in diagram.boxes.iter().enumerate() {
        edges.extend(layer.reads.iter().map(|&from| [from, to]));
    }
    edges.sort_by_key(|[from, to]| (to - from, *from));
    let mut lanes: Vec<Vec<[usize; 2]>> = vec![];
    let mut drawn = vec![];
    for [from, to] in edges {
        let ([x, y, w, h], [_, below, ..]) = (boxes[from].frame, boxes[to].frame);
        if to == from + 1 {
            let middle = x + w / 2.0;
            drawn.push(vec![[middle, y + h], [middle, below]]);
            continue;
        }
        let free = |taken: &Vec<[usize; 2]>| taken.iter().all(|[a, b]| to <= *a || from >= *b);
        let lane = lanes.iter().position(free).unwrap_or(lanes.len());
        if lane == lanes.len() {
            lanes.push(vec![]);
        }
        lanes[lane].push([from, to]);
        let beside = x + w + (lane as f32 + 1.0) * LANE;
        let (out, into) = (y + h * 0.75, below + h * 0.25);
        drawn.push(vec![[x + w, out], [beside, out], [beside, into], [x + w, into]]);
    }
    (drawn, lanes.len())
}

/// The arrow's tip at the end of a line.
fn tip(line: &[[f32; 2]]) -> [[f32; 2]; 3] {
    let (end, before) = (line[line.len() - 1], line[line.len() - 2]);
    let way = [end[0] - before[0], end[1] - before[1]];
    let length = way[0].hypot(way[1]).max(1e-3);
    let [dx, dy] = [way[0] / length, way[1] / length];
    let base = [end[0] - dx * 6.0, end[1] - dy * 6.0];
    [end, [base[0] - dy * 3.5, base[1] + dx * 3.5], [base[0] + dy * 3.5, base[1] - dx * 3.5]]
}

fn grouped(n: usize) -> String {
    crate::summary::grouped(n)
}
