use graph::{PadMode, Shape4};
use tensor::Tensor;

/// Values in `f64`, `[N, C, H, W]`.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    pub(crate) shape: Shape4,
    pub(crate) data: Vec<f64>,
}

impl Array {
    /// Each value from its place.
    pub(crate) fn of(shape: Shape4, mut value: impl FnMut(Shape4) -> f64) -> Self {
        let [_, c, h, w] = shape;
        let count = shape.iter().product();
        let data = (0..count)
            .map(|i: usize| value([i / (c * h * w), i / (h * w) % c, i / w % h, i % w]))
            .collect();
        Self { shape, data }
    }

    pub(crate) fn from_tensor(tensor: &Tensor) -> Self {
        let data = tensor.data().iter().map(|&v| f64::from(v)).collect();
        Self { shape: tensor.shape4(), data }
    }

    /// The place of a value in `data`.
    pub(crate) fn place(&self, [n, c, y, x]: Shape4) -> usize {
        let [_, channels, h, w] = self.shape;
        ((n * channels + c) * h + y) * w + x
    }

    pub(crate) fn at(&self, at: Shape4) -> f64 {
        self.data[self.place(at)]
    }

    /// The value of a plane of one pixel, repeated over space; of any other plane the one there.
    pub(crate) fn repeated(&self, [n, c, y, x]: Shape4) -> f64 {
        let single = self.shape[2..] == [1, 1];
        self.at(if single { [n, c, 0, 0] } else { [n, c, y, x] })
    }

    /// The value at a position of the plane with a border of which `before` pixels lie at its
    /// top and left.
    pub(crate) fn beyond(
        &self,
        [n, c]: [usize; 2],
        [y, x]: [usize; 2],
        before: [usize; 2],
        mode: PadMode,
    ) -> f64 {
        let [_, _, h, w] = self.shape;
        let inside = [border([y, before[0]], h, mode), border([x, before[1]], w, mode)];
        let [Some(y), Some(x)] = inside else { return 0.0 };
        self.at([n, c, y, x])
    }
}

/// The pixel that a position shows on an axis with `before` pixels of border; none for a zero.
pub(crate) fn border([position, before]: [usize; 2], size: usize, mode: PadMode) -> Option<usize> {
    let (at, size) = (position as isize - before as isize, size as isize);
    let shown = match mode {
        _ if (0..size).contains(&at) => at,
        PadMode::Zero => return None,
        PadMode::Replicate => at.clamp(0, size - 1),
        PadMode::Reflect if at < 0 => -at,
        PadMode::Reflect => 2 * (size - 1) - at,
    };
    Some(shown as usize)
}
