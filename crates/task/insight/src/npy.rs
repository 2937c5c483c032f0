//! NumPy's array files.

/// Values with their shape, as `numpy.load` reads them: version 1.0, little-endian
/// float32, last axis fastest.
///
/// # Panics
///
/// If the shape does not hold exactly that many values.
pub fn npy(shape: &[usize], values: &[f32]) -> Vec<u8> {
    assert_eq!(shape.iter().product::<usize>(), values.len(), "{shape:?}");
    let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let axes = if axes.len() == 1 { format!("{},", axes[0]) } else { axes.join(", ") };
    let head = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({axes}), }}");
    // The header ends in a line break and fills whole 64 bytes with what is before it.
    let length = (10 + head.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{head:<width$}\n", width = length - 1).into_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_reader_reads_it() {
        let values: Vec<f32> = (0..6u8).map(f32::from).collect();
        for shape in [&[6][..], &[2, 3], &[1, 3, 2]] {
            let bytes = npy(shape, &values);
            let read = weights::read_bytes(&bytes, &weights::Limits::default()).unwrap();
            let tensor = read.tensors.into_values().next().unwrap();
            assert_eq!((tensor.shape(), tensor.data()), (shape, &values[..]));
            assert_eq!((bytes.len() - 24) % 64, 0);
        }
    }
}
