use std::fmt;

use crate::{
    Format,
    metadata::{exif, xmp},
};

/// What one pixel is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// One value: grey.
    Grey,
    /// Grey, then alpha.
    GreyAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha.
    Rgba,
}

impl Channels {
    /// Values a pixel.
    pub const fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// Whether the last value is alpha.
    pub const fn has_alpha(self) -> bool {
        matches!(self, Self::GreyAlpha | Self::Rgba)
    }

    /// Whether there is one colour value rather than three.
    pub const fn is_grey(self) -> bool {
        matches!(self, Self::Grey | Self::GreyAlpha)
    }
}

/// Bits a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// 0..=255.
    Eight,
    /// 0..=65535.
    Sixteen,
}

/// Pixel values, row by row from the top, a pixel's values side by side.
#[derive(Clone, PartialEq, Eq)]
pub enum Pixels {
    /// 8 bits a value.
    U8(Vec<u8>),
    /// 16 bits a value.
    U16(Vec<u16>),
}

impl Pixels {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::U16(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bits a value.
    pub fn depth(&self) -> Depth {
        match self {
            Self::U8(_) => Depth::Eight,
            Self::U16(_) => Depth::Sixteen,
        }
    }
}

impl fmt::Debug for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Enough to see what is going on, few enough to read.
        const SHOWN: usize = 16;
        let n = self.len().min(SHOWN);
        match self {
            Self::U8(values) => write!(f, "U8({} values: {:?}…)", values.len(), &values[..n]),
            Self::U16(values) => write!(f, "U16({} values: {:?}…)", values.len(), &values[..n]),
        }
    }
}

/// What a file says beside its pixels.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// An EXIF block: a TIFF header and its directories, without `Exif\0\0`.
    /// Its orientation is 1, it holds no thumbnail, and its pixel dimensions are
    /// the picture's own.
    pub exif: Option<Vec<u8>>,
    /// An XMP packet, UTF-8.
    pub xmp: Option<Vec<u8>>,
    /// The ICC profile the file came with. The pixels have been converted out of
    /// it, so it is only good for a report and is not written again.
    pub source_icc: Option<Vec<u8>>,
}

impl Metadata {
    /// Makes what it says about the pixels true of an upright sRGB picture of
    /// `[height, width]`.
    pub(crate) fn settle(&mut self, size: [usize; 2]) {
        if let Some(block) = &mut self.exif {
            exif::settle(block, size);
        }
        if let Some(packet) = &mut self.xmp {
            xmp::settle(packet, size);
        }
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = |field: &Option<Vec<u8>>| field.as_ref().map(Vec::len);
        f.debug_struct("Metadata")
            .field("exif_bytes", &bytes(&self.exif))
            .field("xmp_bytes", &bytes(&self.xmp))
            .field("source_icc_bytes", &bytes(&self.source_icc))
            .finish()
    }
}

/// A decoded picture: upright, sRGB, straight (not premultiplied) alpha.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    width: usize,
    height: usize,
    channels: Channels,
    pixels: Pixels,
    metadata: Metadata,
    source: Option<Format>,
}

impl Picture {
    /// A picture of sRGB values, without metadata.
    ///
    /// # Panics
    ///
    /// If a side is 0 or over `u32::MAX`, or `pixels` does not hold exactly
    /// `height · width · channels` values.
    pub fn new([height, width]: [usize; 2], channels: Channels, pixels: Pixels) -> Self {
        assert!(width > 0 && height > 0, "a picture has at least one pixel");
        assert!(u32::try_from(width.max(height)).is_ok(), "a side is at most u32::MAX");
        let want = width.checked_mul(height).and_then(|n| n.checked_mul(channels.count()));
        assert_eq!(Some(pixels.len()), want, "{height}×{width} {channels:?}");
        Self { width, height, channels, pixels, metadata: Metadata::default(), source: None }
    }

    /// The same picture with this metadata.
    #[must_use]
    pub fn with_metadata(self, metadata: Metadata) -> Self {
        Self { metadata, ..self }
    }

    /// The same picture, said to come from a file of this format.
    #[must_use]
    pub(crate) fn with_source(self, source: Format) -> Self {
        Self { source: Some(source), ..self }
    }

    /// Other pixels with this picture's metadata, made true of the new size.
    pub(crate) fn recoloured(&self, size: [usize; 2], channels: Channels, pixels: Pixels) -> Self {
        let mut metadata = self.metadata.clone();
        if size != self.size() {
            metadata.settle(size);
        }
        Self { source: self.source, metadata, ..Self::new(size, channels, pixels) }
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Height, then width, as in a tensor's shape.
    pub fn size(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// What one pixel is made of.
    pub fn channels(&self) -> Channels {
        self.channels
    }

    /// Bits a value.
    pub fn depth(&self) -> Depth {
        self.pixels.depth()
    }

    /// The values: sRGB, row by row from the top.
    pub fn pixels(&self) -> &Pixels {
        &self.pixels
    }

    /// What the file said beside its pixels.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The format it was decoded from, if it was.
    pub fn source(&self) -> Option<Format> {
        self.source
    }
}
