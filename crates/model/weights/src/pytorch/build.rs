//! The constructors that a pickle may call.

use super::globals::Global;
use super::object::{Heap, Object, Ref, Storage, View};
use crate::checkpoint::MAX_RANK;
use crate::source::volume;

/// Storages are called by short numbers; a long key, once in the file, could be copied many times.
const MAX_KEY: usize = 256;

/// What `global(*arguments)` gives; `None` if it does not take these arguments.
pub(super) fn call(heap: &Heap, global: Global, arguments: &[Ref]) -> Option<Object> {
    match global {
        Global::OrderedDict => ordered_dict(heap, arguments),
        Global::Tensor => tensor(heap, arguments, None),
        Global::TypedTensor => {
            let Object::Global(Global::DType(_)) = heap[*arguments.get(6)?] else { return None };
            tensor(heap, arguments, Some(arguments[6]))
        }
        Global::Parameter => match &heap[*arguments.first()?] {
            tensor @ Object::Tensor(_) => Some(tensor.clone()),
            _ => None,
        },
        Global::Size => match arguments {
            [] => Some(Object::Sequence(vec![])),
            [sizes] => {
                let sizes = heap.sequence(*sizes).filter(|sizes| sizes.len() <= MAX_RANK)?;
                Some(Object::Sequence(sizes.to_vec()))
            }
            _ => None,
        },
        Global::Device => Some(Object::Opaque),
        Global::DType(_) | Global::Storage(_) => None,
    }
}

/// `OrderedDict()`, or Python 2's `OrderedDict([[key, value], …])`.
fn ordered_dict(heap: &Heap, arguments: &[Ref]) -> Option<Object> {
    let items = match arguments {
        [] => &[][..],
        [items] => heap.sequence(*items)?,
        _ => return None,
    };
    let pair = |&item: &Ref| match heap.sequence(item)? {
        &[key, value] => Some((key, value)),
        _ => None,
    };
    Some(Object::Dict(items.iter().map(pair).collect::<Option<_>>()?))
}

/// `_rebuild_tensor*(storage, offset, sizes, strides, …)`.
fn tensor(heap: &Heap, arguments: &[Ref], dtype: Option<Ref>) -> Option<Object> {
    let &[storage, offset, sizes, strides, ..] = arguments else { return None };
    let Object::Storage(storage) = &heap[storage] else { return None };
    let dtype = match dtype.map(|r| &heap[r]) {
        Some(Object::Global(Global::DType(dtype))) => *dtype,
        _ => storage.dtype?,
    };
    let numbers = |r: Ref| {
        let items = heap.sequence(r).filter(|items| items.len() <= MAX_RANK)?;
        items.iter().map(|&r| heap.number::<usize>(r)).collect::<Option<Vec<_>>>()
    };
    let (shape, strides) = (numbers(sizes)?, numbers(strides)?);
    let offset = heap.number::<usize>(offset)?;
    let offset = offset.checked_add(usize::try_from(storage.start).ok()?)?;
    let view = View { storage: storage.clone(), dtype, offset, shape, strides };
    view.is_inside().then_some(Object::Tensor(view))
}

impl View {
    /// Whether every value lies inside the storage.
    fn is_inside(&self) -> bool {
        let Some(values) = volume(&self.shape) else { return false };
        if self.shape.len() != self.strides.len() {
            return false;
        }
        let Storage { dtype, len, start, .. } = &self.storage;
        let len = if dtype.is_some() { *len } else { len / self.dtype.size() as u64 };
        let mut steps = self.shape.iter().zip(&self.strides);
        let last = steps.try_fold(self.offset, |at, (&n, &stride)| {
            n.saturating_sub(1).checked_mul(stride).and_then(|step| at.checked_add(step))
        });
        values == 0 || last.is_some_and(|last| (last as u64) < start.saturating_add(len))
    }
}

/// A persistent id: `("storage", type, key, location, length)`, and in legacy files
/// `None` or `(key, offset, length)` of a part.
pub(super) fn storage(heap: &Heap, id: Ref) -> Option<Object> {
    let &[kind, class, key, _, len, ref part @ ..] = heap.sequence(id)? else { return None };
    let Object::Global(Global::Storage(dtype)) = heap[class] else { return None };
    if heap.text(kind)? != "storage" {
        return None;
    }
    let (mut start, mut len) = (0, heap.number::<u64>(len)?);
    if let Some(&[_, from, n]) = part.first().and_then(|&r| heap.sequence(r)) {
        let (from, n) = (heap.number::<u64>(from)?, heap.number::<u64>(n)?);
        if from.checked_add(n)? > len {
            return None;
        }
        (start, len) = (from, n);
    }
    let key = heap.text(key).filter(|key| key.len() <= MAX_KEY)?.to_owned();
    Some(Object::Storage(Storage { key, dtype, len, start }))
}
