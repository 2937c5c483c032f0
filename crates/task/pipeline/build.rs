//! Finds what ships: every `zoo/NAME/NAME.safetensors` is a style, but for the network that
//! colours and those that name classes.

use std::fmt::Write;
use std::{fs, io};

#[path = "../../../zoo/networks.rs"]
mod zoo;

/// The network that colours: no style.
const COLORIZER: &str = "colorizer";

fn main() -> io::Result<()> {
    let mut table = String::from("&[\n");
    let mut colorizer = String::from("None\n");
    for (name, bytes) in zoo::networks(zoo::Gives::Pictures)? {
        if name == COLORIZER {
            colorizer = format!("Some({bytes})\n");
            continue;
        }
        let _ = writeln!(table, "    ({name:?}, {bytes}),");
    }
    table.push_str("]\n");
    fs::write(zoo::out("colorizer.rs"), colorizer)?;
    fs::write(zoo::out("shipped.rs"), table)
}
