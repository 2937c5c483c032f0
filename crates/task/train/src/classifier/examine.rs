use cpu::{Network, Plan, Session};
use nets::Net;
use serde::{Deserialize, Serialize};
use tensor::Tensor;
use weights::Weights;

use super::trainer::{judge, logits, told};
use crate::TrainError;
use crate::data::{Bad, Crop, Folder, LoadOptions, Loader, Reading};
use crate::losses::Recode;

/// How often pictures of one class were told to be of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// The classes' names.
    pub classes: Vec<String>,
    /// Pictures by what they are, then by what they were told to be.
    pub counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// Of no pictures.
    pub fn new(classes: &[String]) -> Self {
        let counts = vec![vec![0; classes.len()]; classes.len()];
        Self { classes: classes.to_vec(), counts }
    }

    /// How many pictures there were.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// The share of the pictures that were told right; NaN without any.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.counts.len()).map(|c| self.counts[c][c]).sum();
        right as f64 / self.total() as f64
    }

    /// For each class the share of its pictures that were told right; NaN without any.
    pub fn by_class(&self) -> Vec<f64> {
        let of = |c: usize| self.counts[c][c] as f64 / self.counts[c].iter().sum::<u64>() as f64;
        (0..self.counts.len()).map(of).collect()
    }
}

/// How well a network does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Examination {
    /// The mean loss, without smoothing.
    pub loss: f64,
    /// The share of the pictures that were told right.
    pub accuracy: f64,
    /// What was taken for what.
    pub confusion: Confusion,
}

/// Puts every picture of a folder through a network as it will be used: stored
/// statistics, nothing dropped, the whole picture stretched to the size.
#[derive(Clone, Debug)]
pub struct Examiner {
    folder: Folder,
    options: LoadOptions,
}

impl Examiner {
    /// For pictures shown at `size` by `size` pixels, so many at a time.
    pub fn new(folder: Folder, (size, batch): (usize, usize), reading: Reading) -> Self {
        let options = LoadOptions {
            batch,
            size: [size; 2],
            short: size,
            crop: Crop::Whole,
            reading,
            ..LoadOptions::default()
        };
        Self { folder, options }
    }

    /// The pictures.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Examines a network; with what could not be read.
    ///
    /// # Errors
    ///
    /// If the network does not fit the size, or not one picture can be read.
    pub fn examine(
        &self,
        net: &Net,
        weights: &Weights,
    ) -> Result<(Examination, Vec<Bad>), TrainError> {
        let network = Network::new(&net.graph, weights)?;
        let size = [self.options.batch, 3, self.options.size[0], self.options.size[1]];
        let mut session = Session::new(Plan::new(&network, &[size], &[logits(&net.graph)])?);
        let encoding = Recode::from_unit(&net.input);
        let mut confusion = Confusion::new(self.folder.classes());
        let mut loss = 0.0;
        let mut loader = Loader::validation(self.folder.clone(), self.options.clone())?;
        for batch in loader.by_ref() {
            let batch = batch?;
            session.run_in_place(&[&encoding.apply(&filled(&batch.pictures, size))]);
            let logits = cut(&session.tap(0).to_tensor(), batch.labels.len());
            loss += judge(&logits, &batch.labels, 0.0).loss * batch.labels.len() as f64;
            for (&is, told) in batch.labels.iter().zip(told(&logits)) {
                confusion.counts[is][told] += 1;
            }
        }
        let bad = loader.bad();
        if confusion.total() == 0 {
            let (count, folder) = (bad.len(), self.folder.root().to_owned());
            let first = bad.into_iter().next();
            let Bad { path, why } = first.unwrap_or(Bad { path: folder, why: String::new() });
            return Err(TrainError::AllBad { count, path, why });
        }
        let loss = loss / confusion.total() as f64;
        Ok((Examination { loss, accuracy: confusion.accuracy(), confusion }, bad))
    }
}

/// A whole batch, by repeating what there is of it.
fn filled(pictures: &Tensor, size: [usize; 4]) -> Tensor {
    let data = pictures.data().iter().copied().cycle().take(size.iter().product()).collect();
    Tensor::new(size, data)
}

/// The first of some results.
fn cut(all: &Tensor, count: usize) -> Tensor {
    let [_, c, h, w] = all.shape4();
    Tensor::new([count, c, h, w], all.data()[..count * c * h * w].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confusion_counts_by_what_is_and_what_was_told() {
        let mut confusion = Confusion::new(&["cats", "dogs"].map(str::to_owned));
        confusion.counts = vec![vec![8, 2], vec![5, 15]];
        assert_eq!(confusion.total(), 30);
        assert!((confusion.accuracy() - 23.0 / 30.0).abs() < 1e-12);
        assert_eq!(confusion.by_class(), [0.8, 0.75]);
    }

    #[test]
    fn a_batch_is_filled_by_repeating_and_cut_again() {
        let two = Tensor::new([2, 1, 1, 2], vec![1.0, 2.0, 3.0, 4.0]);
        let five = filled(&two, [5, 1, 1, 2]);
        assert_eq!(five.data(), [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 1.0, 2.0]);
        assert_eq!(cut(&five, 2), two);
    }
}
