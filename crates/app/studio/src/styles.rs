//! The styles that ship, and those in the user's folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use pentimento::pipeline::{Shipped, Style, shipped};
use pentimento::weights::NetworkCard;
use serde::Serialize;

use crate::fault::{Fault, sentence};
use crate::id::Id;

/// A style that can be asked for.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: Id,
    name: String,
    pub(crate) title: String,
    painting: String,
    licence: String,
    bytes: u64,
    card: NetworkCard,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    Ships(Shipped),
    File(PathBuf),
}

/// What is told of a style.
#[derive(Debug, Serialize)]
pub(crate) struct About<'a> {
    id: &'a Id,
    name: &'a str,
    title: &'a str,
    painting: &'a str,
    licence: &'a str,
    origin: &'static str,
    network: &'a str,
    bytes: u64,
}

/// A file that looks like weights and cannot be used.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Problem {
    file: String,
    message: String,
}

/// All styles.
#[derive(Debug)]
pub(crate) struct Styles {
    folder: PathBuf,
    ships: OnceLock<Vec<Entry>>,
    files: Mutex<BTreeMap<PathBuf, Seen>>,
}

/// A file as it was when it was looked into.
#[derive(Clone, Debug)]
struct Seen {
    changed: Option<SystemTime>,
    bytes: u64,
    found: Found,
}

#[derive(Clone, Debug)]
enum Found {
    Style(Box<Entry>),
    Other,
    Problem(Problem),
}

/// Files of the folder that are looked into.
const MOST: usize = 500;

impl Styles {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, ships: OnceLock::new(), files: Mutex::default() }
    }

    /// Shipped ones first, then the user's, each by title; and what is wrong with other files.
    pub(crate) fn list(&self) -> Result<(Vec<Entry>, Vec<Problem>), Fault> {
        let mut all = self.ships()?.to_vec();
        let (mut own, mut problems) = (vec![], vec![]);
        for (_, seen) in self.look().iter() {
            match &seen.found {
                Found::Style(entry) => own.push((**entry).clone()),
                Found::Problem(problem) => problems.push(problem.clone()),
                Found::Other => {}
            }
        }
        own.sort_by(|a, b| a.title.cmp(&b.title));
        all.extend(own);
        Ok((all, problems))
    }

    /// The style of that name.
    pub(crate) fn find(&self, id: &str) -> Result<Entry, Fault> {
        let known = |entry: &&Entry| entry.id.as_str() == id;
        if let Some(entry) = self.ships()?.iter().find(known) {
            return Ok(entry.clone());
        }
        let files = self.look();
        let entries = files.values().filter_map(|seen| match &seen.found {
            Found::Style(entry) => Some(&**entry),
            _ => None,
        });
        entries.clone().find(known).cloned().ok_or_else(|| Fault::not_found("style"))
    }

    /// The style in a file of the folder.
    pub(crate) fn of_file(&self, path: &Path) -> Option<Id> {
        match &self.look().get(path)?.found {
            Found::Style(entry) => Some(entry.id.clone()),
            _ => None,
        }
    }

    fn ships(&self) -> Result<&[Entry], Fault> {
        if let Some(entries) = self.ships.get() {
            return Ok(entries);
        }
        let entry = |style: Shipped| {
            let origin = Origin::Ships(style);
            Ok(Entry::new(
                (Id::of(style.name), style.name),
                style.card()?,
                style.bytes.len() as u64,
                origin,
            ))
        };
        let mut entries = shipped().map(entry).collect::<Result<Vec<_>, Fault>>()?;
        entries.sort_by(|a, b| a.title.cmp(&b.title));
        Ok(self.ships.get_or_init(|| entries))
    }

    /// What the folder holds now. Files that have not changed are not read again.
    fn look(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Seen>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = BTreeMap::new();
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let weights = entries.map(|entry| entry.path()).filter(|path| looks_like_weights(path));
        for path in weights.take(MOST) {
            let Ok(about) = fs::metadata(&path) else { continue };
            let (changed, bytes) = (about.modified().ok(), about.len());
            let same = |seen: &Seen| seen.changed == changed && seen.bytes == bytes;
            let seen = files.remove(&path).filter(same).unwrap_or_else(|| {
                let found = found(&path, bytes);
                Seen { changed, bytes, found }
            });
            now.insert(path, seen);
        }
        *files = now;
        files
    }
}

fn looks_like_weights(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ["safetensors", "pth", "pt", "npz"].iter().any(|known| ending == *known) && path.is_file()
}

fn found(path: &Path, bytes: u64) -> Found {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match Style::card_of_file(path) {
        Ok(Some(card)) => {
            let origin = Origin::File(path.to_owned());
            Found::Style(Box::new(Entry::new((Id::new(), &name), card, bytes, origin)))
        }
        Ok(None) => Found::Other,
        Err(error) => {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let folder = format!("{}/", path.parent().unwrap_or(path).display());
            Found::Problem(Problem { file, message: sentence(&error).replace(&folder, "") })
        }
    }
}

impl Entry {
    fn new((id, name): (Id, &str), card: NetworkCard, bytes: u64, origin: Origin) -> Self {
        let note = |key: &str| card.notes.get(key).cloned().unwrap_or_default();
        let title = Some(note("title")).filter(|title| !title.is_empty());
        Self {
            id,
            name: name.to_owned(),
            title: title.unwrap_or_else(|| name.to_owned()),
            painting: note("painting"),
            licence: note("licence"),
            bytes,
            card,
            origin,
        }
    }

    /// What its file says of itself.
    pub(crate) fn card(&self) -> NetworkCard {
        self.card.clone()
    }

    /// Reads the weights.
    pub(crate) fn open(&self) -> Result<Style, Fault> {
        Ok(match &self.origin {
            Origin::Ships(style) => style.open()?,
            Origin::File(path) => Style::from_file(path)?,
        })
    }

    /// The bytes of the file, if it ships.
    pub(crate) fn shipped(&self) -> Option<Shipped> {
        match &self.origin {
            Origin::Ships(style) => Some(*style),
            Origin::File(_) => None,
        }
    }

    /// The file, if it is the user's.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.origin {
            Origin::Ships(_) => None,
            Origin::File(path) => Some(path),
        }
    }

    pub(crate) fn about(&self) -> About<'_> {
        About {
            id: &self.id,
            name: &self.name,
            title: &self.title,
            painting: &self.painting,
            licence: &self.licence,
            origin: if self.shipped().is_some() { "shipped" } else { "user" },
            network: &self.card.network,
            bytes: self.bytes,
        }
    }
}
