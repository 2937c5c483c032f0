use imaging::{Filter, Fit, Picture, colour::Lab};

/// The spread of colours from which on a picture counts as coloured, in units of ab.
///
/// Of 600 photographs in colour the least had 1.2, one in a hundred less than 1.8. Of seven
/// scans of old photographs, four of them toned (mean chroma up to 2.7), the most had 0.5; a
/// strong sepia has 0.8.
pub const COLORED: f32 = 1.5;

/// Pixels of the longer side at which colours are looked at: small enough for a scan's
/// coloured grain and a JPEG file's blotches to vanish.
const SIDE: usize = 128;

/// Coefficients of the curve that a tone is taken to be: a cubic one.
const TERMS: usize = 4;

/// Keeps a picture of one lightness, through which many curves go, from having none.
const RIDGE: f64 = 1e-9;

/// How far a picture's colours are, on average, from a smooth curve over lightness: the chroma
/// that is left when a tone is taken off.
///
/// Greyscale has 0, and a picture in one tone, such as sepia, next to nothing, however strong
/// the tone is, because there colour follows from lightness. Alpha is left out.
pub fn spread_of_colors(picture: &Picture) -> f32 {
    if picture.channels().is_grey() {
        return 0.0;
    }
    let own = picture.size();
    let size = if own[0].max(own[1]) > SIDE { Fit::Long(SIDE).size(own) } else { own };
    let lab = Lab::of_rgb(&picture.to_rgb_tensor_of(size, Filter::Triangle)).into_tensor();
    let area = size[0] * size[1];
    let (lightness, ab) = lab.data().split_at(area);
    let (a, b) = ab.split_at(area);
    let [tone_a, tone_b] = [a, b].map(|values| curve(lightness, values));
    let off = |((&l, &a), &b): ((&f32, &f32), &f32)| {
        let powers = powers(l);
        let at = |tone: [f64; TERMS]| powers.iter().zip(tone).map(|(p, c)| p * c).sum::<f64>();
        (f64::from(a) - at(tone_a)).hypot(f64::from(b) - at(tone_b))
    };
    let sum: f64 = lightness.iter().zip(a).zip(b).map(off).sum();
    (sum / area as f64) as f32
}

/// Powers of lightness, which is brought to −1..=1.
fn powers(lightness: f32) -> [f64; TERMS] {
    let l = f64::from(lightness) / 50.0 - 1.0;
    [1.0, l, l * l, l * l * l]
}

/// The curve nearest to `values` by least squares: the normal equations, solved by elimination.
fn curve(lightness: &[f32], values: &[f32]) -> [f64; TERMS] {
    let mut rows = [[0.0; TERMS + 1]; TERMS];
    for (&l, &v) in lightness.iter().zip(values) {
        let powers = powers(l);
        for (row, p) in rows.iter_mut().zip(powers) {
            row.iter_mut().zip(powers.iter().chain([&f64::from(v)])).for_each(|(s, q)| *s += p * q);
        }
    }
    for i in 0..TERMS {
        rows[i][i] += RIDGE * lightness.len() as f64;
    }
    for i in 0..TERMS {
        let pivot = rows[i].map(|v| v / rows[i][i]);
        rows[i] = pivot;
        for (_, row) in rows.iter_mut().enumerate().filter(|(j, _)| *j != i) {
            let factor = row[i];
            row.iter_mut().zip(pivot).for_each(|(v, p)| *v -= factor * p);
        }
    }
    rows.map(|row| row[TERMS])
}

#[cfg(test)]
mod tests {
    use super::*;
    use imaging::{Channels, Pixels};

    /// A slope from black to white and round the colours, with as much colour as said.
    fn picture(colour: impl Fn(usize, f32) -> [f32; 3]) -> Picture {
        let values = (0..64 * 64).flat_map(|i| {
            let grey = (i % 64) as f32 / 63.0;
            colour(i / 64, grey).map(|v| (v.clamp(0.0, 1.0) * 255.0) as u8)
        });
        Picture::new([64, 64], Channels::Rgb, Pixels::U8(values.collect()))
    }

    #[test]
    fn tones_are_no_colours() {
        assert!(spread_of_colors(&picture(|_, v| [v; 3])) < 0.01);
        let sepia = picture(|_, v| [v.powf(0.7), v, v.powf(1.5)]);
        assert!(spread_of_colors(&sepia) < COLORED);
        let cold = picture(|_, v| [0.8 * v, 0.9 * v, v + 0.1]);
        assert!(spread_of_colors(&cold) < COLORED);
        let sky_and_grass = picture(|y, v| if y < 32 { [v, v, v + 0.1] } else { [v, v + 0.05, v] });
        assert!(spread_of_colors(&sky_and_grass) > COLORED);
    }

    /// Of a picture of one lightness, or one pixel, all that can be said is its mean.
    #[test]
    fn flat_pictures_have_no_spread() {
        for size in [[1, 1], [20, 30]] {
            let values = [200, 90, 40].repeat(size[0] * size[1]);
            let picture = Picture::new(size, Channels::Rgb, Pixels::U8(values));
            assert!(spread_of_colors(&picture) < 1e-3);
        }
    }

    #[test]
    fn grain_is_no_colour() {
        let noisy = (0..600 * 800 * 3u64).map(|i| 120 + (i * 7919 % 25) as u8).collect();
        let picture = Picture::new([600, 800], Channels::Rgb, Pixels::U8(noisy));
        assert!(spread_of_colors(&picture) < COLORED);
    }
}
