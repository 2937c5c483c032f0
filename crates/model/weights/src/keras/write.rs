//! Writing weights so that Keras loads them.

use std::collections::BTreeMap;
use std::path::Path;

use graph::Graph;

use super::Table;
use super::archive::{CONFIG, METADATA, WEIGHTS};
use super::config::snake_case;
use super::model::configuration;
use super::table::Row;
use crate::archive::write_archive;
use crate::hdf5::{Group, write_hdf5};
use crate::write::{atomically, check};
use crate::{Format, Precision, StateDict, WeightsError};

/// How Keras finds the layer that a tensor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `NAME.weights.h5`, for `load_weights` of Keras 3: by each layer's class and its place
    /// among those of that class.
    Keras3,
    /// `NAME.h5`, for `load_weights` of any Keras: by the layers' order, or by their names
    /// with `by_name=True`.
    Legacy,
}

impl Kind {
    /// The kind that a file's name asks for, if any.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?;
        if !extension.eq_ignore_ascii_case("h5") && !extension.eq_ignore_ascii_case("hdf5") {
            return None;
        }
        let inner = Path::new(path.file_stem()?).extension();
        let is_weights = inner.is_some_and(|inner| inner.eq_ignore_ascii_case("weights"));
        Some(if is_weights { Self::Keras3 } else { Self::Legacy })
    }
}

/// Writes a graph's tensors with Keras's names and axes.
///
/// The layers come in the graph's order, which is that of a Keras model whose layers were
/// made in it. The file is written under another name and renamed.
///
/// # Errors
///
/// If the tensors are not the table's, the precision is one that Keras has no files of, or
/// the operating system refuses.
pub fn write(
    path: &Path,
    table: &Table,
    tensors: StateDict,
    how: (Kind, Precision),
) -> Result<(), WeightsError> {
    let (kind, precision) = how;
    let tensors = kerass(table, tensors, precision)?;
    let mut root = Group::default();
    match kind {
        Kind::Keras3 => keras3(&mut root, layers(table), &tensors)?,
        Kind::Legacy => legacy(&mut root, table, &tensors),
    }
    atomically(path, |file| write_hdf5(file, &root, precision))
}

/// Writes a graph with its tensors as a `.keras` archive: a whole model, for `load_model` of
/// Keras 3, which computes what the graph does, channels last.
///
/// Where the graph goes with pictures of one size only (it has a dense layer behind a
/// flattening), or repeats values over a plane, the model is one for pictures of `size`,
/// `[height, width]`; otherwise for pictures of any size. The same content gives the same
/// bytes. The file is written under another name and renamed.
///
/// # Errors
///
/// As [`write()`], and [`WeightsError::Keras`] for what Keras has no layer for, such as a border
/// of mirrored pixels.
pub fn write_model(
    path: &Path,
    graph: &Graph,
    tensors: StateDict,
    how: ([usize; 2], Precision),
) -> Result<(), WeightsError> {
    let (size, precision) = how;
    let table = Table::of(graph);
    let model = configuration(graph, &table, size)?;
    let tensors = kerass(&table, tensors, precision)?;
    let mut layers = layers(&table);
    let place = |layer: &str| model.order.iter().position(|name| name == layer);
    layers.retain(|(layer, _)| place(layer).is_some());
    layers.sort_by_key(|(layer, _)| place(layer));
    let mut root = Group::default();
    keras3(&mut root, layers, &tensors)?;
    let mut weights = vec![];
    write_hdf5(&mut weights, &root, precision)?;
    let metadata = serde_json::json!({ "keras_version": KERAS });
    let members = [
        (METADATA, metadata.to_string().into_bytes()),
        (CONFIG, model.json.to_string().into_bytes()),
        (WEIGHTS, weights),
    ];
    atomically(path, |file| write_archive(file, &members))
}

/// The version of Keras that archives are held to.
const KERAS: &str = "3.15.1";

/// A graph's tensors as Keras has them, if they can be written in this precision.
fn kerass(
    table: &Table,
    tensors: StateDict,
    precision: Precision,
) -> Result<StateDict, WeightsError> {
    let tensors = table.to_keras(tensors)?;
    if precision == Precision::Bf16 {
        return Err(WeightsError::unsupported(Format::Hdf5, "bfloat16 for Keras"));
    }
    check(&tensors, precision)?;
    Ok(tensors)
}

fn keras3<'t>(
    root: &mut Group<'t>,
    layers: Vec<(&str, Vec<&Row>)>,
    tensors: &'t StateDict,
) -> Result<(), WeightsError> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (layer, rows) in layers {
        if layer.contains('/') {
            let what = format!("a layer of a model inside the model, {layer:?}, in .weights.h5");
            return Err(WeightsError::unsupported(Format::Hdf5, what));
        }
        let class = snake_case(rows[0].class);
        let count = counts.entry(class.clone()).or_default();
        let own = if *count == 0 { class } else { format!("{class}_{count}") };
        *count += 1;
        let vars = format!("layers/{own}/vars");
        root.at(&vars).text("name", layer);
        for (i, row) in rows.iter().enumerate() {
            root.dataset(&format!("{vars}/{i}"), &tensors[&row.name()]);
        }
    }
    Ok(())
}

fn legacy<'t>(root: &mut Group<'t>, table: &Table, tensors: &'t StateDict) {
    // The weights of a model inside the model are all in its own group.
    let mut groups: Vec<(&str, Vec<String>)> = vec![];
    for (layer, rows) in layers(table) {
        let group = layer.split('/').next().unwrap_or(layer);
        if groups.last().is_none_or(|(last, _)| *last != group) {
            groups.push((group, vec![]));
        }
        for row in rows {
            let name = row.name();
            root.dataset(&format!("{group}/{name}"), &tensors[&name]);
            if let Some((_, names)) = groups.last_mut() {
                names.push(name);
            }
        }
    }
    let order: Vec<String> = groups.iter().map(|(group, _)| (*group).to_owned()).collect();
    root.texts("layer_names", &order);
    root.text("backend", "tensorflow");
    root.text("keras_version", "2.15.0"); // the last to make these by default
    for (group, names) in groups {
        root.at(group).texts("weight_names", &names);
    }
}

/// The rows of each layer, layers in the graph's order.
fn layers(table: &Table) -> Vec<(&str, Vec<&Row>)> {
    let mut places = BTreeMap::new();
    let mut layers: Vec<(&str, Vec<&Row>)> = vec![];
    for row in table.rows() {
        let place = *places.entry(row.layer.as_str()).or_insert_with(|| {
            layers.push((&row.layer, vec![]));
            layers.len() - 1
        });
        layers[place].1.push(row);
    }
    layers
}
