//! Virtual environments for the chores that need Python. The product and its tests need none.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell;

/// The interpreter of a virtual environment under the target folder, in which exactly
/// `requirements` are installed; made, or made anew, where needed. The environment variable
/// `PENTIMENTO_NAME_PYTHON` names one that is there already, as it is.
pub(crate) fn environment(name: &str, requirements: &Path) -> Result<PathBuf> {
    let variable = format!("PENTIMENTO_{}_PYTHON", name.to_uppercase());
    if let Some(python) = std::env::var_os(variable) {
        return Ok(python.into());
    }
    let folder = shell::target_dir().join(format!("{name}-venv"));
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
