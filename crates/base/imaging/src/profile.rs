//! Out of any ICC colour space into sRGB.

use std::sync::LazyLock;

use moxcms::{
    Chromaticity, CmsError, ColorPrimaries, ColorProfile, DataColorSpace, Layout, ToneReprCurve,
    TransformOptions, XyY, Xyzd,
};
use rayon::prelude::*;

use crate::{Channels, Pixels, colour, decode::Ink};

/// What a file says about the colour space of its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tag {
    /// Nothing: sRGB, as on the web.
    None,
    /// An ICC profile.
    Icc(Vec<u8>),
    /// Adobe RGB (1998), by its EXIF mark.
    AdobeRgb,
    /// PNG's `gAMA` and `cHRM`.
    Gamma {
        /// Exponent from light to value, such as 1/2.2.
        gamma: f32,
        /// `[x, y]` of white, red, green and blue.
        chromaticities: Option<[[f32; 2]; 4]>,
    },
}

/// Pixels handed to one call of a transform.
const STRETCH: usize = 1 << 14;

/// Converts pixels to sRGB. CMYK becomes RGB; a profile that cannot be read, or
/// that is for another kind of pixel, is taken as absent.
pub(crate) fn to_srgb(ink: Ink, pixels: Pixels, tag: &Tag) -> (Channels, Pixels) {
    let profile = profile_of(tag);
    match ink {
        Ink::Cmyk => (Channels::Rgb, cmyk(pixels, profile.as_ref())),
        Ink::Light(channels) => {
            let Some(profile) = profile else { return (channels, pixels) };
            let converted = match channels {
                Channels::Grey | Channels::GreyAlpha => grey(&pixels, channels.count(), &profile),
                Channels::Rgb => rgb(&pixels, Layout::Rgb, &profile),
                Channels::Rgba => rgb(&pixels, Layout::Rgba, &profile),
            };
            (channels, converted.unwrap_or(pixels))
        }
    }
}

fn profile_of(tag: &Tag) -> Option<ColorProfile> {
    match tag {
        Tag::None => None,
        Tag::Icc(bytes) => ColorProfile::new_from_slice(bytes).ok(),
        Tag::AdobeRgb => Some(ColorProfile::new_adobe_rgb()),
        Tag::Gamma { gamma, chromaticities } => from_gamma(*gamma, *chromaticities),
    }
}

/// A profile of a plain power law; `None` where the numbers make no sense.
fn from_gamma(gamma: f32, chromaticities: Option<[[f32; 2]; 4]>) -> Option<ColorProfile> {
    if !(0.1..=10.0).contains(&gamma) {
        return None;
    }
    let mut profile = ColorProfile::new_srgb();
    profile.cicp = None;
    let curve = Some(ToneReprCurve::Parametric(vec![1.0 / gamma]));
    profile.red_trc.clone_from(&curve);
    profile.green_trc.clone_from(&curve);
    profile.blue_trc = curve;
    if let Some(points) = chromaticities {
        if points.iter().flatten().any(|v| !(0.001..=1.0).contains(v)) {
            return None;
        }
        let [white, red, green, blue] = points.map(|[x, y]| Chromaticity { x, y });
        let white = XyY { x: white.x.into(), y: white.y.into(), yb: 1.0 };
        profile.update_rgb_colorimetry(white, ColorPrimaries { red, green, blue });
    }
    Some(profile)
}

/// An sRGB profile small enough to go into every file.
pub(crate) static SRGB_ICC: LazyLock<Option<Vec<u8>>> =
    LazyLock::new(|| encoded(&ColorProfile::new_srgb()));

/// A grey profile with sRGB's curve.
pub(crate) static GREY_ICC: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| {
    let mut profile = ColorProfile::new_gray_with_gamma(2.2);
    profile.gray_trc = ColorProfile::new_srgb().red_trc;
    encoded(&profile)
});

/// New year's day of 2026: year, month, day, hours, minutes and seconds in 16 bits each.
const MADE: [u8; 12] = [0x07, 0xEA, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0];

/// A profile's bytes, the same in every run: the encoder writes the time of day into them, in
/// bytes 24 to 35 of the header (ICC.1:2010, 7.2.8).
fn encoded(profile: &ColorProfile) -> Option<Vec<u8>> {
    let mut bytes = profile.encode().ok()?;
    bytes.get_mut(24..36)?.copy_from_slice(&MADE);
    Some(bytes)
}

fn options() -> TransformOptions {
    // Fixed point would be off by one in 255 here and there.
    TransformOptions { prefer_fixed_point: false, ..TransformOptions::default() }
}

