//! What a run is begun with, for its folder: the studio goes on with it from there.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pentimento::train::style::{Origin, Settings, StyleRun};

use super::flags;
use crate::train::course::Desk;

/// Writes it down.
pub(super) fn write(
    flags: &flags::Style,
    desk: &Desk<'_>,
    (run, notes): (&StyleRun, Vec<(&'static str, String)>),
) -> anyhow::Result<()> {
    let picture = &flags.style_picture;
    let bytes = fs::read(picture).with_context(|| picture.display().to_string())?;
    let ending = picture.extension().unwrap_or_else(|| OsStr::new("png"));
    let heads = flags.lpips_heads.as_deref();
    let settings = Settings {
        origin: Origin::Command,
        output: whole(&flags.run.output),
        painting: Path::new("painting").with_extension(ending),
        photographs: whole(&flags.photos),
        loss_network: flags.losses.loss_network.as_deref().map(Path::new).and_then(there),
        lpips_heads: heads.map(whole),
        previews: flags.previews.preview.iter().map(|path| whole(path)).collect(),
        recipe: run.recipe().clone(),
        seed: flags.run.seed,
        recompute: flags.recompute,
        preview_every: flags.previews.preview_every.get(),
        checkpoint_every: flags.run.checkpoint_every.get(),
        notes: desk.notes(notes),
    };
    Ok(settings.write(&desk.folder, &bytes)?)
}

/// A path that means the same wherever a program is started.
fn whole(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// The file that is meant, if it is one and no name of a network.
fn there(path: &Path) -> Option<PathBuf> {
    path.exists().then(|| whole(path))
}
