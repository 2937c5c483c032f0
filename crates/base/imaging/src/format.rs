use std::{fmt, path::Path};

use crate::ImagingError;

/// A picture file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// JPEG (JFIF, Exif or Adobe).
    Jpeg,
    /// PNG.
    Png,
    /// WebP, lossy or lossless.
    WebP,
    /// TIFF.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// GIF; read only.
    Gif,
    /// AVIF; recognised only.
    Avif,
}

impl Format {
    /// The format that the first bytes of a file show, whatever its name says.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let at = |offset: usize, magic: &[u8]| {
            bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic))
        };
        match () {
            () if at(0, b"\xff\xd8\xff") => Some(Self::Jpeg),
            () if at(0, b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            () if at(0, b"RIFF") && at(8, b"WEBP") => Some(Self::WebP),
            () if at(0, b"II\x2a\0") || at(0, b"MM\0\x2a") => Some(Self::Tiff),
            () if at(0, b"II\x2b\0") || at(0, b"MM\0\x2b") => Some(Self::Tiff),
            () if at(0, b"BM") => Some(Self::Bmp),
            () if at(0, b"GIF87a") || at(0, b"GIF89a") => Some(Self::Gif),
            () if at(4, b"ftypavif") || at(4, b"ftypavis") => Some(Self::Avif),
            () => None,
        }
    }

    /// The format that a file name's ending asks for, in either case.
    ///
    /// # Errors
    ///
    /// [`ImagingError::UnknownExtension`] for any that cannot be written.
    pub fn for_path(path: &Path) -> Result<Self, ImagingError> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match extension.as_str() {
            "jpg" | "jpeg" | "jpe" | "jfif" => Ok(Self::Jpeg),
            "png" => Ok(Self::Png),
            "webp" => Ok(Self::WebP),
            "tif" | "tiff" => Ok(Self::Tiff),
            "bmp" => Ok(Self::Bmp),
            _ => Err(ImagingError::UnknownExtension { extension }),
        }
    }

    /// The usual file name ending, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Tiff => "tif",
            Self::Bmp => "bmp",
            Self::Gif => "gif",
            Self::Avif => "avif",
        }
    }

    /// Whether [`encode`](crate::encode) writes it.
    pub fn can_write(self) -> bool {
        !matches!(self, Self::Gif | Self::Avif)
    }

    /// What can be read, in words.
    pub(crate) fn readable() -> &'static str {
        "JPEG, PNG, WebP, TIFF, BMP or GIF"
    }

    /// What can be written, in words.
    pub(crate) fn writable() -> &'static str {
        ".jpg, .png, .webp, .tif or .bmp"
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::Gif => "GIF",
            Self::Avif => "AVIF",
        })
    }
}
