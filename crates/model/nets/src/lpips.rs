//! What LPIPS compares: five layers of VGG16, each pixel's features at a length of 1, by
//! squared differences that a head weighs for each channel.
//!
//! Source: Zhang, Isola, Efros, Shechtman & Wang, "The Unreasonable Effectiveness of Deep
//! Features as a Perceptual Metric", CVPR 2018; the package `lpips` 0.1.4 with `net='vgg'`,
//! `version='0.1'`. Its shift and scale of RGB in −1..=1 are `ImageNet`'s mean and deviation
//! of RGB in 0..=1, [`Encoding::IMAGENET`](graph::Encoding::IMAGENET).

/// The layers that are compared, as [`vgg`](crate::vgg) calls them.
pub const LAYERS: [&str; 5] = ["relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"];

/// Channels of each.
pub const CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];

/// Added to a length: keeps a pixel without any feature from being divided by 0.
pub const LEAST: f32 = 1e-10;

/// What files call the head of a layer: by itself, and within the package's network.
pub fn head_names(layer: usize) -> [String; 2] {
    [format!("lin{layer}.weight"), format!("lin{layer}.model.1.weight")]
}
