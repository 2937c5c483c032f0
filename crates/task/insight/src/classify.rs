//! What a picture shows, by a network that was trained to tell.

use cpu::{EngineError, Network, Plan, Session};
use graph::{ChannelOrder, Encoding, Graph};
use imaging::{Filter, Picture, resize_tensor};
use nets::{Classifier, Fit, Scores};
use tensor::Tensor;
use weights::Weights;

/// A classifier with its weights, ready to look at pictures.
#[derive(Debug)]
pub struct Judge {
    session: Session,
    scores: Scores,
    classifier: Classifier,
    encoding: Encoding,
    names: Vec<String>,
}

/// What a picture may show.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Guess {
    /// The class's number.
    pub class: usize,
    /// Its `WordNet` id, where it has one.
    pub wordnet: Option<&'static str>,
    /// What it is called; words are joined by `_`.
    pub name: String,
    /// How likely the network holds it to be: 0..=1, all classes together 1.
    pub probability: f32,
}

impl Judge {
    /// Prepares a classifier that wants its pictures in these numbers.
    ///
    /// # Errors
    ///
    /// If the weights are another graph's, or the graph does not go with pictures of
    /// the classifier's size.
    pub fn new(
        (graph, weights): (&Graph, &Weights),
        encoding: Encoding,
        classifier: Classifier,
    ) -> Result<Self, EngineError> {
        let network = Network::new(graph, weights)?;
        let shape = [1, 3, classifier.size, classifier.size];
        let session = Session::new(Plan::new(&network, &[shape], &[])?);
        let scores = Scores::of(graph);
        Ok(Self { session, scores, classifier, encoding, names: vec![] })
    }

    /// The same, with the names of its classes, in order, where its maker gave some.
    #[must_use]
    pub fn with_names(self, names: Vec<String>) -> Self {
        Self { names, ..self }
    }

    /// A probability for each class.
    pub fn probabilities(&mut self, picture: &Picture) -> Vec<f32> {
        let seen = encoded(&fitted(picture, &self.classifier), &self.encoding);
        self.scores.probabilities(self.session.run(&[&seen]).output.data())
    }

    /// The `count` likeliest classes, likeliest first; of equal ones the first first.
    pub fn guesses(&mut self, picture: &Picture, count: usize) -> Vec<Guess> {
        let probabilities = self.probabilities(picture);
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        order.truncate(count);
        order.into_iter().map(|class| self.guess(class, probabilities[class])).collect()
    }

    fn guess(&self, class: usize, probability: f32) -> Guess {
        let known = self.classifier.classes.get(class);
        let name = self.names.get(class).cloned();
        let wordnet = if name.is_none() { known.and_then(|k| k.wordnet) } else { None };
        let named = || known.map_or_else(|| format!("class_{class}"), |k| k.name.to_owned());
        Guess { class, wordnet, name: name.unwrap_or_else(named), probability }
    }
}

/// A picture at a classifier's size, `[1, 3, size, size]`, sRGB in 0..=1.
///
/// Linear interpolation, widened when shrinking, as torchvision's and Pillow's;
/// Keras's own loader takes the nearest pixel, which shimmers.
pub fn fitted(picture: &Picture, classifier: &Classifier) -> Tensor {
    let (rgb, size) = (picture.to_rgb_tensor(), classifier.size);
    match classifier.fit {
        Fit::Stretch => resize_tensor(&rgb, [size; 2], Filter::Triangle),
        Fit::Centre { shorter } => {
            let fit = imaging::Fit::Short(shorter.max(size)).size(picture.size());
            centre(&resize_tensor(&rgb, fit, Filter::Triangle), size)
        }
    }
}

/// The square in the middle; half a pixel goes to the nearest even one, as
/// Python rounds.
fn centre(picture: &Tensor, size: usize) -> Tensor {
    let [_, c, h, w] = picture.shape4();
    let [top, left] = [h, w].map(|side| ((side - size) as f64 / 2.0).round_ties_even() as usize);
    let mut square = Tensor::zeros([1, c, size, size]);
    for (i, row) in square.data_mut().chunks_exact_mut(size).enumerate() {
        let (plane, y) = (i / size, i % size + top);
        row.copy_from_slice(&picture.data()[(plane * h + y) * w + left..][..size]);
    }
    square
}

