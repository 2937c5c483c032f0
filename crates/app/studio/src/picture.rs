//! An uploaded picture, and pictures to be looked at.

use pentimento::imaging::{
    Depth, EncodeOptions, Filter, Fit, Format, ImagingError, Picture, encode,
};
use pentimento::pipeline::{COLORED, spread_of_colors};
use serde::Serialize;

use crate::id::Id;
use crate::time::now;

/// A picture as it came, decoded.
#[derive(Debug)]
pub(crate) struct Original {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) picture: Picture,
    pub(crate) format: Format,
    in_color: bool,
    uploaded: u64,
    sample: Option<&'static str>,
    pub(crate) created: f64,
}

/// What is told of a picture.
#[derive(Debug, Serialize)]
pub(crate) struct About<'a> {
    id: &'a Id,
    name: &'a str,
    width: usize,
    height: usize,
    format: &'static str,
    depth: u8,
    alpha: bool,
    grey: bool,
    in_color: bool,
    metadata: Vec<&'static str>,
    bytes: u64,
    sample: Option<&'static str>,
    created: f64,
}

impl Original {
    /// Of a file's bytes, already decoded.
    pub(crate) fn new(name: &str, picture: Picture, format: Format, uploaded: u64) -> Self {
        let in_color = spread_of_colors(&picture) >= COLORED;
        let (id, created) = (Id::new(), now());
        let name = shown_name(name, format);
        Self { id, name, picture, format, in_color, uploaded, sample: None, created }
    }

    pub(crate) fn of_sample(self, sample: &'static str) -> Self {
        Self { sample: Some(sample), ..self }
    }

    /// Whether it shows colours.
    pub(crate) fn in_color(&self) -> bool {
        self.in_color
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> u64 {
        bytes_of(&self.picture)
    }

    pub(crate) fn about(&self) -> About<'_> {
        let metadata = self.picture.metadata();
        let carried = [
            ("exif", metadata.exif.is_some()),
            ("icc", metadata.source_icc.is_some()),
            ("xmp", metadata.xmp.is_some()),
        ];
        About {
            id: &self.id,
            name: &self.name,
            width: self.picture.width(),
            height: self.picture.height(),
            format: format_name(self.format),
            depth: if self.picture.depth() == Depth::Eight { 8 } else { 16 },
            alpha: self.picture.channels().has_alpha(),
            grey: self.picture.channels().is_grey(),
            in_color: self.in_color,
            metadata: carried.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect(),
            bytes: self.uploaded,
            sample: self.sample,
            created: self.created,
        }
    }
}

/// Bytes of memory of a picture.
pub(crate) fn bytes_of(picture: &Picture) -> u64 {
    let width = if picture.depth() == Depth::Eight { 1 } else { 2 };
    let metadata = picture.metadata();
    let beside = [&metadata.exif, &metadata.xmp, &metadata.source_icc];
    let beside: usize = beside.into_iter().flatten().map(Vec::len).sum();
    (picture.pixels().len() * width + beside) as u64 + 1024
}

/// Characters of a name that are kept.
const NAME: usize = 120;

/// A file's name without folders and control characters.
fn shown_name(name: &str, format: Format) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME).collect();
    let name = name.trim();
    if name.is_empty() || name.chars().all(|c| c == '.') {
        return format!("picture.{}", format.extension());
    }
    name.to_owned()
}

/// Formats, as requests and answers call them.
pub(crate) const FORMATS: [(Format, &str, &str); 6] = [
    (Format::Jpeg, "jpeg", "image/jpeg"),
    (Format::Png, "png", "image/png"),
    (Format::WebP, "webp", "image/webp"),
    (Format::Tiff, "tiff", "image/tiff"),
    (Format::Bmp, "bmp", "image/bmp"),
    (Format::Gif, "gif", "image/gif"),
];

/// A format's name.
pub(crate) fn format_name(format: Format) -> &'static str {
    FORMATS.iter().find(|(f, ..)| *f == format).map_or("other", |(_, name, _)| name)
}

/// A format's media type.
pub(crate) fn media_type(format: Format) -> &'static str {
    let found = FORMATS.iter().find(|(f, ..)| *f == format);
    found.map_or("application/octet-stream", |(.., media)| media)
}

/// An encoded picture, to be looked at.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) bytes: Vec<u8>,
    pub(crate) media_type: &'static str,
    /// Height and width.
    pub(crate) size: [usize; 2],
}

/// Height and width of a picture that is shown no larger than `side`.
pub(crate) fn shown_size(own: [usize; 2], side: usize) -> [usize; 2] {
    if own[0].max(own[1]) <= side { own } else { Fit::Long(side).size(own) }
}

/// Encodes a picture at a size, without its metadata.
pub(crate) fn show(picture: &Picture, size: [usize; 2]) -> Result<Shown, ImagingError> {
    let rgb = if size == picture.size() {
        picture.to_rgb_tensor()
    } else {
        picture.to_rgb_tensor_of(size, Filter::Triangle)
    };
    if picture.channels().has_alpha() {
        return encoded(&picture.with_rgb_tensor(&rgb), Format::Png);
    }
    encoded(&Picture::from_rgb_tensor(&rgb, Depth::Eight), Format::Jpeg)
}

/// Encodes a picture that has been made to be looked at.
pub(crate) fn encoded(picture: &Picture, format: Format) -> Result<Shown, ImagingError> {
    let bytes =
        encode(picture, format, &EncodeOptions { quality: 90, ..EncodeOptions::default() })?;
    Ok(Shown { bytes, media_type: media_type(format), size: picture.size() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_folders_and_are_never_empty() {
        let of = |name: &str| shown_name(name, Format::Jpeg);
        assert_eq!(of("/etc/../passwd"), "passwd");
        assert_eq!(of("C:\\photos\\cat.jpg"), "cat.jpg");
        assert_eq!(of("cat\r\nSet-Cookie: a.jpg"), "catSet-Cookie: a.jpg");
        for name in ["", "..", "/", " \t", "a/"] {
            assert_eq!(of(name), "picture.jpg", "{name:?}");
        }
        assert_eq!(of(&"ä".repeat(500)).chars().count(), NAME);
    }
}
