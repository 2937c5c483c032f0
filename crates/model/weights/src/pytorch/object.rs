//! What a pickle can build here: plain data and views of storages.

use std::collections::BTreeMap;
use std::ops::Index;

use super::globals::Global;
use crate::DType;

/// Names an object of one [`Heap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ref(u32);

/// All objects of a pickle. They name each other, so that sharing costs nothing.
#[derive(Debug, Default)]
pub(super) struct Heap(Vec<Object>);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Object {
    /// Something allowed that means nothing for tensors: `None`, a device, bytes.
    Opaque,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    /// A list, tuple or set.
    Sequence(Vec<Ref>),
    Dict(Vec<(Ref, Ref)>),
    Global(Global),
    Storage(Storage),
    Tensor(View),
}

/// A run of values in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) key: String,
    /// `None` for a storage of bytes, whose views say what they are.
    pub(super) dtype: Option<DType>,
    /// Values, or bytes if it has no type.
    pub(super) len: u64,
    /// Where this part begins in the storage that the file holds (legacy files only).
    pub(super) start: u64,
}

/// A tensor: some values of a storage, in some order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) storage: Storage,
    pub(super) dtype: DType,
    /// In values, from the start of the storage that the file holds.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

impl Heap {
    /// Adds an object, or says that there are too many.
    pub(super) fn add(&mut self, object: Object) -> Option<Ref> {
        let index = u32::try_from(self.0.len()).ok()?;
        self.0.push(object);
        Some(Ref(index))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get_mut(&mut self, r: Ref) -> &mut Object {
        &mut self.0[r.0 as usize]
    }

    pub(super) fn text(&self, r: Ref) -> Option<&str> {
        if let Object::Text(text) = &self[r] { Some(text) } else { None }
    }

    pub(super) fn sequence(&self, r: Ref) -> Option<&[Ref]> {
        if let Object::Sequence(items) = &self[r] { Some(items) } else { None }
    }

    pub(super) fn number<T: TryFrom<i128>>(&self, r: Ref) -> Option<T> {
        if let Object::Int(n) = self[r] { n.try_into().ok() } else { None }
    }
}

impl Index<Ref> for Heap {
    type Output = Object;

    fn index(&self, r: Ref) -> &Object {
        &self.0[r.0 as usize]
    }
}

impl Heap {
    /// Bytes of one value of each storage, by key.
    pub(super) fn storages(&self) -> Result<BTreeMap<String, u64>, String> {
        let mut sizes = BTreeMap::new();
        for object in &self.0 {
            let Object::Storage(Storage { key, dtype, .. }) = object else { continue };
            let size = dtype.map_or(1, DType::size) as u64;
            if *sizes.entry(key.clone()).or_insert(size) != size {
                return Err(format!("storage {key:?} has two types"));
            }
        }
        Ok(sizes)
    }
}
