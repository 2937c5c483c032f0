//! Finding the pictures in a folder.

use std::path::{Path, PathBuf};

use imaging::Format;
use walkdir::{DirEntry, WalkDir};

/// Whether folders inside a folder are searched too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recursion {
    /// Only what lies in the folder itself.
    #[default]
    Flat,
    /// Everything below it.
    Deep,
}

/// A part of a folder that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Which.
    pub path: PathBuf,
    /// The operating system's words.
    pub error: String,
}

/// The pictures below `folder`, by their names' endings, ordered by path;
/// and what could not be read.
///
/// Hidden files and folders, and all of `except`, are passed over. Links are
/// followed, but never in a circle.
pub(crate) fn pictures(
    folder: &Path,
    recursion: Recursion,
    except: &Path,
) -> (Vec<PathBuf>, Vec<Unreadable>) {
    let depth = match recursion {
        Recursion::Flat => 1,
        Recursion::Deep => usize::MAX,
    };
    let except = except.canonicalize().ok();
    let wanted = |entry: &DirEntry| {
        entry.depth() == 0 || !(hidden(entry) || is_folder(entry.path(), except.as_deref()))
    };
    let (mut found, mut unreadable) = (vec![], vec![]);
    let walk = WalkDir::new(folder).max_depth(depth).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(wanted) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && has_picture_name(entry.path()) => {
                found.push(entry.into_path());
            }
            Ok(_) => {}
            Err(e) if e.loop_ancestor().is_some() => {}
            Err(e) => {
                let path = e.path().unwrap_or(folder).to_owned();
                let error = e.io_error().map_or_else(|| e.to_string(), ToString::to_string);
                unreadable.push(Unreadable { path, error });
            }
        }
    }
    (found, unreadable)
}

fn hidden(entry: &DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with('.')
}

fn is_folder(path: &Path, folder: Option<&Path>) -> bool {
    // Names first: asking the file system for every picture would be slow.
    folder.is_some_and(|f| {
        f.file_name() == path.file_name() && path.canonicalize().is_ok_and(|p| p == f)
    })
}

/// Whether a file is a picture by its name.
fn has_picture_name(path: &Path) -> bool {
    const READ_ONLY: [&str; 2] = ["gif", "avif"];
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    Format::for_path(path).is_ok() || READ_ONLY.contains(&ending.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn finds_pictures_in_order_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for folder in ["b", "out/b", ".thumbnails"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let files = ["z.JPG", "a.png", ".a.png", "notes.txt", "b/c.webp", "b/half.jpg.part"];
        let outputs = ["out/a.png", "out/b/c.webp", ".thumbnails/a.png"];
        for name in files.iter().chain(&outputs) {
            fs::write(root.join(name), "").unwrap();
        }
        let names = |recursion| {
            let (found, unreadable) = pictures(root, recursion, &root.join("out"));
            assert_eq!(unreadable, []);
            found.iter().map(|p| p.strip_prefix(root).unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(Recursion::Flat), ["a.png", "z.JPG"].map(PathBuf::from));
        assert_eq!(names(Recursion::Deep), ["a.png", "b/c.webp", "z.JPG"].map(PathBuf::from));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_back_does_not_trap_the_search() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.png"), "").unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("again")).unwrap();
        let (found, unreadable) = pictures(dir.path(), Recursion::Deep, Path::new("nowhere"));
        assert_eq!((found.len(), unreadable.len()), (1, 0));
    }
}
