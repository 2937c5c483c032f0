use tensor::Tensor;

/// How the axes of a Keras variable lie beside those of a graph's parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axes {
    /// The same: biases and statistics.
    Same,
    /// `[h, w, in, out]` to `[out, in, h, w]`; for a transposed convolution
    /// `[h, w, out, in]` to `[in, out, h, w]`, which is the same turn.
    Kernel,
    /// `[h, w, in, multiplier]` to `[in · multiplier, 1, h, w]`.
    Depthwise,
    /// `[in, out]` to `[out, in]`.
    Dense,
    /// As [`Axes::Dense`] behind a flattening of planes with this many channels:
    /// Keras flattens `[h, w, channel]`, a graph `[channel, h, w]`.
    DenseAfterFlatten {
        /// Channels of what is flattened.
        channels: usize,
    },
}

impl Axes {
    /// Keras's tensor with the graph's axes; `None` if its rank or size does not allow it.
    pub fn to_graph(self, tensor: &Tensor) -> Option<Tensor> {
        let shape = tensor.shape();
        match (self, shape) {
            (Self::Same, _) => Some(tensor.clone()),
            (Self::Kernel, [_, _, _, _]) => Some(tensor.permuted(&[3, 2, 0, 1])),
            (Self::Depthwise, &[h, w, c, m]) => {
                let out = c.checked_mul(m)?;
                Some(tensor.permuted(&[2, 3, 0, 1]).reshaped([out, 1, h, w]))
            }
            (Self::Dense, [_, _]) => Some(tensor.permuted(&[1, 0])),
            (Self::DenseAfterFlatten { channels }, &[features, out]) => {
                let pixels = pixels(features, channels)?;
                let split = tensor.clone().reshaped([pixels, channels, out]);
                Some(split.permuted(&[2, 1, 0]).reshaped([out, features]))
            }
            _ => None,
        }
    }

    /// The way back. A depthwise kernel comes back for `inputs` channels.
    pub fn to_keras(self, tensor: &Tensor, inputs: usize) -> Option<Tensor> {
        let shape = tensor.shape();
        match (self, shape) {
            (Self::Same, _) => Some(tensor.clone()),
            (Self::Kernel, [_, _, _, _]) => Some(tensor.permuted(&[2, 3, 1, 0])),
            (Self::Depthwise, &[out, 1, h, w]) if inputs > 0 && out.is_multiple_of(inputs) => {
                let split = tensor.clone().reshaped([inputs, out / inputs, h, w]);
                Some(split.permuted(&[2, 3, 0, 1]))
            }
            (Self::Dense, [_, _]) => Some(tensor.permuted(&[1, 0])),
            (Self::DenseAfterFlatten { channels }, &[out, features]) => {
                let pixels = pixels(features, channels)?;
                let split = tensor.clone().reshaped([out, channels, pixels]);
                Some(split.permuted(&[2, 1, 0]).reshaped([features, out]))
            }
            _ => None,
        }
    }
}

fn pixels(features: usize, channels: usize) -> Option<usize> {
    (channels > 0 && features.is_multiple_of(channels)).then(|| features / channels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(shape: &[usize]) -> Tensor {
        let count: usize = shape.iter().product();
        Tensor::new(shape.to_vec(), (0..count).map(|v| v as f32).collect())
    }

    /// The bits of the value of a row-major tensor at these indices.
    fn at(tensor: &Tensor, index: &[usize]) -> u32 {
        let place = index.iter().zip(tensor.shape()).fold(0, |place, (i, n)| place * n + i);
        tensor.data()[place].to_bits()
    }

    #[test]
    fn a_kernel_and_a_depthwise_kernel_keep_every_value() {
        let keras = counted(&[2, 3, 4, 5]);
        let kernel = Axes::Kernel.to_graph(&keras).unwrap();
        let depthwise = Axes::Depthwise.to_graph(&keras).unwrap();
        assert_eq!(kernel.shape(), [5, 4, 2, 3]);
        assert_eq!(depthwise.shape(), [20, 1, 2, 3]);
        for (h, w, i, o) in indices([2, 3, 4, 5]) {
            let want = at(&keras, &[h, w, i, o]);
            assert_eq!(at(&kernel, &[o, i, h, w]), want);
            assert_eq!(at(&depthwise, &[i * 5 + o, 0, h, w]), want);
        }
        assert_eq!(Axes::Kernel.to_keras(&kernel, 4).unwrap(), keras);
        assert_eq!(Axes::Depthwise.to_keras(&depthwise, 4).unwrap(), keras);
    }

    fn indices([a, b, c, d]: [usize; 4]) -> impl Iterator<Item = (usize, usize, usize, usize)> {
        (0..a * b * c * d).map(move |n| (n / (b * c * d), n / (c * d) % b, n / d % c, n % d))
    }

    #[test]
    fn a_dense_kernel_behind_a_flattening_takes_channels_from_last_to_first() {
        let (pixels, channels, out) = (6, 4, 3);
        let keras = counted(&[pixels * channels, out]);
        let axes = Axes::DenseAfterFlatten { channels };
        let graph = axes.to_graph(&keras).unwrap();
        assert_eq!(graph.shape(), [out, channels * pixels]);
        for (p, c, o, _) in indices([pixels, channels, out, 1]) {
            let want = at(&keras, &[p * channels + c, o]);
            assert_eq!(at(&graph, &[o, c * pixels + p]), want);
        }
        assert_eq!(axes.to_keras(&graph, 0).unwrap(), keras);
    }

    #[test]
    fn a_wrong_rank_or_size_has_no_axes() {
        assert_eq!(Axes::Kernel.to_graph(&counted(&[2, 2])), None);
        assert_eq!(Axes::Dense.to_graph(&counted(&[2])), None);
        let axes = Axes::DenseAfterFlatten { channels: 4 };
        assert_eq!(axes.to_graph(&counted(&[6, 2])), None);
        assert_eq!(Axes::Depthwise.to_keras(&counted(&[6, 1, 3, 3]), 4), None);
    }
}
