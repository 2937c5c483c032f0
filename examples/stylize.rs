//! Paints one picture: `cargo run --release --example stylize -- PHOTO STYLE OUT [STRENGTH]`.
//!
//! STYLE is one that ships, or a file of weights.

use std::error::Error;
use std::path::Path;

use pentimento::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [photo, style, out, rest @ ..] = words.as_slice() else {
        return Err("usage: stylize PHOTO STYLE OUT [STRENGTH]".into());
    };
    let strength = rest.first().map_or(Ok(1.0), |word| word.parse())?;

    let picture = decode_file(Path::new(photo), &Limits::default())?;
    let mut stylizer = Stylizer::new(Style::open(style)?);
    let options = StylizeOptions { strength, ..StylizeOptions::default() };
    let styled = Threads::new(None)?.run(|| stylizer.stylize(&picture, &options))?;
    encode_file(&styled, Path::new(out), &EncodeOptions::default())?;
    Ok(())
}
