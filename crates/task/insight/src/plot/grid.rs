//! Pictures side by side.

use imaging::{Channels, Picture, Pixels};

use super::canvas::{Anchor, Canvas, FAINT, INK, Rgb, Type, shortened, text_width};
use super::colours::Colours;
use super::ticks::Ticks;

const TEXT: f32 = 14.0;
const TITLE: f32 = 19.0;
const GAP: usize = 14;
/// Room for a caption above its panel.
const CAPTION: usize = 22;

/// One picture of a [`Grid`].
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Above it; cut to its width.
    pub caption: String,
    /// At its own size.
    pub picture: Picture,
}

impl Panel {
    /// A picture and what stands above it.
    pub fn new(caption: impl Into<String>, picture: Picture) -> Self {
        Self { caption: caption.into(), picture }
    }
}

/// What the colours of a heat map stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColourBar {
    /// The map.
    pub colours: Colours,
    /// What its ends stand for.
    pub range: [f64; 2],
}

/// Pictures in rows, with a title and a colour bar if there is anything to read
/// off.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// Above everything; nothing if empty.
    pub title: String,
    /// Below the title, smaller.
    pub subtitle: String,
    /// Pictures a row; at least 1.
    pub columns: usize,
    /// The pictures, row by row.
    pub panels: Vec<Panel>,
    /// To the right.
    pub bar: Option<ColourBar>,
}

impl Grid {
    /// Draws the grid, as large as its pictures need.
    pub fn draw(&self) -> Picture {
        let columns = self.columns.clamp(1, self.panels.len().max(1));
        let rows: Vec<&[Panel]> = self.panels.chunks(columns).collect();
        let cell = self.panels.iter().map(|p| p.picture.width()).max().unwrap_or(1);
        let captions = self.panels.iter().any(|p| !p.caption.is_empty());
        let caption = if captions { CAPTION } else { 0 };
        let tall = |row: &[Panel]| row.iter().map(|p| p.picture.height()).max().unwrap_or(0);
        let top = self.head();
        let height: usize = rows.iter().map(|row| tall(row) + caption + GAP).sum();
        let bar = self.bar.map_or(0, |bar| bar.width() + GAP);
        let pictures = columns * (cell + GAP) + GAP;
        let mut canvas = Canvas::new([(pictures + bar).max(self.text_room()), top + height + GAP]);
        self.titles(&mut canvas);
        let mut y = top + GAP;
        for row in rows {
            for (column, panel) in row.iter().enumerate() {
                let x = GAP + column * (cell + GAP);
                let text = shortened(&panel.caption, TEXT, (cell + GAP / 2) as f32);
                let above = [x as f32, y as f32 + CAPTION as f32 / 2.0 - 2.0];
                canvas.text(above, &text, Type::new(TEXT, Anchor::Left));
                canvas.picture([x, y + caption], &panel.picture);
            }
            y += tall(row) + caption + GAP;
        }
        if let Some(bar) = self.bar {
            let first = rows_height(&self.panels[..columns.min(self.panels.len())]);
            bar.draw(&mut canvas, [pictures as f32, (top + GAP + caption) as f32], first as f32);
        }
        canvas.into_picture()
    }

    fn head(&self) -> usize {
        let lines = [(&self.title, 34), (&self.subtitle, 20)];
        lines.iter().filter(|(text, _)| !text.is_empty()).map(|(_, height)| height).sum()
    }

    fn text_room(&self) -> usize {
        let wide = text_width(&self.title, TITLE).max(text_width(&self.subtitle, TEXT));
        wide.ceil() as usize + 2 * GAP
    }

    fn titles(&self, canvas: &mut Canvas) {
        let left = GAP as f32;
        canvas.text([left, 24.0], &self.title, Type::new(TITLE, Anchor::Left));
        let y = if self.title.is_empty() { 18.0 } else { 46.0 };
        let grey = Type { colour: [90; 3], ..Type::new(TEXT, Anchor::Left) };
        canvas.text([left, y], &self.subtitle, grey);
    }
}

fn rows_height(row: &[Panel]) -> usize {
    row.iter().map(|p| p.picture.height()).max().unwrap_or(1)
}

