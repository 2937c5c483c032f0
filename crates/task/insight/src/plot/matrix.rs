//! A table of counts with the larger ones darker: a confusion matrix.

use imaging::Picture;

use super::canvas::{Anchor, Canvas, INK, PAPER, Rgb, Type, shortened, text_width};

const TEXT: f32 = 14.0;
const TITLE: f32 = 19.0;
/// The widest that a name may be.
const NAME: f32 = 160.0;

/// Counts in rows and columns. For a confusion matrix, a row is a true class and
/// a column what it was taken for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// Above everything.
    pub title: String,
    /// What rows and columns stand for.
    pub axes: [String; 2],
    /// Names of rows and columns alike.
    pub names: Vec<String>,
    /// A row after the other, as many as there are names, as long.
    pub counts: Vec<Vec<usize>>,
}

impl Matrix {
    /// Draws the table. A cell's shade is its share of its row.
    pub fn draw(&self) -> Picture {
        let wide = self.names.iter().map(|n| text_width(n, TEXT).min(NAME)).fold(0.0, f32::max);
        let cell = (wide + 16.0).max(58.0);
        let row = cell.min(58.0);
        let (left, top) = (wide + 34.0, 92.0);
        let side = self.names.len() as f32;
        let room = (text_width(&self.title, TITLE) + 40.0).max(left + side * cell + 18.0);
        let mut canvas = Canvas::new([room as usize, (top + side * row + 18.0) as usize]);
        canvas.text([18.0, 24.0], &self.title, Type::new(TITLE, Anchor::Left));
        let axes = format!("rows: {}, columns: {}", self.axes[0], self.axes[1]);
        let grey = Type { colour: [90; 3], ..Type::new(TEXT, Anchor::Left) };
        canvas.text([18.0, 48.0], &axes, grey);
        for (index, name) in self.names.iter().enumerate() {
            let (at, name) = (index as f32 + 0.5, shortened(name, TEXT, NAME));
            let middle = Type::new(TEXT, Anchor::Middle);
            canvas.text([left + at * cell, top - 14.0], &name, middle);
            let beside = [left - 10.0, top + at * row];
            canvas.text(beside, &name, Type::new(TEXT, Anchor::Right));
        }
        for (y, counts) in self.counts.iter().enumerate() {
            let total = counts.iter().sum::<usize>().max(1) as f32;
            for (x, &count) in counts.iter().enumerate() {
                let corner = [left + x as f32 * cell, top + y as f32 * row];
                let share = count as f32 / total;
                canvas.fill([corner[0], corner[1], cell - 1.0, row - 1.0], shade(share));
                let colour = if share > 0.55 { PAPER } else { INK };
                let set = Type { colour, ..Type::new(TEXT, Anchor::Middle) };
                let centre = [corner[0] + cell / 2.0, corner[1] + row / 2.0];
                canvas.text(centre, &count.to_string(), set);
            }
        }
        canvas.into_picture()
    }
}

/// From nearly white to a deep blue.
fn shade(share: f32) -> Rgb {
    let mix = |from: f32, to: f32| (from + (to - from) * share) as u8;
    [mix(240.0, 8.0), mix(245.0, 69.0), mix(250.0, 148.0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::canvas::rgb_bytes;

    #[test]
    fn the_larger_share_is_darker() {
        let matrix = Matrix {
            title: "Confusion".into(),
            axes: ["true".into(), "predicted".into()],
            names: vec!["cat".into(), "dog".into()],
            counts: vec![vec![90, 10], vec![20, 80]],
        };
        let picture = matrix.draw();
        let colours = rgb_bytes(&picture);
        for share in [0.9, 0.1, 0.2, 0.8] {
            assert!(colours.contains(&shade(share)), "{share}");
        }
        assert_eq!(Matrix::default().draw().height(), 110);
    }
}
