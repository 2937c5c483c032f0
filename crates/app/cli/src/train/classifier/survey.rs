//! What is wrong with the pictures, told before hours are spent on them.

use std::time::{Duration, Instant};

use pentimento::imaging::Limits;
use pentimento::train::TrainError;
use pentimento::train::data::{Bad, Folder};

use super::flags::Classifier;
use crate::progress::say;

/// As long as anybody waits for a run to begin.
const LONGEST: Duration = Duration::from_secs(30);

/// Refuses pictures that cannot be read, or lists them, as the flags say.
pub(super) fn check<'f>(
    folders: impl Iterator<Item = &'f Folder>,
    limits: &Limits,
    flags: &Classifier,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let (mut bad, mut loose, mut seen, mut count) = (vec![], vec![], 0, 0);
    for folder in folders {
        loose.extend_from_slice(folder.unreadable());
        let found = folder.survey(limits, LONGEST.saturating_sub(began.elapsed()));
        (seen, count) = (seen + found.seen, count + folder.photos().len());
        bad.extend(found.bad);
        if let (true, Some(class)) = (flags.skip_unreadable, found.lost.first()) {
            let folder = folder.root().join(class);
            return Err(TrainError::LostClass { folder }.into());
        }
    }
    if seen < count {
        say(&format!("looked at {seen} of {count} pictures; the rest is as good as it turns out"));
    }
    if !(bad.is_empty() || flags.skip_unreadable) {
        let error = anyhow::Error::new(TrainError::Unreadable { count, bad });
        return Err(error.context("take them away, or --skip-unreadable trains without them"));
    }
    loose.extend(bad);
    for Bad { path, why } in &loose {
        say(&format!("left out {}: {why}", path.display()));
    }
    Ok(())
}
