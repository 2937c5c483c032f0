//! Class activation maps: where in a picture a network sees what it answers.

mod explain;
mod layers;
mod overlay;
mod perturb;
mod pixels;
mod quality;
mod scorer;
mod weigh;

use std::fmt;

pub use explain::{CamOptions, Explainer};
pub use layers::{default_layer, layers};
pub use overlay::overlay;
pub use quality::{Quality, quality};

use crate::resample::{Corners, bilinear};

/// How a map is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Method {
    /// Grad-CAM as the tutorial does it: on the probability, mean over channels,
    /// divided by its maximum.
    Tutorial,
    /// Grad-CAM: channels weighted by the mean of their gradient.
    #[default]
    GradCam,
    /// Grad-CAM++: gradients weighted by their second and third powers.
    GradCamPlusPlus,
    /// `HiResCAM`: gradient times activation, at each place.
    HiResCam,
    /// `LayerCAM`: positive gradient times activation, at each place.
    LayerCam,
    /// `XGradCAM`: gradients weighted by the activation's share.
    XGradCam,
    /// `EigenCAM`: the first principal component of the activations; knows no class.
    EigenCam,
    /// `ScoreCAM`: channels weighted by the score of the picture seen through them.
    ScoreCam,
    /// `AblationCAM`: channels weighted by what the score loses without them.
    AblationCam,
    /// What the score loses where a grey square covers the picture.
    Occlusion,
    /// Gradients along the way from black to the picture, times the picture.
    IntegratedGradients,
    /// The mean gradient of noisy copies of the picture.
    SmoothGrad,
    /// Backpropagation in which rectifiers hold back negative gradients.
    GuidedBackprop,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 13] = [
        Self::Tutorial,
        Self::GradCam,
        Self::GradCamPlusPlus,
        Self::HiResCam,
        Self::LayerCam,
        Self::XGradCam,
        Self::EigenCam,
        Self::ScoreCam,
        Self::AblationCam,
        Self::Occlusion,
        Self::IntegratedGradients,
        Self::SmoothGrad,
        Self::GuidedBackprop,
    ];

    /// What it is called on a command line and in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tutorial => "tutorial",
            Self::GradCam => "grad-cam",
            Self::GradCamPlusPlus => "grad-cam++",
            Self::HiResCam => "hires-cam",
            Self::LayerCam => "layer-cam",
            Self::XGradCam => "xgrad-cam",
            Self::EigenCam => "eigen-cam",
            Self::ScoreCam => "score-cam",
            Self::AblationCam => "ablation-cam",
            Self::Occlusion => "occlusion",
            Self::IntegratedGradients => "integrated-gradients",
            Self::SmoothGrad => "smooth-grad",
            Self::GuidedBackprop => "guided-backprop",
        }
    }

    /// Whether it looks at a layer; the others look at the picture's own pixels.
    pub fn has_layer(self) -> bool {
        !matches!(
            self,
            Self::Occlusion | Self::IntegratedGradients | Self::SmoothGrad | Self::GuidedBackprop
        )
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where in a picture a network sees a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// How it was found.
    pub method: Method,
    /// The layer it is of, for a method that has one.
    pub layer: Option<String>,
    /// The class it is for.
    pub class: usize,
    /// The class's score: the network's output before a closing softmax or sigmoid.
    pub score: f32,
    /// Height and width of `values`.
    pub size: [usize; 2],
    /// The raw values, row by row: not negative, of any size.
    pub values: Vec<f32>,
}

impl Map {
    /// Why there is nothing to draw, if there is not.
    pub fn fault(&self) -> Option<String> {
        let place = self.layer.as_deref().map_or("the picture", |layer| layer);
        if !self.values.iter().all(|v| v.is_finite()) || !self.score.is_finite() {
            return Some(format!(
                "the map holds values that are no numbers (score {}): the weights, or the numbers \
                 that the picture is fed in, are not this network's",
                self.score
            ));
        }
        if self.peak() > 0.0 {
            return None;
        }
        Some(format!(
            "the map is blank: nothing in {place} speaks for class {} (score {:.4}); another layer \
             or class may show more",
            self.class, self.score
        ))
    }

