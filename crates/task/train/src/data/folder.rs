//! Which photographs there are, and which of them are kept for validation.

use std::path::{Path, PathBuf};

use imaging::Format;
use walkdir::{DirEntry, WalkDir};

use crate::{Random, TrainError, random::hashed};

/// The photographs in a folder and the folders below it, in an order that
/// depends on their names alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    root: PathBuf,
    classes: Vec<String>,
    photos: Vec<Photo>,
    unreadable: Vec<Bad>,
}

/// One photograph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// Its path from the folder's root.
    pub path: PathBuf,
    /// The number of its class; 0 if there are none.
    pub label: usize,
}

/// What was passed over, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Its path.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl Folder {
    /// Finds every file whose name ends as a picture's does.
    ///
    /// Hidden files and folders are passed over; links are followed, but never
    /// in a circle. What a file holds is not looked at yet.
    ///
    /// # Errors
    ///
    /// - [`TrainError::Io`] if `root` cannot be read.
    /// - [`TrainError::NoPictures`] if there is none.
    pub fn open(root: &Path) -> Result<Self, TrainError> {
        let mut folder =
            Self { root: root.to_owned(), classes: vec![], photos: vec![], unreadable: vec![] };
        let walk = WalkDir::new(root).follow_links(true).sort_by_file_name();
        for entry in walk.into_iter().filter_entry(|e| e.depth() == 0 || !hidden(e)) {
            match entry {
                Ok(entry) => folder.add(&entry),
                Err(e) if e.loop_ancestor().is_some() => {}
                Err(e) if e.depth() == 0 => return Err(TrainError::io(root)(e.into())),
                Err(e) => folder.unreadable.push(Bad {
                    path: e.path().unwrap_or(root).to_owned(),
                    why: e.io_error().map_or_else(|| e.to_string(), ToString::to_string),
                }),
            }
        }
        folder.photos.sort_by_cached_key(|photo| key(&photo.path));
        folder.or_none("")
    }

    /// A single picture, as a folder of its own.
    ///
    /// # Errors
    ///
    /// [`TrainError::Io`] if there is no such file.
    pub fn of_picture(path: &Path) -> Result<Self, TrainError> {
        std::fs::metadata(path).map_err(TrainError::io(path))?;
        let root = path.parent().unwrap_or(Path::new("")).to_owned();
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        let photos = vec![Photo { path: name, label: 0 }];
        Ok(Self { root, classes: vec![], photos, unreadable: vec![] })
    }

    /// As [`open`](Self::open), where each folder in `root` is a class: the
    /// photographs in and below `root/cats` are all cats.
    ///
    /// Labels are the places of the folders' names in their order; folders
    /// without photographs are no classes. Photographs in `root` itself are of no
    /// class, and listed as [`unreadable`](Self::unreadable).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn with_classes(root: &Path) -> Result<Self, TrainError> {
        let mut folder = Self::open(root)?;
        let (inside, loose): (Vec<Photo>, Vec<Photo>) =
            folder.photos.into_iter().partition(|photo| photo.path.components().count() > 1);
        folder.unreadable.extend(loose.into_iter().map(|photo| Bad {
            path: root.join(photo.path),
            why: "lies in no class's folder".to_owned(),
        }));
        let mut classes: Vec<String> = inside.iter().map(|photo| class(&photo.path)).collect();
        classes.sort();
        classes.dedup();
        let labelled = inside.into_iter().map(|photo| {
            let label = classes.partition_point(|name| *name < class(&photo.path));
            Photo { label, ..photo }
        });
        folder.photos = labelled.collect();
        folder.classes = classes;
        folder.or_none("; each class's pictures belong in a folder of their own")
    }

    /// Keeps a share of the photographs, 0 to 1, apart: what is left, then those
    /// kept apart, both in order.
    ///
    /// Which they are depends on the path of each alone, so that adding
    /// photographs moves none of the others. Hence the share is met only roughly.
    /// What could not be read is listed by the first half.
    #[must_use]
    pub fn split(mut self, share: f64) -> (Self, Self) {
        let apart = |photo: &Photo| (rank(&photo.path) >> 11) as f64 / (1u64 << 53) as f64;
        let photos = std::mem::take(&mut self.photos);
        let (kept, rest) = photos.into_iter().partition(|photo| apart(photo) < share);
        let validation = Self { photos: kept, unreadable: vec![], ..self.clone() };
        (Self { photos: rest, ..self }, validation)
    }

    /// As [`split`](Self::split), where a seed has its part in the choice.
    #[must_use]
    pub fn split_by_seed(mut self, share: f64, seed: u64) -> (Self, Self) {
        let apart = |photo: &Photo| Random::keyed(seed, &[rank(&photo.path)]).unit() < share;
        let photos = std::mem::take(&mut self.photos);
        let (kept, rest) = photos.into_iter().partition(apart);
        let validation = Self { photos: kept, unreadable: vec![], ..self.clone() };
        (Self { photos: rest, ..self }, validation)
    }

    /// At most `count` of the photographs, in order; which depends, as in
    /// [`split`](Self::split), on their paths.
    #[must_use]
    pub fn limited(mut self, count: usize) -> Self {
        let mut ranks: Vec<u64> = self.photos.iter().map(|photo| rank(&photo.path)).collect();
        ranks.sort_unstable();
        if let Some(&first_out) = ranks.get(count) {
            self.photos.retain(|photo| rank(&photo.path) < first_out);
        }
        self
    }

    /// The folder that was searched.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The photographs, in order.
    pub fn photos(&self) -> &[Photo] {
        &self.photos
    }

    /// The names of the classes, by label; empty without classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// What was passed over in the search.
    pub fn unreadable(&self) -> &[Bad] {
        &self.unreadable
    }

    /// A number that changes with any photograph's path or label, or their
    /// order: kept beside a checkpoint, it shows that a resumed run is given the
    /// same photographs.
    pub fn fingerprint(&self) -> u64 {
        let one = |photo: &Photo| (key(&photo.path), photo.label);
        let text: Vec<_> = self.photos.iter().map(one).collect();
        hashed(format!("{text:?}").as_bytes())
    }

    fn add(&mut self, entry: &DirEntry) {
        if !entry.file_type().is_file() || !has_picture_name(entry.path()) {
            return;
        }
        if let Ok(path) = entry.path().strip_prefix(&self.root) {
            self.photos.push(Photo { path: path.to_owned(), label: 0 });
        }
    }

    fn or_none(self, hint: &'static str) -> Result<Self, TrainError> {
        if self.photos.is_empty() {
            return Err(TrainError::NoPictures { folder: self.root, hint });
        }
        Ok(self)
    }
}

