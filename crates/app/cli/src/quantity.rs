//! Numbers as people type them.

use std::ops::RangeInclusive;

/// A share from 0 to 1.
pub(crate) fn share(text: &str) -> Result<f32, String> {
    within(text, 0.0..=1.0, 0.7)
}

/// A factor for chroma.
pub(crate) fn saturation(text: &str) -> Result<f32, String> {
    within(text, 0.0..=4.0, 1.2)
}

/// How many times as large.
pub(crate) fn strokes(text: &str) -> Result<f32, String> {
    within(text, 1.0..=16.0, 2.0)
}

/// Levels of 255 that are smoothed away.
pub(crate) fn levels(text: &str) -> Result<f32, String> {
    within(text, 0.0..=64.0, 4.0)
}

/// Levels of 255 of noise.
pub(crate) fn grain(text: &str) -> Result<f32, String> {
    within(text, 0.0..=16.0, 1.0)
}

fn within(text: &str, range: RangeInclusive<f32>, such_as: f32) -> Result<f32, String> {
    match text.parse() {
        Ok(v) if range.contains(&v) => Ok(v),
        _ => Err(format!(
            "use a number from {} to {}, such as {such_as}",
            range.start(),
            range.end()
        )),
    }
}

/// Pixels around a picture.
pub(crate) fn margin(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(v @ 0..=256) => Ok(v),
        _ => Err("use a whole number of pixels from 0 to 256".to_owned()),
    }
}

/// A share that is not 0.
pub(crate) fn temperature(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(v) if v > 0.0 && v <= 1.0 => Ok(v),
        _ => Err("use a number over 0, at most 1, such as 0.38".to_owned()),
    }
}

/// A number that is not negative, such as 1e5.
pub(crate) fn weight(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(v) if v.is_finite() && v >= 0.0 => Ok(v),
        _ => Err("use a number that is not negative, such as 0.001 or 1e5".to_owned()),
    }
}

/// The length of a picture's side.
pub(crate) fn side(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(v @ 1..=65_535) => Ok(v),
        _ => Err("use a whole number of pixels from 1 to 65535".to_owned()),
    }
}

/// A number with an optional `k`, `M` or `G`.
pub(crate) fn amount(text: &str) -> Result<u64, String> {
    let wrong = || "use a number, such as 800M or 2G".to_owned();
    let (digits, unit) = match text.trim_end_matches(['b', 'B']).char_indices().last() {
        Some((end, 'k' | 'K')) => (&text[..end], 1e3),
        Some((end, 'm' | 'M')) => (&text[..end], 1e6),
        Some((end, 'g' | 'G')) => (&text[..end], 1e9),
        _ => (text, 1.0),
    };
    let amount = digits.parse().unwrap_or(f64::NAN) * unit;
    if amount.is_finite() && (1.0..1e18).contains(&amount) {
        Ok(amount as u64)
    } else {
        Err(wrong())
    }
}

/// `256x320`.
pub(crate) fn height_by_width(text: &str) -> Result<[usize; 2], String> {
    let wrong = || "use height and width, such as 256x320".to_owned();
    let (height, width) = text.split_once(['x', 'X', '×']).ok_or_else(wrong)?;
    match [side(height), side(width)] {
        [Ok(height), Ok(width)] => Ok([height, width]),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_units() {
        let cases = [("7", 7), ("50M", 50_000_000), ("1.5G", 1_500_000_000), ("800kB", 800_000)];
        for (text, want) in cases {
            assert_eq!(amount(text), Ok(want), "{text}");
        }
        for text in ["", "G", "-1", "0", "1T", "nan", "inf", "1e99", "ä", "5×"] {
            assert!(amount(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_and_sizes_have_ranges() {
        assert_eq!(share("0.5"), Ok(0.5));
        for text in ["-0.1", "1.1", "NaN", "half"] {
            assert!(share(text).is_err(), "{text}");
        }
        assert_eq!(weight("1e5"), Ok(1e5));
        for text in ["-1", "inf", "NaN", "much"] {
            assert!(weight(text).is_err(), "{text}");
        }
        assert_eq!(height_by_width("256x320"), Ok([256, 320]));
        for text in ["256", "0x1", "x", "1x70000"] {
            assert!(height_by_width(text).is_err(), "{text}");
        }
    }
}
