//! From storages to tensors.

use std::io::Read;

use tensor::Tensor;

use super::object::View;
use crate::checkpoint::Listing;
use crate::dtype::{Endian, decode};
use crate::source::{io_error, to_usize, volume};
use crate::{DType, Format, Limits, StateDict, WeightsError};

/// Gives the bytes of a storage and how many there are.
pub(super) trait Storages {
    fn storage(&mut self, key: &str) -> Result<(Box<dyn Read + '_>, u64), WeightsError>;
}

/// Reads each storage once and copies its views out of it.
pub(super) fn load(
    listing: &Listing,
    views: &[View],
    storages: &mut impl Storages,
    ((format, endian), limits): ((Format, Endian), &Limits),
) -> Result<StateDict, WeightsError> {
    let mut dict = StateDict::new();
    let mut order: Vec<usize> = (0..views.len()).collect();
    order.sort_by_key(|&i| (&views[i].storage.key, views[i].dtype));
    for same in order.chunk_by(|&a, &b| place(&views[a]) == place(&views[b])) {
        let (key, dtype) = place(&views[same[0]]);
        let (reader, bytes) = storages.storage(key)?;
        let count = bytes / dtype.size() as u64;
        limits.check_bytes(count.saturating_mul(size_of::<f32>() as u64))?;
        let values = decode(reader, (dtype, endian), to_usize(count)?, bytes)
            .map_err(|e| io_error(format, 0, e))?;
        let mut values = Some(values);
        for (n, &i) in same.iter().enumerate() {
            let is_last = n + 1 == same.len();
            let tensor =
                view(&views[i], &mut values, if is_last { Use::Last } else { Use::Shared });
            let name = &listing.entries[i].name;
            let tensor = tensor.ok_or_else(|| {
                WeightsError::corrupt(format, 0, format!("{name} lies outside its storage"))
            })?;
            dict.insert(name.clone(), tensor);
        }
    }
    Ok(dict)
}

fn place(view: &View) -> (&str, DType) {
    (&view.storage.key, view.dtype)
}

/// Whether somebody else still needs the storage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Shared,
    Last,
}

fn view(view: &View, storage: &mut Option<Vec<f32>>, how: Use) -> Option<Tensor> {
    let View { shape, strides, offset, .. } = view;
    let count = volume(shape)?;
    if *offset == 0
        && how == Use::Last
        && is_contiguous(shape, strides)
        && storage.as_ref()?.len() == count
    {
        return Some(Tensor::new(shape.clone(), storage.take()?));
    }
    let storage = storage.as_ref()?;
    if is_contiguous(shape, strides) {
        let values = storage.get(*offset..)?.get(..count)?;
        return Some(Tensor::new(shape.clone(), values.to_vec()));
    }
    let mut values = Vec::with_capacity(count);
    let mut index = vec![0; shape.len()];
    let mut at = *offset;
    for _ in 0..count {
        values.push(*storage.get(at)?);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at = at.checked_add(strides[axis])?;
            if index[axis] < shape[axis] {
                break;
            }
            at -= shape[axis] * strides[axis];
            index[axis] = 0;
        }
    }
    Some(Tensor::new(shape.clone(), values))
}

fn is_contiguous(shape: &[usize], strides: &[usize]) -> bool {
    let mut step = 1usize;
    shape.iter().zip(strides).rev().all(|(&n, &stride)| {
        let fits = n == 1 || stride == step;
        step = step.saturating_mul(n);
        fits
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pytorch::object::Storage;

    fn of(shape: &[usize], strides: &[usize], offset: usize) -> Option<Vec<f32>> {
        let storage = Storage { key: String::new(), dtype: None, len: 6, start: 0 };
        let (shape, strides) = (shape.to_vec(), strides.to_vec());
        let v = View { storage, dtype: DType::F32, offset, shape, strides };
        let mut values = Some((0..6u8).map(f32::from).collect());
        view(&v, &mut values, Use::Last).map(Tensor::into_data)
    }

    #[test]
    fn any_view_of_a_storage() {
        assert_eq!(of(&[2, 3], &[3, 1], 0).unwrap(), [0., 1., 2., 3., 4., 5.]);
        assert_eq!(of(&[3, 2], &[1, 3], 0).unwrap(), [0., 3., 1., 4., 2., 5.]);
        assert_eq!(of(&[2], &[1], 4).unwrap(), [4., 5.]);
        assert_eq!(of(&[3, 2], &[0, 2], 1).unwrap(), [1., 3., 1., 3., 1., 3.]);
        assert_eq!(of(&[], &[], 3).unwrap(), [3.]);
        assert!(of(&[0, 3], &[3, 1], 9).is_none_or(|v| v.is_empty()));
        assert_eq!(of(&[2], &[1], 5), None);
        assert_eq!(of(&[2, 2], &[5, 1], 0), None);
    }
}
