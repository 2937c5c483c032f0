//! Plots: line charts, grids of pictures, tables of shares, colour bars.
//!
//! Everything is drawn here, with a font of its own: a plot looks the same on
//! every machine. A plot is a [`Picture`](imaging::Picture), to be written by
//! [`imaging::encode_file`].
//!
//! ```
//! use insight::plot::{Chart, Series};
//!
//! let chart = Chart {
//!     title: "Loss".into(),
//!     x_label: "epoch".into(),
//!     series: vec![
//!         Series::new("training", [0.9, 0.5, 0.3]),
//!         Series::new("validation", [1.0, 0.7, 0.6]).dashed(),
//!     ],
//!     ..Chart::default()
//! };
//! assert_eq!(chart.draw([480, 320]).size(), [320, 480]);
//! ```

mod canvas;
mod chart;
mod colours;
mod grid;
mod matrix;
mod ticks;

pub use canvas::Rgb;
pub(crate) use canvas::{Anchor, Canvas, Type, rgb_bytes, text_width};
pub use chart::{Chart, Series, Stroke};
pub use colours::Colours;
pub use grid::{ColourBar, Grid, Panel, heatmap, rgb_picture};
pub use matrix::Matrix;
