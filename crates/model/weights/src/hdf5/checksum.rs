//! Bob Jenkins's `lookup3`, by which newer structures are guarded.
//!
//! # Source
//!
//! `hashlittle` of <https://burtleburtle.net/bob/c/lookup3.c>, with a start of 0.

use super::corrupt;
use crate::WeightsError;

/// Compares bytes `..end` with the four that follow them; `at` is where they lie in the file.
pub(super) fn verify(bytes: &[u8], at: u64, end: usize) -> Result<(), WeightsError> {
    let stored = bytes.get(end..end + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    match (stored, bytes.get(..end)) {
        (Some(stored), Some(bytes)) if lookup3(bytes) == stored => Ok(()),
        (None, _) | (_, None) => Err(corrupt(at, "the file ends early")),
        _ => Err(corrupt(at, "a checksum is wrong")),
    }
}

/// The checksum of metadata.
pub(crate) fn lookup3(bytes: &[u8]) -> u32 {
    let start = u32::try_from(bytes.len() & 0xffff_ffff).unwrap_or(0).wrapping_add(0xdead_beef);
    let mut state = [start; 3];
    let mut rest = bytes;
    while rest.len() > 12 {
        let (block, after) = rest.split_at(12);
        add(&mut state, block);
        mix(&mut state);
        rest = after;
    }
    if !rest.is_empty() {
        add(&mut state, rest);
        finish(&mut state);
    }
    state[2]
}

/// Adds up to twelve bytes; those that are not there are zero.
fn add(state: &mut [u32; 3], bytes: &[u8]) {
    for (word, part) in state.iter_mut().zip(bytes.chunks(4)) {
        let mut padded = [0; 4];
        padded[..part.len()].copy_from_slice(part);
        *word = word.wrapping_add(u32::from_le_bytes(padded));
    }
}

fn mix(state: &mut [u32; 3]) {
    let [mut a, mut b, mut c] = *state;
    for shifts in [[4, 6, 8], [16, 19, 4]] {
        a = a.wrapping_sub(c) ^ c.rotate_left(shifts[0]);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(shifts[1]);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(shifts[2]);
        b = b.wrapping_add(a);
    }
    *state = [a, b, c];
}

fn finish(state: &mut [u32; 3]) {
    let [mut a, mut b, mut c] = *state;
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    c = (c ^ b).wrapping_sub(b.rotate_left(24));
    *state = [a, b, c];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_authors_results() {
        // From the driver at the end of lookup3.c.
        assert_eq!(lookup3(b""), 0xdead_beef);
        assert_eq!(lookup3(b"Four score and seven years ago"), 0x1777_0551);
    }
}