fn rgb(pixels: &Pixels, layout: Layout, profile: &ColorProfile) -> Option<Pixels> {
    if profile.color_space != DataColorSpace::Rgb || is_srgb(profile) {
        return None;
    }
    converted(pixels, profile, layout, layout)
}

/// Whether a profile's curves and primaries are sRGB's to 1 in 255: then converting
/// would add rounding and nothing else. Most profiles in photographs are, and
/// to see it so costs nothing, while a transform takes 15 ms to build.
fn is_srgb(profile: &ColorProfile) -> bool {
    /// Stray light that sRGB's steepest part, 12.92, turns into 1 in 255.
    const STRAY: f64 = 1.0 / 255.0 / 12.92;
    let srgb = ColorProfile::new_srgb();
    let near =
        |a: Xyzd, b: Xyzd| [a.x - b.x, a.y - b.y, a.z - b.z].iter().all(|off| off.abs() <= STRAY);
    profile.is_matrix_shaper()
        && near(profile.red_colorant, srgb.red_colorant)
        && near(profile.green_colorant, srgb.green_colorant)
        && near(profile.blue_colorant, srgb.blue_colorant)
        && [&profile.red_trc, &profile.green_trc, &profile.blue_trc]
            .iter()
            .all(|curve| is_srgb_curve(curve.as_ref()))
}

fn is_srgb_curve(curve: Option<&ToneReprCurve>) -> bool {
    let Some(curve) = curve.and_then(|curve| curve.make_linear_evaluator().ok()) else {
        return false;
    };
    (0..=u8::MAX).all(|level| {
        let value = f32::from(level) / 255.0;
        let got = colour::srgb_of_linear(curve.evaluate_value(value).clamp(0.0, 1.0));
        (got - value).abs() <= 1.0 / 255.0
    })
}

/// Grey goes through a table of what the profile makes of every level; `None` where
/// that is what sRGB makes of it, to 1 in 255.
fn grey(pixels: &Pixels, channels: usize, profile: &ColorProfile) -> Option<Pixels> {
    if profile.color_space != DataColorSpace::Gray || is_srgb_curve(profile.gray_trc.as_ref()) {
        return None;
    }
    let levels = Pixels::U16((0..=u16::MAX).collect());
    let Pixels::U16(rgb) = converted(&levels, profile, Layout::Gray, Layout::Rgb)? else {
        return None;
    };
    let table: Vec<u16> = rgb.into_iter().skip(1).step_by(3).collect();
    Some(match pixels {
        Pixels::U8(values) => {
            Pixels::U8(looked_up(values, channels, |v| narrow(table[usize::from(v) * 257])))
        }
        Pixels::U16(values) => Pixels::U16(looked_up(values, channels, |v| table[usize::from(v)])),
    })
}

fn looked_up<T: Copy>(values: &[T], channels: usize, table: impl Fn(T) -> T) -> Vec<T> {
    let mut out = values.to_vec();
    out.iter_mut().step_by(channels).for_each(|v| *v = table(*v));
    out
}

fn cmyk(pixels: Pixels, profile: Option<&ColorProfile>) -> Pixels {
    profile
        .filter(|profile| profile.color_space == DataColorSpace::Cmyk)
        .and_then(|profile| converted(&pixels, profile, Layout::Rgba, Layout::Rgb))
        .unwrap_or_else(|| match pixels {
            Pixels::U8(values) => Pixels::U8(subtracted(&values, u8::MAX.into(), |v| v as u8)),
            Pixels::U16(values) => Pixels::U16(subtracted(&values, u16::MAX.into(), |v| v as u16)),
        })
}

/// `(1 − ink)(1 − black)`, rounded, for full ink `full`.
fn subtracted<T: Copy + Into<u64>>(inks: &[T], full: u64, narrow: impl Fn(u64) -> T) -> Vec<T> {
    let mut out = Vec::with_capacity(inks.len() / 4 * 3);
    for &[c, m, y, k] in inks.as_chunks::<4>().0 {
        let light = full - k.into();
        out.extend([c, m, y].map(|ink| narrow(((full - ink.into()) * light + full / 2) / full)));
    }
    out
}