fn hidden(entry: &DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with('.')
}

fn has_picture_name(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    Format::for_path(path).is_ok() || ending.eq_ignore_ascii_case("gif")
}

/// The name of the folder right below the root.
fn class(path: &Path) -> String {
    path.iter().next().unwrap_or_default().to_string_lossy().into_owned()
}

/// A path that is the same on every system.
pub(super) fn key(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// A number in no relation to the path's place among others.
fn rank(path: &Path) -> u64 {
    hashed(key(path).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    fn paths(folder: &Folder) -> Vec<String> {
        folder.photos().iter().map(|photo| key(&photo.path)).collect()
    }

    #[test]
    fn finds_pictures_below_in_order_and_nothing_else() {
        let names =
            ["b/c/z.webp", "b.jpg", "a.PNG", ".a.png", ".hidden/a.png", "notes.txt", "b/a.gif"];
        let dir = folder(&names);
        let found = Folder::open(dir.path()).unwrap();
        assert_eq!(paths(&found), ["a.PNG", "b.jpg", "b/a.gif", "b/c/z.webp"]);
        assert_eq!(found.unreadable(), []);
    }

    #[test]
    fn classes_are_folders_in_the_order_of_their_names() {
        let dir =
            folder(&["dogs/a.jpg", "cats/deep/b.jpg", "cats/a.jpg", "empty/x.txt", "loose.jpg"]);
        let found = Folder::with_classes(dir.path()).unwrap();
        assert_eq!(found.classes(), ["cats", "dogs"]);
        let labels: Vec<usize> = found.photos().iter().map(|photo| photo.label).collect();
        assert_eq!(paths(&found), ["cats/a.jpg", "cats/deep/b.jpg", "dogs/a.jpg"]);
        assert_eq!(labels, [0, 0, 1]);
        assert_eq!(found.unreadable()[0].path, dir.path().join("loose.jpg"));
    }

    #[test]
    fn nothing_found_is_an_error_that_names_the_folder() {
        let dir = folder(&["a.txt"]);
        let message = Folder::open(dir.path()).unwrap_err().to_string();
        assert!(message.contains(&dir.path().display().to_string()), "{message}");
        let message = Folder::open(&dir.path().join("absent")).unwrap_err().to_string();
        assert!(message.contains("absent"), "{message}");
        let dir = folder(&["a.jpg"]);
        assert!(Folder::with_classes(dir.path()).unwrap_err().to_string().contains("each class"));
    }

    #[test]
    fn adding_photographs_moves_no_other_across_the_split() {
        let names: Vec<String> = (0..1000).map(|i| format!("{}/{i}.jpg", i % 7)).collect();
        let photo = |name: &String| Photo { path: name.into(), label: 0 };
        let of = |names: &[String]| Folder {
            root: "r".into(),
            classes: vec![],
            photos: names.iter().map(photo).collect(),
            unreadable: vec![],
        };
        let (few_rest, few_kept) = of(&names[..600]).split(0.1);
        let (rest, kept) = of(&names).split(0.1);
        assert!(paths(&few_kept).iter().all(|path| paths(&kept).contains(path)));
        assert!(paths(&few_rest).iter().all(|path| paths(&rest).contains(path)));
        assert_eq!(rest.photos().len() + kept.photos().len(), 1000);
        // 100 expected, with a standard deviation of 9.5
        assert!((55..145).contains(&kept.photos().len()), "{}", kept.photos().len());
        assert_eq!(of(&names).split(0.0).1.photos().len(), 0);
        assert_eq!(of(&names).split(1.0).0.photos().len(), 0);
        let some = of(&names).limited(50);
        assert_eq!((some.photos().len(), of(&names).limited(2000).photos().len()), (50, 1000));
        assert!(some.photos().is_sorted_by_key(|p| names.iter().position(|n| *n == key(&p.path))));
        assert_ne!(some.fingerprint(), kept.fingerprint());
    }
}