impl ColourBar {
    const THICK: f32 = 16.0;

    fn ticks(&self) -> Ticks {
        Ticks::holding(self.range.into_iter(), 5)
    }

    fn width(&self) -> usize {
        let ticks = self.ticks();
        let labels = ticks.marks().into_iter().map(|m| text_width(&ticks.label(m), TEXT));
        (Self::THICK + 10.0 + labels.fold(0.0, f32::max)).ceil() as usize
    }

    fn draw(&self, canvas: &mut Canvas, [x, y]: [f32; 2], height: f32) {
        let rows = height.max(1.0) as usize;
        for row in 0..rows {
            let value = 1.0 - row as f32 / (rows.max(2) - 1) as f32;
            canvas.fill([x, y + row as f32, Self::THICK, 1.0], self.colours.of(value));
        }
        canvas.frame([x, y, Self::THICK, rows as f32], (FAINT, 1.0));
        let ticks = self.ticks();
        for mark in ticks.marks() {
            let at = y + (1.0 - ticks.share(mark)) * rows as f32;
            canvas.line(&[[x + Self::THICK, at], [x + Self::THICK + 4.0, at]], (INK, 1.0));
            let beside = [x + Self::THICK + 8.0, at];
            canvas.text(beside, &ticks.label(mark), Type::new(TEXT, Anchor::Left));
        }
    }
}

/// Values as colours, a pixel each: `low` and `high` take the ends of the map.
/// Where they are equal, everything takes the lower end.
///
/// # Panics
///
/// If there are not `height · width` values, or none.
pub fn heatmap(
    values: &[f32],
    size: [usize; 2],
    [low, high]: [f32; 2],
    colours: Colours,
) -> Picture {
    let span = if high > low { high - low } else { f32::INFINITY };
    rgb_picture(size, values.iter().map(|v| colours.of((v - low) / span)).collect())
}

/// A picture of such pixels.
///
/// # Panics
///
/// If there are not `height · width` of them, or none.
pub fn rgb_picture(size: [usize; 2], pixels: Vec<Rgb>) -> Picture {
    Picture::new(size, Channels::Rgb, Pixels::U8(pixels.into_flattened()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::canvas::rgb_bytes;

    #[test]
    fn panels_stand_where_they_belong() {
        let plain = |v: u8| rgb_picture([10, 20], vec![[v, 0, 0]; 200]);
        let grid = Grid {
            columns: 2,
            panels: [50, 100, 150].map(|v| Panel::new("", plain(v))).to_vec(),
            ..Grid::default()
        };
        let picture = grid.draw();
        assert_eq!(picture.size(), [2 * GAP + 2 * 10 + GAP, GAP + 2 * (20 + GAP)]);
        let at = |x: usize, y: usize| rgb_bytes(&picture)[y * picture.width() + x][0];
        let (first, second) = (GAP + 3, 2 * GAP + 10 + 3);
        assert_eq!([at(first, first), at(first + 20 + GAP, first)], [50, 100]);
        assert_eq!([at(first, second), at(first + 20 + GAP, second)], [150, 255]);
    }

    #[test]
    fn a_colour_bar_and_titles_take_room() {
        let map = heatmap(&[0.0, 0.5, 1.0, f32::NAN], [2, 2], [0.0, 1.0], Colours::Viridis);
        assert_eq!(rgb_bytes(&map)[0], Colours::Viridis.of_level(0));
        assert_eq!(rgb_bytes(&map)[3], [128; 3]);
        let bar = ColourBar { colours: Colours::Viridis, range: [0.0, 1.0] };
        let panels = vec![Panel::new("a", map)];
        let plain = Grid { panels: panels.clone(), columns: 1, ..Grid::default() }.draw();
        let full =
            Grid { title: "A title".into(), bar: Some(bar), panels, columns: 1, ..Grid::default() };
        let [height, width] = full.draw().size();
        assert!(height > plain.height() && width > plain.width());
        assert_eq!(Grid::default().draw().size()[1], 2 * GAP + 1 + GAP - GAP);
    }
}
