//! The part of a picture that a network is shown.

use crate::Random;

/// Whether left and right have changed places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Facing {
    /// As photographed.
    #[default]
    AsIs,
    /// Left is right.
    Mirrored,
}

/// A rectangle of a picture, perhaps mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first row and column of the picture that are seen.
    pub corner: [usize; 2],
    /// Height and width.
    pub size: [usize; 2],
    /// Whether it is mirrored once it is cut out.
    pub facing: Facing,
}

impl Window {
    /// The middle of a picture of `[height, width]`; of two middles the upper left one.
    ///
    /// # Panics
    ///
    /// If the picture is smaller than the window.
    pub fn centre(picture: [usize; 2], size: [usize; 2]) -> Self {
        let corner = room(picture, size).map(|spare| spare / 2);
        Self { corner, size, facing: Facing::AsIs }
    }

    /// Anywhere in a picture of `[height, width]`, every place as likely as any
    /// other, as it is or mirrored with equal chance.
    ///
    /// # Panics
    ///
    /// If the picture is smaller than the window.
    pub fn draw(picture: [usize; 2], size: [usize; 2], random: &mut Random) -> Self {
        let corner = room(picture, size).map(|spare| random.below(spare + 1));
        let facing = if random.bits() >> 63 == 0 { Facing::AsIs } else { Facing::Mirrored };
        Self { corner, size, facing }
    }

    /// Cuts the window out of interleaved 8-bit RGB rows, to three planes of
    /// 0..=1 one after the other.
    ///
    /// # Panics
    ///
    /// If the window reaches beyond the picture, or `planes` is not of its size.
    pub(crate) fn cut(&self, pixels: &[u8], width: usize, planes: &mut [f32]) {
        let [rows, columns] = self.size;
        assert_eq!(planes.len(), 3 * rows * columns, "room for three planes");
        let [top, left] = self.corner;
        assert!(left + columns <= width, "a window within the picture");
        for y in 0..rows {
            let line = &pixels[3 * ((top + y) * width + left)..][..3 * columns];
            for (x, rgb) in line.as_chunks::<3>().0.iter().enumerate() {
                let x = if self.facing == Facing::Mirrored { columns - 1 - x } else { x };
                for (c, value) in rgb.iter().enumerate() {
                    planes[(c * rows + y) * columns + x] = f32::from(*value) / 255.0;
                }
            }
        }
    }
}

/// Rows and columns that a window leaves out.
fn room(picture: [usize; 2], size: [usize; 2]) -> [usize; 2] {
    [0, 1].map(|axis| {
        let spare = picture[axis].checked_sub(size[axis]);
        spare.unwrap_or_else(|| panic!("no window of {size:?} fits into {picture:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every value says where it is: 100 × channel + 10 × row + column, of 4 × 5 pixels.
    fn numbered() -> Vec<u8> {
        (0..60).map(|i| (i % 3 * 100 + i / 15 * 10 + i / 3 % 5) as u8).collect()
    }

    fn cut(window: Window) -> Vec<u8> {
        let [h, w] = window.size;
        let mut planes = vec![f32::NAN; 3 * h * w];
        window.cut(&numbered(), 5, &mut planes);
        planes.iter().map(|v| (v * 255.0).round() as u8).collect()
    }

    #[test]
    fn cuts_what_it_says() {
        let window = Window { corner: [2, 1], size: [2, 3], facing: Facing::AsIs };
        let want = [21, 22, 23, 31, 32, 33, 121, 122, 123, 131, 132, 133];
        let blue = [221, 222, 223, 231, 232, 233];
        assert_eq!(cut(window), [&want[..], &blue].concat());
        let mirrored = Window { facing: Facing::Mirrored, ..window };
        assert_eq!(cut(mirrored)[..6], [23, 22, 21, 33, 32, 31]);
    }

    #[test]
    fn the_middle_is_the_middle() {
        assert_eq!(Window::centre([4, 5], [2, 2]).corner, [1, 1]);
        assert_eq!(Window::centre([4, 5], [4, 5]).corner, [0, 0]);
    }

    #[test]
    fn every_place_is_drawn_and_none_outside() {
        let mut random = Random::new(4);
        let mut seen = [[0; 4]; 3];
        let mut mirrored = 0;
        for _ in 0..12_000 {
            let window = Window::draw([4, 5], [2, 2], &mut random);
            seen[window.corner[0]][window.corner[1]] += 1;
            mirrored += i32::from(window.facing == Facing::Mirrored);
        }
        // 1000 each, with a standard deviation of 30; 6000 with one of 55
        assert!(seen.concat().iter().all(|n| (1000i32 - n).abs() < 180), "{seen:?}");
        assert!((6000 - mirrored).abs() < 330, "{mirrored}");
    }
}
