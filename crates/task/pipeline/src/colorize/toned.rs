use imaging::{Filter, Fit, Picture, colour::Lab};

/// The spread of colours from which on a picture counts as coloured, in units of ab.
///
/// Of 600 photographs in colour the least had 1.2, one in a hundred less than 1.8. Of seven
/// scans of old photographs, four of them toned (mean chroma up to 2.7), the most had 0.4.
pub const COLORED: f32 = 1.0;

/// Pixels of the longer side at which colours are looked at: small enough for a scan's
/// coloured grain and a JPEG file's blotches to vanish.
const SIDE: usize = 128;

/// Shades of lightness told apart.
const SHADES: usize = 16;

/// How far a picture's colours are, on average, from the mean colour of their lightness: the
/// chroma that is left when a tone is taken off.
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
    let shade = |l: f32| ((l / 100.0 * SHADES as f32) as usize).min(SHADES - 1);
    let mut sums = [[0.0f32; 3]; SHADES];
    for ((&l, &a), &b) in lightness.iter().zip(a).zip(b) {
        let sum = &mut sums[shade(l)];
        *sum = [sum[0] + a, sum[1] + b, sum[2] + 1.0];
    }
    let off = |((&l, &a), &b): ((&f32, &f32), &f32)| {
        let [sum_a, sum_b, n] = sums[shade(l)];
        (a - sum_a / n).hypot(b - sum_b / n)
    };
    lightness.iter().zip(a).zip(b).map(off).sum::<f32>() / area as f32
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

    #[test]
    fn grain_is_no_colour() {
        let noisy = (0..600 * 800 * 3).map(|i| 120 + (i * 7919 % 25) as u8).collect();
        let picture = Picture::new([600, 800], Channels::Rgb, Pixels::U8(noisy));
        assert!(spread_of_colors(&picture) < COLORED);
    }
}
