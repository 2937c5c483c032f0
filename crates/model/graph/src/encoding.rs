/// The order of a picture's three channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red, as Caffe has it.
    Bgr,
}

/// In which numbers a network sees, or gives, an sRGB picture.
///
/// A channel value `v` in `0..=1` stands in the network as
/// `(v · scale − mean) / std`; `mean` and `std` are in the order of `order`.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Encoding {
    /// The order of the channels.
    pub order: ChannelOrder,
    /// What white is before the mean is taken off: 1 or 255.
    pub scale: f32,
    /// Subtracted from each channel.
    pub mean: [f32; 3],
    /// Divides each channel.
    pub std: [f32; 3],
}

impl Encoding {
    /// `0..=255`, as pytorch/examples `fast_neural_style` has it.
    pub const BYTES: Self =
        Self { order: ChannelOrder::Rgb, scale: 255.0, mean: [0.0; 3], std: [1.0; 3] };
    /// `0..=1`.
    pub const UNIT: Self = Self { scale: 1.0, ..Self::BYTES };
    /// torchvision's: `0..=1`, then the `ImageNet` mean and standard deviation.
    pub const IMAGENET: Self =
        Self { scale: 1.0, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], ..Self::BYTES };
    /// Caffe's, and so Keras's for VGG: blue, green and red in `0..=255` less their means.
    pub const CAFFE: Self = Self {
        order: ChannelOrder::Bgr,
        scale: 255.0,
        mean: [103.939, 116.779, 123.68],
        std: [1.0; 3],
    };
    /// `−1..=1`, as Keras's `Inception` networks have it.
    pub const CENTRED: Self = Self { scale: 1.0, mean: [0.5; 3], std: [0.5; 3], ..Self::BYTES };
}
