//! Pictures that are shown to a network while it learns.

use std::path::PathBuf;

use pentimento::tensor::Tensor;
use pentimento::train::TrainError;
use pentimento::train::data::Folder;
use pentimento::train::run::{self, Journal, Preview};

/// The pictures that the flags name, or else two of those kept out.
pub(super) fn previews(
    named: &[PathBuf],
    [held_out, learnt]: [&Folder; 2],
) -> anyhow::Result<Vec<Preview>> {
    if named.is_empty() {
        return Ok(run::previews(held_out, learnt));
    }
    Ok(named.iter().map(|path| Preview::open(path)).collect::<Result<_, _>>()?)
}

/// Keeps what the network makes of each after so many steps.
pub(super) fn show(
    previews: &[Preview],
    (journal, step): (&mut Journal, u64),
    mut paint: impl FnMut(&Tensor) -> Result<Tensor, TrainError>,
) -> Result<(), TrainError> {
    for preview in previews {
        journal.preview(step, &preview.name, &paint(&preview.rgb)?)?;
    }
    Ok(())
}