    fn peak(&self) -> f32 {
        self.values.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }

    /// The map between 0 and 1: the tutorial's divided by its maximum, a layer's from
    /// its least to its greatest value, as pytorch-grad-cam has it, and that of the
    /// picture's pixels from 0 to its 99th percentile, so that a few do not outshine the
    /// others. All 0 if the map is blank.
    pub fn normalised(&self) -> Vec<f32> {
        let least = self.values.iter().copied().fold(f32::INFINITY, f32::min);
        let [low, high] = match self.method {
            Method::Tutorial => [0.0, self.peak()],
            method if !method.has_layer() => [0.0, percentile(&self.values, 99.0)],
            _ => [least, self.peak() + 1e-7],
        };
        let span = high - low;
        if !span.is_normal() || span < 0.0 {
            return vec![0.0; self.values.len()];
        }
        self.values.iter().map(|v| ((v - low) / span).clamp(0.0, 1.0)).collect()
    }

    /// [`Map::normalised`] at another size, linearly as `cv2.resize` does it. A layer's
    /// is brought to its full range again, which enlarging may leave a little narrower,
    /// as pytorch-grad-cam does it; not so the tutorial's.
    pub fn enlarged(&self, size: [usize; 2]) -> Vec<f32> {
        let values = bilinear(&self.normalised(), self.size, size, Corners::Areas);
        if self.method == Method::Tutorial || !self.method.has_layer() {
            return values;
        }
        Self { values, ..self.clone() }.normalised()
    }
}

/// The value below which `percent` of the others lie, linear between neighbours as
/// `numpy.percentile` has it.
fn percentile(values: &[f32], percent: f64) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let at = percent / 100.0 * (sorted.len().max(1) - 1) as f64;
    let (low, share) = (at as usize, at.fract() as f32);
    let next = (low + 1).min(sorted.len().max(1) - 1);
    sorted.get(low).map_or(0.0, |v| v + (sorted[next] - v) * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(method: Method, values: Vec<f32>) -> Map {
        let size = [1, values.len()];
        Map { method, layer: Some("relu5_3".into()), class: 7, score: 2.5, size, values }
    }

    #[test]
    fn blank_and_broken_maps_are_explained() {
        let blank = map(Method::GradCam, vec![0.0; 4]).fault().unwrap();
        assert!(blank.contains("nothing in relu5_3 speaks for class 7 (score 2.5000)"), "{blank}");
        let broken = map(Method::GradCam, vec![1.0, f32::NAN]).fault().unwrap();
        assert!(broken.contains("no numbers"), "{broken}");
        assert_eq!(map(Method::GradCam, vec![0.0, 1.0]).fault(), None);
        assert_eq!(map(Method::GradCam, vec![0.0; 4]).normalised(), [0.0; 4]);
    }

    #[test]
    fn each_kind_is_normalised_its_own_way() {
        let values = vec![1.0, 2.0, 5.0];
        assert_eq!(map(Method::Tutorial, values.clone()).normalised(), [0.2, 0.4, 1.0]);
        let spread = map(Method::GradCam, values).normalised();
        assert!((spread[1] - 0.25).abs() < 1e-6 && spread[0] == 0.0);
        let mut pixels = vec![1.0; 200];
        pixels[3] = 50.0;
        assert_eq!(map(Method::SmoothGrad, pixels).normalised(), [1.0; 200]);
    }

    #[test]
    fn percentiles_are_numpys() {
        let values = [3.0, 1.0, 2.0, 4.0];
        let of = [50.0, 80.0, 100.0].map(|percent| percentile(&values, percent));
        assert_eq!(of.map(f32::to_bits), [2.5f32, 3.4, 4.0].map(f32::to_bits));
    }
}
