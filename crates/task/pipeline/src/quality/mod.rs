//! How close a picture is to the one it should be, and how colourful it is.
//!
//! Pictures are `[1, 3, H, W]`, sRGB in 0..=1.

mod lpips;
mod simple;
mod ssim;

pub use lpips::{Features, Lpips};
pub use simple::{colorfulness, psnr, psnr_ab};
pub use ssim::ssim;
