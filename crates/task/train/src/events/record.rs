//! The framing of event files: `TFRecord`.

/// A record: length, its checksum, the data, their checksum; all little-endian.
///
/// # Source
///
/// `TensorFlow`, `lib/io/record_writer.h`.
pub(super) fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + 16);
    record.extend_from_slice(&length);
    record.extend_from_slice(&masked(&length).to_le_bytes());
    record.extend_from_slice(data);
    record.extend_from_slice(&masked(data).to_le_bytes());
    record
}

/// CRC-32C, turned and shifted, so that a checksum of data that hold their own
/// checksum is no trivial number.
fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720, B.4: 32 zeros; then an empty record, which is four constants.
    #[test]
    fn checksums_are_castagnolis() {
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        let empty = framed(&[]);
        assert_eq!(empty.len(), 16);
        assert_eq!(empty[12..], 0xa282_ead8u32.to_le_bytes());
    }
}
