use crate::{
    Channels, Format, Metadata, Picture, Pixels,
    decode::orient::{Orientation, oriented},
    metadata::exif,
    profile::{self, Tag},
};

/// EXIF or XMP of more bytes than this is not carried: no camera writes it.
const METADATA_LIMIT: usize = 16 << 20;

/// What a stored pixel is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// What a picture may be made of, in some colour space.
    Light(Channels),
    /// Cyan, magenta, yellow, black; the greatest value is full ink.
    Cmyk,
}

impl Ink {
    pub(crate) const fn count(self) -> usize {
        match self {
            Self::Light(channels) => channels.count(),
            Self::Cmyk => 4,
        }
    }
}

/// What a codec hands over: pixels and metadata as they are stored.
pub(crate) struct Raw {
    /// Height and width.
    pub(crate) size: [usize; 2],
    pub(crate) ink: Ink,
    pub(crate) pixels: Pixels,
    pub(crate) tag: Tag,
    pub(crate) exif: Option<Vec<u8>>,
    pub(crate) xmp: Option<Vec<u8>>,
}

impl Raw {
    pub(crate) fn new(size: [usize; 2], ink: Ink, pixels: Pixels) -> Self {
        debug_assert_eq!(pixels.len(), size[0] * size[1] * ink.count());
        Self { size, ink, pixels, tag: Tag::None, exif: None, xmp: None }
    }

    /// Converts to sRGB, turns upright, and makes the metadata say so.
    pub(crate) fn finish(self, format: Format) -> Picture {
        let kept =
            |block: Option<Vec<u8>>| block.filter(|b| !b.is_empty() && b.len() <= METADATA_LIMIT);
        let mut exif_block = kept(self.exif);
        let summary = exif_block.as_deref().and_then(exif::read);
        let tag = match (self.tag, &summary) {
            (Tag::None, Some(summary)) if summary.adobe_rgb => Tag::AdobeRgb,
            (tag, _) => tag,
        };
        let (channels, pixels) = profile::to_srgb(self.ink, self.pixels, &tag);
        let turn = summary.map_or(Orientation::Upright, |s| s.orientation);
        let (size, pixels) = oriented(turn, self.size, channels.count(), pixels);
        if summary.is_none() {
            exif_block = None; // not an EXIF block at all
        }
        let source_icc = match tag {
            Tag::Icc(profile) => Some(profile),
            _ => None,
        };
        let mut metadata = Metadata { exif: exif_block, xmp: kept(self.xmp), source_icc };
        metadata.settle(size);
        Picture::new(size, channels, pixels).with_metadata(metadata).with_source(format)
    }
}
