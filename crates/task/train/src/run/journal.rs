use std::path::PathBuf;

use imaging::{Depth, EncodeOptions, Picture, encode_file};
use tensor::Tensor;

use super::folder::{PREVIEW, RunFolder};
use super::table::Table;
use crate::TrainError;
use crate::events::{EventWriter, Moment};

/// What is written down while a run goes: tables of numbers, and what `TensorBoard` reads.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    events: EventWriter,
    tables: Vec<Table>,
}

/// A table's file, and its columns, the first of which is the step.
pub type Columns<'a> = (&'a str, &'a [&'a str]);

impl Journal {
    /// Begins to write, or goes on after a checkpoint at that step.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn open(folder: &RunFolder, step: u64, tables: &[Columns<'_>]) -> Result<Self, TrainError> {
        let table =
            |(name, columns): &Columns| Table::open(&folder.path().join(name), columns, step);
        Ok(Self {
            folder: folder.path().to_owned(),
            events: EventWriter::create(folder.path(), "pentimento", Moment::now(step))?,
            tables: tables.iter().map(table).collect::<Result<_, _>>()?,
        })
    }

    /// A line for the table of that number: a value for each column but the step.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn line(&mut self, table: usize, step: u64, values: &[f64]) -> Result<(), TrainError> {
        self.tables[table].add(step, values)
    }

    /// Numbers for `TensorBoard`, by their tags.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn scalars(&mut self, step: u64, scalars: &[(&str, f64)]) -> Result<(), TrainError> {
        let scalars: Vec<(&str, f32)> = scalars.iter().map(|(tag, v)| (*tag, *v as f32)).collect();
        self.events.scalars(Moment::now(step), &scalars)
    }

    /// A picture `[1, 3, H, W]` for `TensorBoard`, RGB in 0..=1.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn picture(&mut self, step: u64, tag: &str, rgb: &Tensor) -> Result<(), TrainError> {
        self.events.image(Moment::now(step), tag, rgb)
    }

    /// Keeps a preview `[1, 3, H, W]`, RGB in 0..=1, as a file and for `TensorBoard`.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn preview(&mut self, step: u64, name: &str, rgb: &Tensor) -> Result<(), TrainError> {
        let picture = Picture::from_rgb_tensor(rgb, Depth::Eight);
        let path = self.folder.join(format!("{PREVIEW}{step:06}-{name}.png"));
        encode_file(&picture, &path, &EncodeOptions::default())
            .map_err(TrainError::unwritable(&path))?;
        self.picture(step, &format!("preview/{name}"), rgb)
    }
}
