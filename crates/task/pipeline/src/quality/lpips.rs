use std::path::Path;

use cpu::{Network, Plan, Session};
use graph::{Encoding, Shape4};
use nets::lpips::{CHANNELS, LAYERS, LEAST, head_names};
use nets::vgg;
use tensor::Tensor;
use weights::{Limits, StateDict};

use crate::PipelineError;
use crate::error::unreadable;

/// A learned distance between pictures that agrees with people's judgement: LPIPS on VGG16.
///
/// # Source
///
/// See [`nets::lpips`].
#[derive(Debug)]
pub struct Lpips {
    network: Network,
    heads: Vec<Tensor>,
    ready: Option<(Shape4, Session)>,
}

/// What [`Lpips`] sees in a picture.
#[derive(Clone, Debug)]
pub struct Features(Vec<Tensor>);

impl Lpips {
    /// Reads VGG16's convolutions, under torchvision's names, and the five heads, `lin0.weight`
    /// … `lin4.weight`, or as the package's file has them, `lin0.model.1.weight` ….
    ///
    /// # Errors
    ///
    /// [`PipelineError::Weights`] if a file cannot be read or lacks a tensor.
    pub fn open(vgg16: &Path, heads: &Path) -> Result<Self, PipelineError> {
        let read = |path: &Path| {
            let read = weights::read(path, &Limits::default());
            read.map(|r| r.tensors).map_err(|source| unreadable(path, source))
        };
        let graph = graph();
        let weights = weights::fit_part(&graph, read(vgg16)?).map_err(|e| unreadable(vgg16, e))?;
        let heads_read = heads_of(read(heads)?).ok_or_else(|| PipelineError::NotAColorizer {
            path: heads.to_owned(),
            what: "holds no five heads of LPIPS for VGG16: lin0.weight … lin4.weight".into(),
        })?;
        Self::new(&weights, heads_read)
    }

    fn new(weights: &weights::Weights, heads: Vec<Tensor>) -> Result<Self, PipelineError> {
        Ok(Self { network: Network::new(&graph(), weights)?, heads, ready: None })
    }

    /// What is seen in a picture `[1, 3, H, W]`, sRGB in 0..=1; `H` and `W` at least 16.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Engine`] for a smaller one.
    pub fn features(&mut self, picture: &Tensor) -> Result<Features, PipelineError> {
        let shape = picture.shape4();
        if self.ready.as_ref().is_none_or(|(ready, _)| *ready != shape) {
            let graph = self.network.graph();
            let taps: Vec<_> = LAYERS.iter().filter_map(|layer| graph.find(layer)).collect();
            self.ready = Some((shape, Session::new(Plan::new(&self.network, &[shape], &taps)?)));
        }
        let mut input = picture.clone();
        let Encoding { mean, std, .. } = Encoding::IMAGENET;
        let area = shape[2] * shape[3];
        for (c, plane) in input.data_mut().chunks_mut(area).enumerate() {
            for v in plane {
                *v = (*v - mean[c]) / std[c];
            }
        }
        let Some((shape, mut session)) = self.ready.take() else { unreachable!() };
        let mut taps = session.run(&[&input]).taps;
        self.ready = Some((shape, session));
        taps.iter_mut().for_each(unit_length);
        Ok(Features(taps))
    }

    /// The distance of two pictures of one size: 0 for equal ones, about 0.1 for a faint
    /// and 0.7 for a great difference.
    ///
    /// # Panics
    ///
    /// If the sizes differ.
    pub fn distance(&self, one: &Features, other: &Features) -> f64 {
        let layers = self.heads.iter().zip(one.0.iter().zip(&other.0));
        layers.map(|(head, (one, other))| layer_distance(head, one, other)).sum()
    }
}

fn graph() -> graph::Graph {
    vgg::graph(&vgg::Config { up_to: "relu5_3".into(), ..vgg::Config::default() })
}

fn heads_of(mut tensors: StateDict) -> Option<Vec<Tensor>> {
    let mut head = |(i, channels): (usize, usize)| {
        let head = head_names(i).iter().find_map(|name| tensors.remove(name))?;
        (head.data().len() == channels).then_some(head)
    };
    CHANNELS.into_iter().enumerate().map(&mut head).collect()
}

