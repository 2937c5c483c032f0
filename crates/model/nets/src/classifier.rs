//! What a classifier tells apart, and how a picture is brought to its size.

use graph::{Activation, Graph, Op};

/// What a network that classifies wants, and what its outputs stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classifier {
    /// Height and width of the pictures it is trained on.
    pub size: usize,
    /// How a picture is brought to that size.
    pub fit: Fit,
    /// What its outputs stand for.
    pub classes: Classes,
}

/// How a picture of any shape becomes a square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Both sides are resized, each by its own factor: Keras's `target_size`.
    Stretch,
    /// The shorter side is resized to `shorter` and the square in the middle kept:
    /// torchvision's way.
    Centre {
        /// Pixels of the shorter side.
        shorter: usize,
    },
}

/// What the outputs of a classifier stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classes {
    /// The thousand of `ImageNet`'s challenge, in the order of their `WordNet` ids.
    ImageNet,
    /// Cats are 0 and dogs 1: folders in alphabetical order.
    CatsAndDogs,
    /// So many that only their maker knows.
    Numbered(usize),
}

/// One thing that a classifier tells from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class<'a> {
    /// The `WordNet` id, where it has one.
    pub wordnet: Option<&'a str>,
    /// What it is called; words are joined by `_`, as Keras has them.
    pub name: &'a str,
}

/// What the numbers that a classifier gives are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scores {
    /// One number a class; a softmax makes probabilities of them. A single one speaks for
    /// the second of two classes, and a sigmoid makes a probability of it.
    Logits,
    /// A probability for each class.
    Probabilities,
    /// The probability of the second of two classes.
    Second,
}

/// `ImageNet`'s classes, a line each: `WordNet` id and name, as in Keras's
/// `imagenet_class_index.json`.
const IMAGENET: &str = include_str!("imagenet.txt");

impl Classifier {
    /// A centre crop of `size`, and `ImageNet`'s classes if there are as many.
    pub(crate) fn imagenet(size: usize, shorter: usize, classes: usize) -> Self {
        Self { size, fit: Fit::Centre { shorter }, classes: Classes::of_imagenet(classes) }
    }

    /// Stretched to `size`; a single output tells dogs from cats.
    pub(crate) fn cats_and_dogs(size: usize, classes: usize) -> Self {
        let classes = match classes {
            1 => Classes::CatsAndDogs,
            n => Classes::Numbered(n),
        };
        Self { size, fit: Fit::Stretch, classes }
    }
}

impl Classes {
    /// `ImageNet`'s if there are a thousand: any such network is taken for one of its.
    pub fn of_imagenet(count: usize) -> Self {
        if count == Self::ImageNet.count() { Self::ImageNet } else { Self::Numbered(count) }
    }

    /// How many there are.
    pub fn count(self) -> usize {
        match self {
            Self::ImageNet => 1000,
            Self::CatsAndDogs => 2,
            Self::Numbered(count) => count,
        }
    }

    /// The class of that number, if it has a name.
    pub fn get(self, index: usize) -> Option<Class<'static>> {
        match self {
            Self::ImageNet => {
                let (wordnet, name) = IMAGENET.lines().nth(index)?.split_once(' ')?;
                Some(Class { wordnet: Some(wordnet), name })
            }
            Self::CatsAndDogs => {
                let name = *["cats", "dogs"].get(index)?;
                Some(Class { wordnet: None, name })
            }
            Self::Numbered(_) => None,
        }
    }

    /// The number of the class with that name or `WordNet` id; for names, case
    /// and what joins the words do not matter. The first, where two are called alike
    /// (`crane` and `maillot` are).
    pub fn find(self, name: &str) -> Option<usize> {
        let plain = |name: &str| name.to_lowercase().replace([' ', '-'], "_");
        let wanted = plain(name);
        (0..self.count()).find(|&index| {
            self.get(index).is_some_and(|c| c.wordnet == Some(name) || plain(c.name) == wanted)
        })
    }
}

impl Scores {
    /// What the output of a classifier's graph is.
    pub fn of(graph: &Graph) -> Self {
        match graph.node(graph.output()).op {
            Op::Softmax => Self::Probabilities,
            Op::Activation(Activation::Sigmoid) => Self::Second,
            _ => Self::Logits,
        }
    }

    /// A probability for each class, from one picture's outputs.
    pub fn probabilities(self, outputs: &[f32]) -> Vec<f32> {
        match self {
            Self::Probabilities => outputs.to_vec(),
            Self::Second => outputs.iter().flat_map(|&p| [1.0 - p, p]).collect(),
            Self::Logits if outputs.len() == 1 => {
                let p = 1.0 / (1.0 + (-f64::from(outputs[0])).exp());
                vec![(1.0 - p) as f32, p as f32]
            }
            Self::Logits => {
                let most = outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let powers: Vec<f64> = outputs.iter().map(|&x| f64::from(x - most).exp()).collect();
                let sum: f64 = powers.iter().sum();
                powers.iter().map(|p| (p / sum) as f32).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imagenets_classes_are_in_the_order_of_their_ids() {
        assert_eq!(IMAGENET.lines().count(), 1000);
        let ids: Vec<&str> =
            (0..1000).map(|i| Classes::ImageNet.get(i).unwrap().wordnet.unwrap()).collect();
        assert!(ids.is_sorted() && ids.iter().all(|id| id.len() == 9 && id.starts_with('n')));
        let elephant = Classes::ImageNet.get(386).unwrap();
        assert_eq!((elephant.wordnet, elephant.name), (Some("n02504458"), "African_elephant"));
        assert_eq!(Classes::ImageNet.get(1000), None);
    }

    #[test]
    fn a_class_is_found_by_name_and_by_id() {
        for name in ["African_elephant", "african elephant", "n02504458"] {
            assert_eq!(Classes::ImageNet.find(name), Some(386), "{name}");
        }
        assert_eq!(Classes::ImageNet.find("elephant"), None);
        assert_eq!(Classes::CatsAndDogs.find("Dogs"), Some(1));
        assert_eq!(Classes::Numbered(5).find("0"), None);
    }

    #[test]
    fn all_kinds_of_output_become_probabilities() {
        assert_eq!(Scores::Second.probabilities(&[0.25]), [0.75, 0.25]);
        let p = Scores::Logits.probabilities(&[1000.0, 1000.0 + 3f32.ln()]);
        assert!((p[0] - 0.25).abs() < 1e-4 && (p[0] + p[1] - 1.0).abs() < 1e-6, "{p:?}");
        let p = Scores::Logits.probabilities(&[3f32.ln()]);
        assert!((p[0] - 0.25).abs() < 1e-6 && (p[1] - 0.75).abs() < 1e-6, "{p:?}");
        assert!(Scores::Logits.probabilities(&[f32::NAN, 0.0])[0].is_nan());
    }
}