/// Runs a transform over everything, in parallel; `None` if there is no such
/// transform. Always in 16 bits: the library's own 8-bit way is off by up to 2
/// in dark colours.
fn converted(pixels: &Pixels, profile: &ColorProfile, from: Layout, to: Layout) -> Option<Pixels> {
    let srgb = ColorProfile::new_srgb();
    let transform = profile.create_transform_16bit(from, &srgb, to, options()).ok()?;
    let (from, to) = (channels(from), channels(to));
    match pixels {
        Pixels::U16(values) => {
            let mut out = vec![0; values.len() / from * to];
            values
                .par_chunks(STRETCH * from)
                .zip(out.par_chunks_mut(STRETCH * to))
                .try_for_each(|(source, target)| transform.transform(source, target))
                .ok()?;
            Some(Pixels::U16(out))
        }
        Pixels::U8(values) => {
            let mut out = vec![0; values.len() / from * to];
            values
                .par_chunks(STRETCH * from)
                .zip(out.par_chunks_mut(STRETCH * to))
                .try_for_each(|(source, target)| {
                    let wide: Vec<u16> = source.iter().map(|&v| u16::from(v) * 257).collect();
                    let mut made = vec![0; target.len()];
                    transform.transform(&wide, &mut made)?;
                    target.iter_mut().zip(made).for_each(|(to, from)| *to = narrow(from));
                    Ok::<_, CmsError>(())
                })
                .ok()?;
            Some(Pixels::U8(out))
        }
    }
}

/// 16 bits to the nearest of 8.
pub(crate) fn narrow(value: u16) -> u8 {
    ((u32::from(value) * 255 + 32767) / 65535) as u8
}

const fn channels(layout: Layout) -> usize {
    match layout {
        Layout::Gray => 1,
        Layout::Rgb => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_we_write_are_srgb_and_small() {
        let rgb = SRGB_ICC.clone().unwrap();
        assert!(rgb.len() < 1024, "{} bytes", rgb.len());
        let read = ColorProfile::new_from_slice(&rgb).unwrap();
        assert!(is_srgb(&read));
        let made = read.creation_date_time;
        assert_eq!([made.year, made.month, made.day_of_the_month], [2026, 1, 1]);
        assert_eq!([made.hours, made.minutes, made.seconds], [0; 3], "the time of day");
        let ramp = Pixels::U8((0..=255).collect());
        let tag = Tag::Icc(GREY_ICC.clone().unwrap());
        let (_, got) = to_srgb(Ink::Light(Channels::Grey), ramp.clone(), &tag);
        assert_eq!(got, ramp);
        for other in [ColorProfile::new_display_p3(), ColorProfile::new_adobe_rgb()] {
            assert!(!is_srgb(&other));
        }
    }

    #[test]
    fn a_profile_for_another_kind_of_pixel_is_ignored() {
        let pixels = Pixels::U8(vec![10, 200, 30]);
        let grey = Tag::Icc(GREY_ICC.clone().unwrap());
        let got = to_srgb(Ink::Light(Channels::Rgb), pixels.clone(), &grey);
        assert_eq!(got, (Channels::Rgb, pixels.clone()));
        let rubbish = Tag::Icc(vec![0; 200]);
        assert_eq!(to_srgb(Ink::Light(Channels::Rgb), pixels.clone(), &rubbish).1, pixels);
    }

    /// Adobe RGB's green (0, 255, 0) lies outside sRGB and clips there; white and
    /// black stay. 128-grey is close: the curves are 2.2 and about 2.2.
    #[test]
    fn adobe_rgb_becomes_srgb() {
        let pixels = Pixels::U8(vec![255, 255, 255, 0, 0, 0, 0, 255, 0, 200, 100, 100]);
        let (_, Pixels::U8(got)) = to_srgb(Ink::Light(Channels::Rgb), pixels, &Tag::AdobeRgb)
        else {
            panic!("depth changed")
        };
        assert_eq!(got[..6], [255, 255, 255, 0, 0, 0]);
        assert_eq!(got[6..9], [0, 255, 0]);
        assert!(got[9] > 215 && got[10] < 105, "{got:?}"); // redder in sRGB's numbers
    }

    #[test]
    fn linear_light_is_brightened() {
        let tag = Tag::Gamma { gamma: 1.0, chromaticities: None };
        let (_, got) = to_srgb(Ink::Light(Channels::Rgb), Pixels::U8(vec![55; 3]), &tag);
        // 55/255 of full light is 127.6/255 in sRGB.
        assert_eq!(got, Pixels::U8(vec![128; 3]));
    }

    #[test]
    fn cmyk_without_profile_follows_the_formula() {
        let inks = Pixels::U8(vec![0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 51, 102, 153, 128]);
        let (channels, got) = to_srgb(Ink::Cmyk, inks, &Tag::None);
        let want = vec![255, 255, 255, 0, 255, 255, 0, 0, 0, 102, 76, 51];
        assert_eq!((channels, got), (Channels::Rgb, Pixels::U8(want)));
    }
}
