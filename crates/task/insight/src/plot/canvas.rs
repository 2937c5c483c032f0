//! A sheet to draw on: rectangles, lines, pictures and text.

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use imaging::{Channels, Picture, Pixels};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, PixmapPaint, PixmapRef, Rect,
    Stroke, Transform,
};

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// Ink for text and axes.
pub(crate) const INK: Rgb = [30, 30, 34];
/// Ink for what should not be in the foreground.
pub(crate) const FAINT: Rgb = [222, 222, 226];
pub(crate) const PAPER: Rgb = [255; 3];

/// DejaVu Sans 2.37, cut down by `assets/make.py`; its licence lies beside it.
const FONT: &[u8] = include_bytes!("../../assets/DejaVuSans.ttf");

/// Which point of a text stands at the place it is drawn at; vertically it is
/// always the middle of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Left,
    Middle,
    Right,
}

/// How a text is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Type {
    /// Height of a line in pixels.
    pub(crate) size: f32,
    pub(crate) colour: Rgb,
    pub(crate) anchor: Anchor,
}

impl Type {
    pub(crate) fn new(size: f32, anchor: Anchor) -> Self {
        Self { size, colour: INK, anchor }
    }
}

/// `x`, `y`, width and height in pixels.
pub(crate) type Frame = [f32; 4];

pub(crate) struct Canvas(Pixmap);

impl Canvas {
    /// White paper, at least one pixel each way.
    pub(crate) fn new([width, height]: [usize; 2]) -> Self {
        let [width, height] = [width, height].map(|side| side.clamp(1, 1 << 15) as u32);
        let mut pixmap = Pixmap::new(width, height).unwrap_or_else(|| unreachable!("small sides"));
        pixmap.fill(colour(PAPER));
        Self(pixmap)
    }

    pub(crate) fn fill(&mut self, [x, y, width, height]: Frame, rgb: Rgb) {
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            self.0.fill_rect(rect, &paint(rgb), Transform::identity(), None);
        }
    }

    /// The outline of a rectangle.
    pub(crate) fn frame(&mut self, [x, y, width, height]: Frame, (rgb, pen): (Rgb, f32)) {
        let corners = [[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]];
        self.line(&corners, (rgb, pen));
    }

    /// A line through points; breaks at those that are no numbers.
    pub(crate) fn line(&mut self, points: &[[f32; 2]], (rgb, width): (Rgb, f32)) {
        for run in points.split(|[x, y]| !(x.is_finite() && y.is_finite())) {
            let mut path = PathBuilder::new();
            for (i, &[x, y]) in run.iter().enumerate() {
                if i == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
            }
            let Some(path) = path.finish() else { continue };
            let stroke = Stroke {
                width,
                line_cap: LineCap::Round,
                line_join: LineJoin::Round,
                ..Stroke::default()
            };
            self.0.stroke_path(&path, &paint(rgb), &stroke, Transform::identity(), None);
        }
    }

    pub(crate) fn dot(&mut self, [x, y]: [f32; 2], (rgb, radius): (Rgb, f32)) {
        if let Some(circle) = PathBuilder::from_circle(x, y, radius) {
            let (paint, rule) = (paint(rgb), FillRule::Winding);
            self.0.fill_path(&circle, &paint, rule, Transform::identity(), None);
        }
    }

    /// A picture at its own size, its top left corner here.
    pub(crate) fn picture(&mut self, [x, y]: [usize; 2], picture: &Picture) {
        let rgb = rgb_bytes(picture);
        let rgba: Vec<u8> = rgb.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
        let [height, width] = picture.size();
        if let Some(pixmap) = PixmapRef::from_bytes(&rgba, width as u32, height as u32) {
            let (paint, identity) = (PixmapPaint::default(), Transform::identity());
            self.0.draw_pixmap(x as i32, y as i32, pixmap, &paint, identity, None);
        }
    }

    /// One line of text around a height.
    pub(crate) fn text(&mut self, [x, y]: [f32; 2], text: &str, set: Type) {
        let font = font();
        let scaled = font.as_scaled(PxScale::from(set.size));
        let x = match set.anchor {
            Anchor::Left => x,
            Anchor::Middle => x - text_width(text, set.size) / 2.0,
            Anchor::Right => x - text_width(text, set.size),
        };
        // The middle of a line of small letters and figures, not of the whole line box.
        let baseline = y + (scaled.ascent() + scaled.descent()) * 0.5;
        for glyph in glyphs(text, set.size, [x, baseline.round()]) {
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            outline.draw(|dx, dy, share| {
                let at = [corner.x as i32 + dx as i32, corner.y as i32 + dy as i32];
                self.blend(at, (set.colour, share));
            });
        }
    }

    fn blend(&mut self, [x, y]: [i32; 2], (rgb, share): (Rgb, f32)) {
        let (width, height) = (self.0.width() as i32, self.0.height() as i32);
        if x < 0 || y < 0 || x >= width || y >= height {
            return;
        }
        let at = (y * width + x) as usize * 4;
        for (value, ink) in self.0.data_mut()[at..at + 3].iter_mut().zip(rgb) {
            let share = share.clamp(0.0, 1.0);
            *value = (f32::from(*value) * (1.0 - share) + f32::from(ink) * share).round() as u8;
        }
    }

    pub(crate) fn into_picture(self) -> Picture {
        let size = [self.0.height() as usize, self.0.width() as usize];
        let rgb = self.0.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        Picture::new(size, Channels::Rgb, Pixels::U8(rgb))
    }
}

