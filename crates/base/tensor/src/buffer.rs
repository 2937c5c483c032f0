use std::fmt;

/// One cache line of values; gives [`Buffer`] its alignment without any unsafe code.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A growable run of `f32` that starts on a 64-byte boundary.
///
/// It is meant to be kept and used again: [`Buffer::at_least`] only allocates
/// when it has to grow, and leaves old values in place.
#[derive(Clone, Default)]
pub struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

impl Buffer {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        // Zeroed by the system as it is touched, not here and now.
        Self { lines: bytemuck::zeroed_vec(len.div_ceil(16)), len }
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The values.
    pub fn as_slice(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }

    /// The values, to write.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }

    /// The first `len` values, growing with zeros if there are fewer. What was
    /// there before stays: this is scratch, not cleared memory.
    pub fn at_least(&mut self, len: usize) -> &mut [f32] {
        if self.lines.is_empty() {
            *self = Self::zeros(len);
        } else if self.len < len {
            self.lines.resize(len.div_ceil(16), Line([0.0; 16]));
            self.len = len;
        }
        &mut self.as_mut_slice()[..len]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} values)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_on_a_cache_line_and_grows_with_zeros() {
        let mut b = Buffer::zeros(3);
        b.as_mut_slice().copy_from_slice(&[1.0, 2.0, 3.0]);
        assert_eq!(b.at_least(40)[..4], [1.0, 2.0, 3.0, 0.0]);
        assert_eq!(b.as_slice().as_ptr().align_offset(64), 0);
        assert_eq!(b.at_least(5).len(), 5);
        assert_eq!(b.len(), 40);
    }
}
