//! The rings' directions and the homes of foreign crates, over `cargo metadata`.

mod metadata;
mod rules;

use anyhow::{Result, bail};

/// Prints every breach; none is success.
pub(crate) fn run() -> Result<()> {
    let members = metadata::members()?;
    let breaches = rules::breaches(&members);
    for breach in &breaches {
        println!("{breach}");
    }
    if !breaches.is_empty() {
        bail!("{} edges break the rules of docs/ARCHITECTURE.md", breaches.len());
    }
    let edges: usize = members.iter().map(|m| m.uses.len()).sum();
    println!("{} crates, {edges} edges: all point the right way", members.len());
    Ok(())
}
