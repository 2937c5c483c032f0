//! sRGB's curve for whole steps: from 8 or 16 bits to linear light and back.

use std::sync::LazyLock;

/// A step of 8 or 16 bits.
pub(crate) trait Level: Copy + Default + Send + Sync {
    /// The greatest step.
    const FULL: Self;
    /// Linear light in 0..=1 of every step.
    fn light() -> &'static [f32];
    /// This step's place in [`Level::light`].
    fn index(self) -> usize;
    /// What [`Level::of_light`] looks up.
    type Back: Copy + Send + Sync;
    /// Makes it; once for many pixels.
    fn back() -> Self::Back;
    /// The nearest step to linear light, which is clamped to 0..=1; NaN is 0.
    fn of_light(back: Self::Back, light: f32) -> Self;
}

/// The exact curve, rounded once.
fn light_of_steps(steps: u32) -> Vec<f32> {
    (0..=steps).map(|step| exact(f64::from(step) / f64::from(steps)) as f32).collect()
}

/// IEC 61966-2-1.
fn exact(value: f64) -> f64 {
    if value > 0.040_45 { ((value + 0.055) / 1.055).powf(2.4) } else { value / 12.92 }
}

static LIGHT_OF_U8: LazyLock<Vec<f32>> = LazyLock::new(|| light_of_steps(u8::MAX.into()));
static LIGHT_OF_U16: LazyLock<Vec<f32>> = LazyLock::new(|| light_of_steps(u16::MAX.into()));

/// Cells that linear light is cut into. Where the curve is steepest, 12.92 · 255 steps go
/// on one unit of light, so that no cell has more than one border between two steps.
const CELLS: usize = 4096;

/// From linear light to the nearest of 256 steps, exactly.
#[derive(Debug)]
pub(crate) struct Bytes {
    /// The step at the beginning of each cell; one cell more, for light of 1.
    first: [u8; CELLS + 1],
    /// The least light of each step; the last is never reached.
    least: [f32; 257],
}

static BYTES: LazyLock<Bytes> = LazyLock::new(|| {
    let mut least = [f32::INFINITY; 257];
    least[0] = 0.0;
    for (step, least) in (0..256u16).zip(&mut least).skip(1) {
        *least = exact((f64::from(step) - 0.5) / 255.0) as f32;
    }
    let mut first = [0; CELLS + 1];
    for (cell, first) in first.iter_mut().enumerate() {
        let light = cell as f32 / CELLS as f32;
        *first = (least.partition_point(|&least| least <= light) - 1) as u8;
    }
    Bytes { first, least }
});

impl Level for u8 {
    const FULL: Self = Self::MAX;
    type Back = &'static Bytes;

    fn light() -> &'static [f32] {
        &LIGHT_OF_U8
    }
    #[inline(always)]
    fn index(self) -> usize {
        self.into()
    }
    fn back() -> &'static Bytes {
        &BYTES
    }
    #[inline(always)]
    fn of_light(back: &'static Bytes, light: f32) -> Self {
        let light = light.clamp(0.0, 1.0);
        let step = back.first[((light * CELLS as f32) as usize).min(CELLS)];
        step + Self::from(light >= back.least[usize::from(step) + 1])
    }
}

impl Level for u16 {
    const FULL: Self = Self::MAX;
    type Back = ();

    fn light() -> &'static [f32] {
        &LIGHT_OF_U16
    }
    #[inline(always)]
    fn index(self) -> usize {
        self.into()
    }
    fn back() {}
    #[inline(always)]
    fn of_light((): (), light: f32) -> Self {
        (super::srgb_of_linear(light.clamp(0.0, 1.0)) * 65535.0 + 0.5) as Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition.
    fn inverse(light: f64) -> f64 {
        if light > 0.003_130_8 { 1.055 * light.powf(1.0 / 2.4) - 0.055 } else { light * 12.92 }
    }

    #[test]
    fn light_goes_to_the_nearest_of_256_steps() {
        for i in 0..=1_000_000 {
            let light = i as f32 / 1e6;
            let want = inverse(f64::from(light)) * 255.0;
            let got = f64::from(u8::of_light(u8::back(), light));
            // A border rounds to f32, by 2⁻²⁵ of at most 1, which the curve makes ≤ 12.92 · 255 of.
            assert!((got - want).abs() <= 0.5 + 1e-4, "{light}: got {got}, want {want}");
        }
        for (light, want) in [(-1.0, 0), (2.0, 255), (f32::NAN, 0), (f32::INFINITY, 255)] {
            assert_eq!(u8::of_light(u8::back(), light), want);
        }
    }

    #[test]
    fn every_step_comes_back() {
        for step in 0..=u8::MAX {
            assert_eq!(u8::of_light(u8::back(), u8::light()[step.index()]), step);
        }
        for step in 0..=u16::MAX {
            assert_eq!(u16::of_light((), u16::light()[step.index()]), step);
        }
    }
}
