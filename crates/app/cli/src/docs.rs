//! Shell completions and man pages, made from the flags.

use std::io::{self, Write};

use anyhow::Context;
use clap::CommandFactory;

use crate::flags::{Completions, Flags, Man};

/// Prints a completion script.
pub(crate) fn completions(flags: &Completions) -> anyhow::Result<()> {
    let mut script = vec![]; // straight to a closed pipe, clap would panic
    clap_complete::generate(flags.shell, &mut Flags::command(), "pentimento", &mut script);
    Ok(io::stdout().write_all(&script)?)
}

/// Prints the man page, or writes all of them.
pub(crate) fn man(flags: &Man) -> anyhow::Result<()> {
    let command = Flags::command();
    let Some(folder) = &flags.folder else {
        let mut page = vec![];
        clap_mangen::Man::new(command).render(&mut page)?;
        return Ok(io::stdout().write_all(&page)?);
    };
    let place = || format!("{}", folder.display());
    std::fs::create_dir_all(folder).with_context(place)?;
    clap_mangen::generate_to(command, folder).with_context(place)
}