/// Pixels that a line of text is wide.
pub(crate) fn text_width(text: &str, size: f32) -> f32 {
    let font = font();
    let scaled = font.as_scaled(PxScale::from(size));
    let last = glyphs(text, size, [0.0, 0.0]).into_iter().last();
    last.map_or(0.0, |glyph| glyph.position.x + scaled.h_advance(glyph.id))
}

/// A text cut to a width, with an ellipsis where something is missing.
pub(crate) fn shortened(text: &str, size: f32, most: f32) -> String {
    if text_width(text, size) <= most {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let short: String = kept.iter().chain(&['…']).collect();
        if text_width(&short, size) <= most {
            return short;
        }
    }
    String::new()
}

fn font() -> FontRef<'static> {
    FontRef::try_from_slice(FONT).unwrap_or_else(|_| unreachable!("the font is in the binary"))
}

fn glyphs(text: &str, size: f32, [mut x, y]: [f32; 2]) -> Vec<Glyph> {
    let font = font();
    let scaled = font.as_scaled(PxScale::from(size));
    let mut placed: Vec<Glyph> = vec![];
    for letter in text.chars() {
        let id = font.glyph_id(letter);
        if let Some(before) = placed.last() {
            x += scaled.kern(before.id, id);
        }
        placed.push(id.with_scale_and_position(size, point(x, y)));
        x += scaled.h_advance(id);
    }
    placed
}

/// A picture's pixels in 8 bits, transparent ones on white.
pub(crate) fn rgb_bytes(picture: &Picture) -> Vec<Rgb> {
    let channels = picture.channels();
    let eight = |v: u16| ((u32::from(v) * 255 + 32_767) / 65_535) as u8;
    let values: Vec<u8> = match picture.pixels() {
        Pixels::U8(values) => values.clone(),
        Pixels::U16(values) => values.iter().map(|&v| eight(v)).collect(),
    };
    let of = |pixel: &[u8]| {
        let rgb = if channels.is_grey() { [pixel[0]; 3] } else { [pixel[0], pixel[1], pixel[2]] };
        let alpha = if channels.has_alpha() { u32::from(pixel[pixel.len() - 1]) } else { 255 };
        rgb.map(|v| ((u32::from(v) * alpha + 255 * (255 - alpha) + 127) / 255) as u8)
    };
    values.chunks_exact(channels.count()).map(of).collect()
}

fn colour([r, g, b]: Rgb) -> Color {
    Color::from_rgba8(r, g, b, 255)
}

fn paint(rgb: Rgb) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(colour(rgb));
    paint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_leaves_ink_where_it_is_set() {
        let mut canvas = Canvas::new([60, 20]);
        canvas.text([30.0, 10.0], "Abc", Type::new(14.0, Anchor::Middle));
        let picture = canvas.into_picture();
        let dark: Vec<usize> =
            (0..1200).filter(|&i| rgb_bytes(&picture)[i][0] < 100).map(|i| i % 60).collect();
        let (left, right) = (dark.iter().min().unwrap(), dark.iter().max().unwrap());
        assert!(dark.len() > 30 && left + right > 50 && left + right < 70, "{left} {right}");
    }

    #[test]
    fn a_long_name_is_shortened_to_its_room() {
        let short = shortened("block17_20_conv_concatenate", 13.0, 90.0);
        assert!(short.ends_with('…') && text_width(&short, 13.0) <= 90.0, "{short}");
        assert_eq!(shortened("relu", 13.0, 90.0), "relu");
        assert_eq!(shortened("relu", 13.0, 1.0), "");
    }

    #[test]
    fn transparency_lies_on_white_and_sixteen_bits_become_eight() {
        let pixels = Pixels::U16(vec![65_535, 0, 0, 0, 0, 0, 0, 65_535]);
        let picture = Picture::new([1, 2], Channels::Rgba, pixels);
        assert_eq!(rgb_bytes(&picture), [[255; 3], [0; 3]]);
    }
}
