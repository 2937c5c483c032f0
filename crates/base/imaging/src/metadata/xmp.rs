//! XMP packets are patched as text: the handful of properties that repeat what
//! the picture itself says.

/// Makes a packet true of an upright sRGB picture of `[height, width]`.
pub(crate) fn settle(packet: &mut Vec<u8>, [height, width]: [usize; 2]) {
    let [height, width] = [height, width].map(|side| side.to_string());
    for (property, value) in [
        ("tiff:Orientation", "1"),
        ("tiff:ImageWidth", &width),
        ("tiff:ImageLength", &height),
        ("exif:PixelXDimension", &width),
        ("exif:PixelYDimension", &height),
        ("exif:ColorSpace", "1"),
    ] {
        set(packet, property, value);
    }
}

/// Replaces a property's number, written as an attribute or as an element.
fn set(packet: &mut Vec<u8>, property: &str, value: &str) {
    let mut out = Vec::new();
    let mut rest = packet.as_slice();
    while let Some(at) = position(rest, property.as_bytes()) {
        let after = at + property.len();
        let opening = match &rest[after..] {
            [b'=', b'"' | b'\'', ..] => 2,
            [b'>', ..] => 1,
            _ => 0,
        };
        let start = after + opening;
        let digits = rest[start..].iter().take_while(|b| b.is_ascii_digit()).count();
        out.extend_from_slice(&rest[..start]);
        if opening > 0 && digits > 0 {
            out.extend_from_slice(value.as_bytes());
            rest = &rest[start + digits..];
        } else {
            rest = &rest[start..];
        }
    }
    if !out.is_empty() {
        out.extend_from_slice(rest);
        *packet = out;
    }
}

fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_a_property_are_settled() {
        let mut packet = br#"<x tiff:Orientation="6" exif:PixelXDimension='4000'>
            <tiff:ImageLength>10</tiff:ImageLength><tiff:Orientation/></x>"#
            .to_vec();
        settle(&mut packet, [30, 12345]);
        let want = r#"<x tiff:Orientation="1" exif:PixelXDimension='12345'>
            <tiff:ImageLength>30</tiff:ImageLength><tiff:Orientation/></x>"#;
        assert_eq!(std::str::from_utf8(&packet), Ok(want));
    }
}
