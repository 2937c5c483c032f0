//! Finds the classifiers that ship: every `zoo/NAME/NAME.safetensors` that names classes.

use std::fmt::Write;
use std::{fs, io};

#[path = "../../../zoo/networks.rs"]
mod zoo;

fn main() -> io::Result<()> {
    let mut table = String::from("&[\n");
    for (name, bytes) in zoo::networks(zoo::Gives::Classes)? {
        let _ = writeln!(table, "    ({name:?}, {bytes}),");
    }
    table.push_str("]\n");
    fs::write(zoo::out("shipped.rs"), table)
}
