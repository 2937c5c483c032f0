//! A heat map over the picture it belongs to.

use imaging::Picture;

use crate::plot::{Colours, rgb_bytes, rgb_picture};

/// A map between 0 and 1 at the picture's size, over the picture.
///
/// JET is added to the picture as the tutorial does it, `strength · colour + picture`,
/// cut to bytes. The others replace that share of it, which leaves their colours
/// readable.
///
/// # Panics
///
/// If the map is not of the picture's size.
///
/// # Source
///
/// Chollet, "Deep Learning with Python" (2018), listing 5.44.
pub fn overlay(picture: &Picture, map: &[f32], colours: Colours, strength: f32) -> Picture {
    let [height, width] = picture.size();
    assert_eq!(map.len(), height * width, "a map of another size");
    let below = rgb_bytes(picture);
    let kept = if colours == Colours::Jet { 1.0 } else { 1.0 - strength };
    let pixel = |(below, &value): (&[u8; 3], &f32)| {
        let heat = colours.of_level((value.clamp(0.0, 1.0) * 255.0) as u8);
        let mix = |c: usize| f32::from(heat[c]) * strength + f32::from(below[c]) * kept;
        [0, 1, 2].map(|c| mix(c).round().clamp(0.0, 255.0) as u8)
    };
    rgb_picture([height, width], below.iter().zip(map).map(pixel).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jet_is_added_and_the_others_replace() {
        let picture = rgb_picture([1, 2], vec![[100; 3], [240; 3]]);
        let added = rgb_bytes(&overlay(&picture, &[0.0, 1.0], Colours::Jet, 0.4));
        assert_eq!(added, [[100, 100, 151], [255, 240, 240]]);
        let mixed = rgb_bytes(&overlay(&picture, &[0.0, 1.0], Colours::Viridis, 0.5));
        assert_eq!(mixed[0], [84, 51, 92]);
    }
}
