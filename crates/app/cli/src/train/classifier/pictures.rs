//! Curves and the confusion matrix, as pictures in the run's folder.

use std::path::Path;

use pentimento::imaging::{EncodeOptions, Picture, encode_file};
use pentimento::insight::plot::{Chart, Matrix, Series};
use pentimento::train::classifier::{ClassifierRun, Confusion, Epoch};

/// Width and height of a chart.
const SIZE: [usize; 2] = [800, 500];

/// Draws loss and accuracy of every epoch so far.
pub(super) fn curves(folder: &Path, run: &ClassifierRun) -> anyhow::Result<()> {
    let seen = |of: fn(&Epoch) -> Option<f64>| {
        let points = (1u32..).zip(run.epochs());
        points.filter_map(|(x, epoch)| Some([f64::from(x), of(epoch)?])).collect::<Vec<_>>()
    };
    let chart = |title: &str, learning: fn(&Epoch) -> Option<f64>, kept_out| Chart {
        title: title.to_owned(),
        x_label: "epoch".to_owned(),
        series: vec![
            Series { points: seen(learning), ..Series::new("while learning", []) },
            Series { points: seen(kept_out), ..Series::new("pictures kept out", []) }.dashed(),
        ],
        ..Chart::default()
    };
    let loss = chart("Loss", |e| Some(e.loss()), |e| Some(e.validation.as_ref()?.loss));
    write(&loss.draw(SIZE), &folder.join("loss.png"))?;
    let accuracy = chart(
        "Accuracy, %",
        |e| Some(100.0 * e.accuracy()),
        |e| Some(100.0 * e.validation.as_ref()?.accuracy),
    );
    let accuracy = Chart { y_range: range_below_a_legend(&accuracy.series), ..accuracy };
    write(&accuracy.draw(SIZE), &folder.join("accuracy.png"))
}

/// A range with room for the legend, which lies at the top right, where accuracies end.
fn range_below_a_legend(series: &[Series]) -> Option<[f64; 2]> {
    let values = || series.iter().flat_map(|one| one.points.iter().map(|point| point[1]));
    let (low, high) = (values().reduce(f64::min)?, values().reduce(f64::max)?);
    (high > low).then_some([low, high + 0.3 * (high - low)])
}

/// Draws what was taken for what.
pub(super) fn confusion(folder: &Path, name: &str, confusion: &Confusion) -> anyhow::Result<()> {
    let row =
        |row: &Vec<u64>| row.iter().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect();
    let right = 100.0 * confusion.accuracy();
    let matrix = Matrix {
        title: format!("{right:.1} % of {} pictures right", confusion.total()),
        axes: ["truth".to_owned(), "answer".to_owned()],
        names: confusion.classes.clone(),
        counts: confusion.counts.iter().map(row).collect(),
    };
    write(&matrix.draw(), &folder.join(name))
}

fn write(picture: &Picture, path: &Path) -> anyhow::Result<()> {
    encode_file(picture, path, &EncodeOptions::default())
        .map_err(|e| anyhow::Error::new(e).context(format!("{}", path.display())))
}
