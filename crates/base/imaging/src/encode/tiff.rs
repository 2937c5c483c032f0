use std::io::Cursor;

use tiff::{
    TiffResult,
    encoder::{
        Compression, DeflateLevel, DirectoryEncoder, TiffEncoder, TiffKindStandard, TiffValue,
        colortype::{ColorType, Gray8, Gray16, RGB8, RGB16, RGBA8, RGBA16},
    },
    tags::{PhotometricInterpretation, Predictor, SampleFormat, Tag, Type},
};

use super::{Effort, EncodeOptions, icc, refused, sides};
use crate::{Channels, Format, ImagingError, Picture, Pixels, metadata::tree};

const XMP: Tag = Tag::Unknown(700);
/// Straight alpha, in the `ExtraSamples` tag.
const UNASSOCIATED: u16 = 2;

type Encoder<'a> = TiffEncoder<Cursor<&'a mut Vec<u8>>, TiffKindStandard>;
type Directory<'a, 'b> = DirectoryEncoder<'a, Cursor<&'b mut Vec<u8>>, TiffKindStandard>;

pub(super) fn write(picture: &Picture, options: EncodeOptions) -> Result<Vec<u8>, ImagingError> {
    let size = sides(picture, Format::Tiff, u32::MAX)?;
    let mut out = Vec::new();
    encode(picture, size, options.effort, &mut out).map_err(|e| refused(Format::Tiff, &e))?;
    Ok(out)
}

fn encode(picture: &Picture, size: [u32; 2], effort: Effort, out: &mut Vec<u8>) -> TiffResult<()> {
    let level = match effort {
        Effort::Fast => DeflateLevel::Fast,
        Effort::Balanced => DeflateLevel::Balanced,
    };
    let mut encoder = TiffEncoder::new(Cursor::new(out))?
        .with_compression(Compression::Deflate(level))
        .with_predictor(Predictor::Horizontal);
    match (picture.channels(), picture.pixels()) {
        (Channels::Grey, Pixels::U8(v)) => image::<Gray8>(&mut encoder, picture, size, v),
        (Channels::Grey, Pixels::U16(v)) => image::<Gray16>(&mut encoder, picture, size, v),
        (Channels::GreyAlpha, Pixels::U8(v)) => {
            image::<GreyAlpha<u8>>(&mut encoder, picture, size, v)
        }
        (Channels::GreyAlpha, Pixels::U16(v)) => {
            image::<GreyAlpha<u16>>(&mut encoder, picture, size, v)
        }
        (Channels::Rgb, Pixels::U8(v)) => image::<RGB8>(&mut encoder, picture, size, v),
        (Channels::Rgb, Pixels::U16(v)) => image::<RGB16>(&mut encoder, picture, size, v),
        (Channels::Rgba, Pixels::U8(v)) => image::<RGBA8>(&mut encoder, picture, size, v),
        (Channels::Rgba, Pixels::U16(v)) => image::<RGBA16>(&mut encoder, picture, size, v),
    }
}

fn image<C: ColorType>(
    encoder: &mut Encoder,
    picture: &Picture,
    [width, height]: [u32; 2],
    values: &[C::Inner],
) -> TiffResult<()>
where
    [C::Inner]: TiffValue,
{
    let metadata = picture.metadata();
    let root = metadata.exif.as_deref().and_then(tree::read).unwrap_or_default();
    let mut pointers = Vec::new();
    for (tag, below) in &root.below {
        pointers.push((*tag, directory(encoder, below)?));
    }
    let mut image = encoder.new_image::<C>(width, height)?;
    let main = image.encoder();
    put(main, &root.entries, &pointers)?;
    if picture.channels().has_alpha() {
        main.write_tag(Tag::ExtraSamples, UNASSOCIATED)?;
    }
    if let Some(profile) = icc(picture) {
        put_bytes(main, Tag::IccProfile, Type::UNDEFINED, profile)?;
    }
    if let Some(xmp) = &metadata.xmp {
        put_bytes(main, XMP, Type::BYTE, xmp)?;
    }
    image.write_data(values)
}

/// Writes a directory of its own, those below it first, and says where it stands.
fn directory(encoder: &mut Encoder, source: &tree::Directory) -> TiffResult<u32> {
    let mut pointers = Vec::new();
    for (tag, below) in &source.below {
        pointers.push((*tag, directory(encoder, below)?));
    }
    let mut target = encoder.extra_directory()?;
    put(&mut target, &source.entries, &pointers)?;
    Ok(target.finish_with_offsets()?.offset)
}

fn put(target: &mut Directory, entries: &[tree::Entry], pointers: &[(u16, u32)]) -> TiffResult<()> {
    for entry in entries {
        if let Some(kind) = kind(entry.kind) {
            put_bytes(target, Tag::from_u16_exhaustive(entry.tag), kind, &entry.value)?;
        }
    }
    for (tag, offset) in pointers {
        target.write_tag(Tag::from_u16_exhaustive(*tag), *offset)?;
    }
    Ok(())
}

fn put_bytes(target: &mut Directory, tag: Tag, kind: Type, bytes: &[u8]) -> TiffResult<()> {
    let entry = target.write_entry_bytes(kind, bytes)?;
    target.extend_from(&[(tag, entry)].into_iter().collect());
    Ok(())
}

/// EXIF's types by number.
fn kind(number: u16) -> Option<Type> {
    Some(match number {
        1 => Type::BYTE,
        2 => Type::ASCII,
        3 => Type::SHORT,
        4 => Type::LONG,
        5 => Type::RATIONAL,
        6 => Type::SBYTE,
        7 => Type::UNDEFINED,
        8 => Type::SSHORT,
        9 => Type::SLONG,
        10 => Type::SRATIONAL,
        11 => Type::FLOAT,
        12 => Type::DOUBLE,
        _ => return None,
    })
}

/// Grey with alpha, which the codec has no colour type for.
struct GreyAlpha<T>(std::marker::PhantomData<T>);

macro_rules! grey_alpha {
    ($value:ty) => {
        impl ColorType for GreyAlpha<$value> {
            type Inner = $value;
            const TIFF_VALUE: PhotometricInterpretation = PhotometricInterpretation::BlackIsZero;
            const BITS_PER_SAMPLE: &'static [u16] = &[<$value>::BITS as u16; 2];
            const SAMPLE_FORMAT: &'static [SampleFormat] = &[SampleFormat::Uint; 2];

            fn horizontal_predict(row: &[$value], result: &mut Vec<$value>) {
                result.extend(row.iter().take(2));
                result.extend(row.iter().zip(row.iter().skip(2)).map(|(a, b)| b.wrapping_sub(*a)));
            }
        }
    };
}

grey_alpha!(u8);
grey_alpha!(u16);
