//! EXIF and XMP: read for what decides the pixels, and made to tell the truth about them.

pub(crate) mod exif;
pub(crate) mod tree;
pub(crate) mod xmp;
