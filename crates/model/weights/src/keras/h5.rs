//! HDF5 files of Keras, and of anybody else.
//!
//! Three habits are told apart by what is in the file:
//!
//! - *legacy*, of Keras 1 and 2 and of Keras 3 when a file's name ends in `.h5` alone: the
//!   attribute `layer_names`, a group for each layer with the attribute `weight_names`;
//!   a whole model has this under `model_weights`, its configuration in an attribute;
//! - Keras 3's `.weights.h5`: groups `layers/CLASS_N/vars` with datasets `0`, `1`, …, and
//!   since 3.10 the layer's name as an attribute;
//! - none of them: the datasets under their paths.

use std::collections::BTreeMap;

use super::config::{Config, NamesByPath};
use super::variables;
use crate::checkpoint::{Entry, Listing, Reader};
use crate::hdf5::{self, Dataset, File, Object};
use crate::source::Source;
use crate::{Format, Limits, StateDict, WeightsError};

/// An HDF5 file whose tree is read, and whose values are not.
pub(crate) struct H5<'a> {
    file: File<'a>,
    datasets: Vec<Dataset>,
    listing: Listing,
}

/// Groups deeper than anybody nests models.
const MAX_DEPTH: usize = 64;

/// Objects for each tensor that the limits allow: Keras 3 has three groups for a layer.
const OBJECTS: usize = 8;

/// All objects of a file, by path.
#[derive(Default)]
struct Tree {
    groups: BTreeMap<String, Object>,
    datasets: BTreeMap<String, Object>,
}

impl<'a> H5<'a> {
    /// Reads a file's tree.
    pub(crate) fn open(source: Source<'a>, limits: &Limits) -> Result<Self, WeightsError> {
        Self::with_names(source, limits, &NamesByPath::default())
    }

    /// The same for the weights of an archive, whose configuration gives the layers' names.
    pub(crate) fn with_names(
        source: Source<'a>,
        limits: &Limits,
        by_path: &NamesByPath,
    ) -> Result<Self, WeightsError> {
        let (file, root) = File::open(source, limits)?;
        let mut this = Self { file, datasets: vec![], listing: Listing::default() };
        let mut tree = Tree::default();
        this.walk((String::new(), root.clone()), &mut vec![], &mut tree, limits)?;
        this.describe(&root, limits)?;
        let names = this.names(&root, &tree, by_path)?;
        for (name, path) in names {
            let object = tree.datasets.get(&path).ok_or_else(|| {
                hdf5::corrupt(root.at, format!("{path:?} is named and is not there"))
            })?;
            let dataset = this.file.dataset(object)?;
            let (shape, dtype) = (dataset.shape.clone(), dataset.dtype);
            this.listing.add(Entry { name, shape, dtype }, limits)?;
            this.datasets.push(dataset);
        }
        Ok(this)
    }

    pub(super) fn listing_mut(&mut self) -> &mut Listing {
        &mut self.listing
    }

    /// Collects everything under a group. `above` are the groups that it lies in.
    fn walk(
        &mut self,
        (path, group): (String, Object),
        above: &mut Vec<u64>,
        tree: &mut Tree,
        limits: &Limits,
    ) -> Result<(), WeightsError> {
        if above.contains(&group.at) {
            return Err(hdf5::corrupt(group.at, format!("group {path:?} contains itself")));
        }
        if above.len() >= MAX_DEPTH {
            return Err(hdf5::unsupported(format!("groups {MAX_DEPTH} deep")));
        }
        above.push(group.at);
        for (name, at) in self.file.children(&group)? {
            let object = self.file.object(at)?;
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            let objects = tree.groups.len() + tree.datasets.len();
            if objects >= limits.entries.saturating_mul(OBJECTS) {
                return Err(WeightsError::TooMany { limit: limits.entries });
            }
            if object.is_dataset() {
                tree.datasets.insert(path, object);
            } else if object.is_group() {
                self.walk((path, object), above, tree, limits)?;
            }
        }
        above.pop();
        tree.groups.insert(path, group);
        Ok(())
    }

