//! Virtual environments for the chores that need Python. The product and its tests need none.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell;

/// The interpreter of a virtual environment under the target folder, in which
/// exactly `requirements` are installed. Made, or made anew, where needed.
pub(crate) fn environment(name: &str, requirements: &Path) -> Result<PathBuf> {
    let folder = shell::target_dir().join(name);
    let python = folder.join("bin/python");
    let wanted = fs::read_to_string(requirements)
        .with_context(|| format!("could not read {}", requirements.display()))?;
    let installed = folder.join("installed.txt"); // written last: an interrupted one is made anew
    if fs::read_to_string(&installed).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    println!("making the virtual environment {}", folder.display());
    let folder_text = folder.to_string_lossy();
    shell::run(shell::command("python3", &["-m", "venv", "--clear", &folder_text]))?;
    let file = requirements.to_string_lossy();
    let args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", &file];
    shell::run(shell::command(&python, &args))?;
    fs::write(&installed, wanted).context("could not note what is installed")?;
    Ok(python)
}
