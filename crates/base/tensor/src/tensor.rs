/// A dense row-major array of `f32`, of any rank.
///
/// ```
/// let t = tensor::Tensor::new(vec![1, 3, 2, 2], vec![0.5; 12]);
/// assert_eq!(t.shape(), [1, 3, 2, 2]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Tensor {
    /// Values with their shape.
    ///
    /// # Panics
    ///
    /// If the shape does not hold exactly `data.len()` values.
    pub fn new(shape: impl Into<Vec<usize>>, data: Vec<f32>) -> Self {
        let shape = shape.into();
        assert_eq!(
            shape.iter().try_fold(1usize, |a, &b| a.checked_mul(b)),
            Some(data.len()),
            "a tensor of shape {shape:?} cannot hold {} values",
            data.len()
        );
        Self { shape, data }
    }

    /// All zeros.
    pub fn zeros(shape: impl Into<Vec<usize>>) -> Self {
        let shape = shape.into();
        let len = shape.iter().product();
        Self { shape, data: vec![0.0; len] }
    }

    /// The size along each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The shape as `[N, C, H, W]`.
    ///
    /// # Panics
    ///
    /// If the rank is not 4.
    pub fn shape4(&self) -> crate::Shape4 {
        self.shape.as_slice().try_into().expect("a tensor of rank 4")
    }

    /// The values, last axis fastest.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// The values, to write.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Gives up the shape.
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }

    /// The same values under another shape.
    ///
    /// # Panics
    ///
    /// If the new shape does not hold as many values.
    #[must_use]
    pub fn reshaped(self, shape: impl Into<Vec<usize>>) -> Self {
        Self::new(shape, self.data)
    }

    /// The axes in another order: axis `i` of the result is axis `order[i]` of `self`.
    ///
    /// # Panics
    ///
    /// If `order` is not a permutation of the axes.
    #[must_use]
    pub fn permuted(&self, order: &[usize]) -> Self {
        let rank = self.shape.len();
        let mut seen = order.to_vec();
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..rank), "{order:?} does not order {rank} axes");
        let mut strides = vec![1; rank];
        for i in (1..rank).rev() {
            strides[i - 1] = strides[i] * self.shape[i];
        }
        let shape: Vec<usize> = order.iter().map(|&a| self.shape[a]).collect();
        let mut index = vec![0; rank];
        let mut data = Vec::with_capacity(self.data.len());
        for _ in 0..self.data.len() {
            data.push(self.data[(0..rank).map(|i| index[i] * strides[order[i]]).sum::<usize>()]);
            for i in (0..rank).rev() {
                index[i] += 1;
                if index[i] < shape[i] {
                    break;
                }
                index[i] = 0;
            }
        }
        Self { shape, data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutes_like_numpy_transpose() {
        let t = Tensor::new([2, 3], vec![0., 1., 2., 3., 4., 5.]);
        assert_eq!(t.permuted(&[1, 0]), Tensor::new([3, 2], vec![0., 3., 1., 4., 2., 5.]));
        let t = Tensor::new([1, 2, 2, 2], (0..8u8).map(f32::from).collect());
        assert_eq!(t.permuted(&[3, 2, 0, 1]).data(), [0., 4., 2., 6., 1., 5., 3., 7.]);
    }

    #[test]
    #[should_panic(expected = "cannot hold 3 values")]
    fn a_wrong_shape_is_refused() {
        let _ = Tensor::new([2, 2], vec![0.0; 3]);
    }
}