    /// The texts of the root: what made the file, and the model's configuration.
    fn describe(&mut self, root: &Object, limits: &Limits) -> Result<(), WeightsError> {
        for key in ["keras_version", "backend"] {
            if let Some(text) = self.file.text(root, key)? {
                self.listing.describe(key, text, limits)?;
            }
        }
        if let Some(text) = self.file.text(root, "model_config")? {
            Config::parse(&text, limits)?.describe(&mut self.listing, limits)?;
        }
        Ok(())
    }

    /// The name and the path of each tensor.
    fn names(
        &mut self,
        root: &Object,
        tree: &Tree,
        by_path: &NamesByPath,
    ) -> Result<Vec<(String, String)>, WeightsError> {
        let prefix = match tree.groups.get("model_weights") {
            Some(group) if self.file.long_texts(group, "layer_names")?.is_some() => "model_weights",
            _ => "",
        };
        let top = tree.groups.get(prefix).unwrap_or(root);
        if let Some(layers) = self.file.long_texts(top, "layer_names")? {
            return self.legacy(prefix, &layers, tree);
        }
        let is_keras3 = |path: &String| variables::place(path).is_some();
        if tree.datasets.keys().any(is_keras3) {
            return self.keras3(tree, by_path);
        }
        Ok(tree.datasets.keys().map(|path| (path.clone(), path.clone())).collect())
    }

    fn legacy(
        &mut self,
        prefix: &str,
        layers: &[String],
        tree: &Tree,
    ) -> Result<Vec<(String, String)>, WeightsError> {
        let mut names = vec![];
        let top = "top_level_model_weights".to_owned();
        let is_top_there = tree.groups.contains_key(&join(prefix, &top));
        for layer in layers.iter().chain(is_top_there.then_some(&top)) {
            let path = join(prefix, layer);
            let group = tree.groups.get(&path).ok_or_else(|| {
                hdf5::corrupt(0, format!("layer {layer:?} is named and is not there"))
            })?;
            let stored = self.file.long_texts(group, "weight_names")?.unwrap_or_default();
            for (name, stored) in variables::legacy(layer, &stored) {
                names.push((name, join(&path, &stored)));
            }
        }
        Ok(names)
    }

    fn keras3(
        &mut self,
        tree: &Tree,
        by_path: &NamesByPath,
    ) -> Result<Vec<(String, String)>, WeightsError> {
        let mut layers: BTreeMap<&str, Vec<(usize, &String)>> = BTreeMap::new();
        for path in tree.datasets.keys() {
            if let Some((layer, index)) = variables::place(path) {
                layers.entry(layer).or_default().push((index, path));
            }
        }
        let mut names = vec![];
        for (layer, mut found) in layers {
            found.sort_unstable();
            let name = self.layer_name(layer, tree, by_path)?;
            let class = layer.rsplit('/').next().unwrap_or(layer);
            for (variable, (_, path)) in
                variables::of_class(class, found.len()).into_iter().zip(found)
            {
                names.push((join(&name, &variable), path.clone()));
            }
        }
        Ok(names)
    }

    /// The name of the layer at a path, with those of the models that it lies in.
    fn layer_name(
        &mut self,
        path: &str,
        tree: &Tree,
        by_path: &NamesByPath,
    ) -> Result<String, WeightsError> {
        let mut name = String::new();
        let mut reached = String::new();
        for part in path.split('/') {
            reached = join(&reached, part);
            if variables::is_container(part) {
                continue;
            }
            let own = match tree.groups.get(&join(&reached, "vars")) {
                Some(vars) => self.file.text(vars, "name")?,
                None => None,
            };
            let own = own.or_else(|| by_path.get(&reached).cloned());
            name = join(&name, own.as_deref().unwrap_or(part));
        }
        Ok(name)
    }
}

fn join(a: &str, b: &str) -> String {
    if a.is_empty() { b.to_owned() } else { format!("{a}/{b}") }
}

impl Reader for H5<'_> {
    fn listing(&self) -> &Listing {
        &self.listing
    }

    fn load(&mut self, _: &Limits) -> Result<StateDict, WeightsError> {
        let mut dict = StateDict::new();
        for (entry, dataset) in self.listing.entries.iter().zip(&self.datasets) {
            let values = self.file.values(dataset)?;
            if dict.insert(entry.name.clone(), values).is_some() {
                let what = format!("two tensors called {}", entry.name);
                return Err(WeightsError::unsupported(Format::Hdf5, what));
            }
        }
        Ok(dict)
    }
}
