//! A picture in every style, small.

use std::sync::Arc;

use pentimento::imaging::{Depth, Filter, Format, Picture};
use pentimento::pipeline::{StylizeOptions, Stylizer};
use serde::Deserialize;
use serde_json::Value;

use super::desk::Desk;
use super::order::{Work, fields, within};
use super::queue::Lane;
use crate::Inner;
use crate::fault::Fault;
use crate::picture::{Original, encoded, shown_size};
use crate::results::Image;
use crate::styles::Entry;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    picture: String,
    styles: Option<Vec<String>>,
    #[serde(default = "side")]
    side: usize,
}

fn side() -> usize {
    192
}

#[derive(Debug)]
struct Gallery {
    source: Arc<Original>,
    styles: Vec<Entry>,
    side: usize,
}

/// Bytes that a style network takes for a thumbnail of 512 pixels a side: feature maps of 32
/// channels at full size, a few of them, and its weights twice.
const NEED: u64 = 300_000_000;

/// Styles at once.
const MOST: usize = 200;

pub(super) fn resolve(studio: &Inner, request: Value) -> Result<Box<dyn Work>, Fault> {
    let Request { picture, styles, side } = fields(request)?;
    let side = within("side", side, [32, 512])?;
    let source = studio.store.picture(&picture)?;
    let styles = match styles {
        None => studio.styles.list()?.0,
        Some(ids) => {
            within("styles", ids.len(), [1, MOST])?;
            ids.iter().map(|id| studio.styles.find(id)).collect::<Result<_, _>>()?
        }
    };
    Ok(Box::new(Gallery { source, styles, side }))
}

impl Work for Gallery {
    fn need(&self) -> u64 {
        NEED
    }

    fn lane(&self) -> Lane {
        Lane::Long
    }

    fn title(&self) -> String {
        "styles".to_owned()
    }

    fn source(&self) -> Option<Arc<Original>> {
        Some(Arc::clone(&self.source))
    }

    fn run(&self, desk: &Desk<'_>) -> Result<(), Fault> {
        let picture = &self.source.picture;
        let size = shown_size(picture.size(), self.side);
        let small = desk.compute(|| picture.to_rgb_tensor_of(size, Filter::default()));
        let small = Picture::from_rgb_tensor(&small, Depth::Eight);
        for (i, entry) in self.styles.iter().enumerate() {
            let share = |part: f64| (i as f64 + part) / self.styles.len() as f64;
            desk.stage(&format!("Painting {}", entry.title));
            let painted = desk.compute(|| {
                let style = desk.studio.nets.style_once(entry)?;
                let mut watch = |part: f64| desk.progress(share(part));
                let options = StylizeOptions { memory: NEED, ..StylizeOptions::default() };
                let mut stylizer = Stylizer::new(style);
                let painted = stylizer.stylize_watched(&small, &options, &mut watch)?;
                Ok::<_, Fault>(encoded(&painted, Format::Jpeg)?)
            });
            desk.check()?;
            let (shown, style) = (Arc::new(painted?), Some(entry.id.clone()));
            desk.add_image("thumbnail", Image { shown, style, channel: None, answer: None });
            desk.progress(share(1.0));
        }
        Ok(())
    }
}