/// `[N, 3, H, W]` sRGB in 0..=1 in a network's numbers.
fn encoded(rgb: &Tensor, encoding: &Encoding) -> Tensor {
    let [n, _, h, w] = rgb.shape4();
    let mut seen = Tensor::zeros([n, 3, h, w]);
    for (i, plane) in seen.data_mut().chunks_exact_mut(h * w).enumerate() {
        let to = i % 3;
        let from = if encoding.order == ChannelOrder::Bgr { 2 - to } else { to };
        let (mean, std) = (encoding.mean[to], encoding.std[to]);
        let values = &rgb.data()[(i - to + from) * h * w..][..h * w];
        plane.iter_mut().zip(values).for_each(|(s, &v)| *s = (v * encoding.scale - mean) / std);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use imaging::{Channels, Pixels};

    /// Rows and columns that say where they are, in bytes.
    fn picture([height, width]: [usize; 2]) -> Picture {
        let pixel = |i: usize| [(i % width) as u8, (i / width) as u8, 255];
        let bytes = (0..height * width).flat_map(pixel).collect();
        Picture::new([height, width], Channels::Rgb, Pixels::U8(bytes))
    }

    fn byte(tensor: &Tensor, channel: usize, y: usize, x: usize) -> f32 {
        let [_, _, h, w] = tensor.shape4();
        tensor.data()[(channel * h + y) * w + x] * 255.0
    }

    #[test]
    fn the_middle_of_a_picture_is_torchvisions() {
        let (_, mut classifier) = tiny();
        (classifier.size, classifier.fit) = (8, Fit::Centre { shorter: 8 });
        let square = fitted(&picture([8, 13]), &classifier);
        // round((13 − 8) / 2) is 2 in Python.
        assert!((byte(&square, 0, 3, 0) - 2.0).abs() < 1e-3);
        assert!((byte(&square, 1, 3, 0) - 3.0).abs() < 1e-3);
        let square = fitted(&picture([15, 8]), &classifier);
        assert!((byte(&square, 1, 0, 0) - 4.0).abs() < 1e-3);
        classifier.fit = Fit::Stretch;
        assert_eq!(fitted(&picture([40, 16]), &classifier).shape(), [1, 3, 8, 8]);
    }

    #[test]
    fn blue_comes_first_where_it_should() {
        let rgb = Tensor::new([1, 3, 1, 1], vec![0.25, 0.5, 1.0]);
        let seen = encoded(&rgb, &Encoding::CAFFE);
        let want = [255.0 - 103.939, 127.5 - 116.779, 63.75 - 123.68];
        assert!(seen.data().iter().zip(want).all(|(s, w): (&f32, f32)| (s - w).abs() < 1e-4));
    }

    fn tiny() -> (nets::Net, Classifier) {
        let config = r#"{"size": 46, "width": 2, "hidden": 4}"#;
        let net = nets::by_name("cats_and_dogs", config).unwrap();
        let classifier = net.classifier.unwrap();
        (net, classifier)
    }

    #[test]
    fn the_likeliest_comes_first() {
        let (net, classifier) = tiny();
        let weights = testing::random_weights(&net.graph, 1);
        let weights = Weights::bind(&net.graph, weights).unwrap();
        let mut judge = Judge::new((&net.graph, &weights), net.input, classifier).unwrap();
        let guesses = judge.guesses(&picture([60, 50]), 5);
        assert_eq!(guesses.len(), 2);
        assert!(guesses[0].probability >= guesses[1].probability);
        assert!((guesses[0].probability + guesses[1].probability - 1.0).abs() < 1e-6);
        let mut names: Vec<&str> = guesses.iter().map(|g| g.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["cats", "dogs"]);
        let mut judge = judge.with_names(vec!["left".to_owned(), "right".to_owned()]);
        assert!(["left", "right"].contains(&judge.guesses(&picture([60, 50]), 1)[0].name.as_str()));
    }
}
