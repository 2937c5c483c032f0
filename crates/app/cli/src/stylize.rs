//! `pentimento stylize`: flags, then a job with every check made, then the run.

use pentimento::pipeline::{Colors, Maker, Style, StylizeOptions, Stylizer};

use crate::batch::Pictures;
use crate::exit::Outcome;
use crate::flags;

/// Pixels from which on a picture may take over a second, and a guess how long is worth its while.
const LONG_WORK: usize = 2_000_000;

/// Stylizes what the flags say.
pub(crate) fn run(flags: &flags::Stylize) -> anyhow::Result<Outcome> {
    let pictures = Pictures::new(&flags.places, &flags.handling)?;
    let style = Style::open(&flags.style)?;
    pictures.job.prepare()?;
    let options = options(flags);
    let maker = Maker::Style(style.name().to_owned());
    let mut stylizer = Stylizer::new(style);
    pictures.run(maker, |picture, progress| {
        let pixels = picture.width() * picture.height();
        if progress.wants_a_guess() && pixels >= LONG_WORK {
            progress.expect(stylizer.expect(picture, &options)?);
        }
        stylizer.stylize(picture, &options)
    })
}

fn options(flags: &flags::Stylize) -> StylizeOptions {
    StylizeOptions {
        strength: flags.strength,
        colors: if flags.keep_colors { Colors::Picture } else { Colors::Style },
        size: flags.size,
        strokes: flags.strokes,
        margin: flags.margin,
        deblock: flags.deblock,
        grain: flags.grain,
        memory: flags.handling.memory(),
    }
}