/// Scales each pixel's features to a length of 1.
fn unit_length(features: &mut Tensor) {
    let [_, _, height, width] = features.shape4();
    let mut length = vec![0.0f32; height * width];
    for plane in features.data().chunks(height * width) {
        length.iter_mut().zip(plane).for_each(|(sum, v)| *sum += v * v);
    }
    for v in &mut length {
        *v = v.sqrt() + LEAST;
    }
    for plane in features.data_mut().chunks_mut(height * width) {
        plane.iter_mut().zip(&length).for_each(|(v, length)| *v /= length);
    }
}

/// The mean over pixels of the weighted squared differences.
fn layer_distance(head: &Tensor, one: &Tensor, other: &Tensor) -> f64 {
    assert_eq!(one.shape(), other.shape(), "pictures of one size");
    let [_, _, height, width] = one.shape4();
    let area = height * width;
    let planes = one.data().chunks(area).zip(other.data().chunks(area));
    let sums = planes.zip(head.data()).map(|((one, other), weight)| {
        let squares: f64 = one.iter().zip(other).map(|(a, b)| f64::from((a - b) * (a - b))).sum();
        f64::from(*weight) * squares
    });
    sums.sum::<f64>() / area as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::{colorfulness, psnr, psnr_ab, ssim};
    use testing::{Golden, Random, material, random_weights, smooth_picture};

    const SEED: u64 = 8;
    const SIZE: [usize; 4] = [1, 3, 48, 64];

    /// A picture, and what is left of it halfway to another.
    fn pictures() -> [Tensor; 2] {
        let [mut truth, mut other] = [0, 1].map(|i| smooth_picture(SIZE, SEED + i));
        for (t, o) in truth.data_mut().iter_mut().zip(other.data_mut()) {
            *t /= 255.0;
            *o = f32::midpoint(*t, *o / 255.0);
        }
        [truth, other]
    }

    fn stored(name: &str) -> f64 {
        let golden = Golden::open("colour/quality.safetensors").unwrap();
        f64::from(golden.get(name).unwrap().data()[0])
    }

    /// Features in f32 through thirteen layers are right to about 10⁻⁵ of the largest, and
    /// distances are sums of their squared differences.
    const LEARNED: f64 = 1e-4;

    #[test]
    fn measures_are_those_of_scikit_image_and_lpips() {
        let [truth, picture] = pictures();
        for (name, got, allowed) in [
            ("psnr", psnr(&picture, &truth), 1e-4),
            ("psnr_ab", psnr_ab(&picture, &truth), 1e-3),
            ("ssim", ssim(&picture, &truth), 1e-6),
            ("colorfulness", colorfulness(&picture), 1e-3),
        ] {
            assert!((got - stored(name)).abs() <= allowed, "{name}: {got}, want {}", stored(name));
        }
        let weights = weights::Weights::bind(&graph(), random_weights(&graph(), SEED)).unwrap();
        let head = |(i, n): (usize, usize)| {
            let mut head =
                Random::named(SEED, &format!("lin{i}.weight")).tensor(&[1, n, 1, 1], 1.0);
            head.data_mut().iter_mut().for_each(|v| *v = v.abs());
            head
        };
        let heads = CHANNELS.into_iter().enumerate().map(head).collect();
        let mut lpips = Lpips::new(&weights, heads).unwrap();
        let [a, b] = [&truth, &picture].map(|p| lpips.features(p).unwrap());
        let (got, want) = (lpips.distance(&a, &b), stored("lpips"));
        assert!((got / want - 1.0).abs() <= LEARNED, "{got}, want {want}");
        assert!(lpips.distance(&a, &a) == 0.0);
    }

    /// With the real weights: what the package gives for the same pictures.
    #[test]
    #[ignore = "needs real weights: PENTIMENTO_MATERIAL"]
    fn real_weights_give_the_packages_distance() {
        let Some(folder) = material() else { return };
        let at = |name: &str| folder.join("weights").join(name);
        let mut lpips =
            Lpips::open(&at("vgg16_features.f16.safetensors"), &at("lpips_vgg16_lin.safetensors"))
                .unwrap();
        let [a, b] = pictures().map(|p| lpips.features(&p).unwrap());
        let (got, want) = (lpips.distance(&a, &b), stored("material_lpips"));
        assert!((got / want - 1.0).abs() <= LEARNED, "{got}, want {want}");
    }
}
