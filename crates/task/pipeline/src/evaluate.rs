//! How well a network colours photographs whose colours are known.

mod hints;
mod judge;
mod photos;
mod tries;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use imaging::Limits;
use serde::Serialize;

use crate::quality::Lpips;
use crate::{ColorizeOptions, Colorizer, PipelineError};
use judge::{Judge, Sum};
use photos::PhotoSet;
use tries::Tries;

/// What a network is held to.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluateOptions {
    /// Photographs are scaled and cut, from the middle, to this many pixels a side. Default: 256.
    pub size: usize,
    /// How many photographs at most, spread evenly over all. Default: every one.
    pub limit: Option<usize>,
    /// Only these of the folder's photographs, by their paths from it. Default: all.
    pub only: Option<BTreeSet<PathBuf>>,
    /// Hints given to a second try: squares of 6×6 pixels at random places, in the mean colour of
    /// the original there. Default: 0, no second try.
    pub hints: usize,
    /// Where the hints' places come from. Default: 0.
    pub seed: u64,
    /// How pictures are coloured; its hints do not count.
    pub colorize: ColorizeOptions,
    /// What a photograph may ask for.
    pub limits: Limits,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self {
            size: 256,
            limit: None,
            only: None,
            hints: 0,
            seed: 0,
            colorize: ColorizeOptions::default(),
            limits: Limits::default(),
        }
    }
}

/// Means over all photographs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Scores {
    /// Decibels, over RGB.
    pub psnr: f64,
    /// Decibels, over a and b of CIE Lab, peak 255.
    pub psnr_ab: f64,
    /// Structural similarity.
    pub ssim: f64,
    /// Perceptual distance, if weights for it were given.
    pub lpips: Option<f64>,
    /// Hasler and Süsstrunk's.
    pub colorfulness: f64,
    /// Of the originals' colourfulness, the share.
    pub colorfulness_share: f64,
}

/// What came out. Serialized, it is the JSON report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// The version of this layout: 1. Later ones only add fields.
    pub version: u32,
    /// The network's name.
    pub network: String,
    /// Pixels a side.
    pub size: usize,
    /// Photographs that count.
    pub photos: usize,
    /// Photographs without colour, which say nothing, and were left out.
    pub colorless: usize,
    /// Photographs that could not be read, and why.
    pub failed: Vec<(PathBuf, String)>,
    /// The network, without hints.
    pub network_scores: Scores,
    /// The network with hints, if some were asked for.
    pub hinted: Option<Scores>,
    /// How many.
    pub hints: usize,
    /// What the hints add to the PSNR over RGB, in decibels.
    pub gain: Option<f64>,
    /// The pictures left grey.
    pub grey: Scores,
    /// The pictures in one colour: the mean ab of these same photographs, which no
    /// network can know, so that it is hard to beat.
    pub mean_color: Scores,
    /// That colour.
    pub mean_ab: [f32; 2],
}

/// Colours the photographs in a folder anew and compares.
///
/// `watch` is told after each photograph how many of how many are done, and says whether to go on;
/// if not, the evaluation is of those so far.
///
/// # Errors
///
/// - [`PipelineError::NoPictures`] if none can be read, or none is in colour.
/// - [`PipelineError::Option`] for a size under 32.
/// - As [`Colorizer::colorize`].
pub fn evaluate_colorizer(
    (colorizer, mut lpips): (&mut Colorizer, Option<&mut Lpips>),
    folder: &Path,
    options: &EvaluateOptions,
    watch: &dyn Fn(usize, usize) -> bool,
) -> Result<Evaluation, PipelineError> {
    if !(32..=4096).contains(&options.size) {
        let value = options.size.to_string();
        return Err(PipelineError::Option { option: "size", value, range: "from 32 to 4096" });
    }
    let mut set = PhotoSet::of(folder, options);
    let mut sums = [Sum::default(); 4];
    let mean_ab = set.mean_ab().ok_or_else(|| PipelineError::NoPictures {
        places: vec![folder.to_owned()],
        hint: " that are in colour",
    })?;
    let (total, mut done) = (set.paths.len(), 0);
    for path in set.paths.clone() {
        let Some(photo) = set.open(&path) else { continue };
        let tries = Tries::of(&photo, mean_ab, (colorizer, done), options)?;
        let mut judge = Judge::of(&photo, lpips.as_deref_mut())?;
        for (sum, picture) in sums.iter_mut().zip(tries.all()) {
            if let Some(picture) = picture {
                judge.add(picture, sum)?;
            }
        }
        done += 1;
        if !watch(done, total) {
            break;
        }
    }
    let name = colorizer.model().name().to_owned();
    Ok(report(name, set, (done, mean_ab), sums.map(Sum::mean)))
}

fn report(
    network: String,
    set: PhotoSet<'_>,
    (photos, mean_ab): (usize, [f32; 2]),
    [grey, mean_color, network_scores, hinted]: [Scores; 4],
) -> Evaluation {
    let EvaluateOptions { size, hints, .. } = *set.options;
    let hinted = (hints > 0).then_some(hinted);
    Evaluation {
        version: 1,
        network,
        size,
        photos,
        colorless: set.colorless,
        failed: set.failed,
        network_scores,
        hinted,
        hints,
        gain: hinted.map(|hinted| hinted.psnr - network_scores.psnr),
        grey,
        mean_color,
        mean_ab,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colorize::sure_of;
    use imaging::{Channels, EncodeOptions, Picture, Pixels};

    /// Photographs of sorts, all about one colour; one without, and one that is none.
    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let save = |name: &str, colour: &dyn Fn(usize) -> [u8; 3]| {
            let values = (0..50 * 70).flat_map(colour).collect();
            let picture = Picture::new([50, 70], Channels::Rgb, Pixels::U8(values));
            let path = dir.path().join(name);
            imaging::encode_file(&picture, &path, &EncodeOptions::default()).unwrap();
        };
        for i in 0..3 {
            save(&format!("{i}.png"), &|p| {
                let v = 90 + (p % 70) as u8;
                if p / 70 < 20 + 5 * i { [v, v - 20, v + 60] } else { [v, v - 40, v + 20] }
            });
        }
        save("grey.png", &|p| [(p % 200) as u8; 3]);
        std::fs::write(dir.path().join("broken.png"), b"no picture").unwrap();
        dir
    }

    fn evaluated(ab: [f32; 2], options: &EvaluateOptions) -> Evaluation {
        let dir = folder();
        let with = (&mut sure_of(ab), None);
        evaluate_colorizer(with, dir.path(), options, &|_, _| true).unwrap()
    }

    #[test]
    fn better_colours_score_better() {
        let options = EvaluateOptions { size: 48, hints: 3, ..EvaluateOptions::default() };
        let right = evaluated([20.0, -30.0], &options);
        assert_eq!((right.photos, right.colorless, right.failed.len()), (3, 1, 1));
        let wrong = evaluated([-40.0, 40.0], &options);
        assert_eq!((right.grey, right.mean_color), (wrong.grey, wrong.mean_color));
        let [r, w, grey, mean] =
            [right.network_scores, wrong.network_scores, right.grey, right.mean_color];
        assert!(r.psnr > grey.psnr && grey.psnr > w.psnr, "{} {} {}", r.psnr, grey.psnr, w.psnr);
        assert!(r.psnr_ab > grey.psnr_ab && mean.psnr_ab > r.psnr_ab);
        assert!(r.ssim > w.ssim && r.lpips.is_none());
        assert!(grey.colorfulness < 1.0 && (0.3..2.0).contains(&r.colorfulness_share), "{r:?}");
        // This network does not listen, but hints are carried to what looks alike.
        assert!(right.gain.is_some_and(|gain| gain > 1.0), "{:?}", right.gain);
        assert!(right.hinted.is_some_and(|hinted| hinted.psnr > r.psnr));
        let [a, b] = right.mean_ab;
        assert!((10.0..40.0).contains(&a) && (-50.0..-15.0).contains(&b), "{a} {b}");
    }

    #[test]
    fn a_limit_is_spread_and_stopping_stops() {
        let options = EvaluateOptions { size: 48, limit: Some(2), ..EvaluateOptions::default() };
        assert!(evaluated([0.0; 2], &options).photos <= 2);
        let dir = folder();
        let all = EvaluateOptions { size: 48, ..EvaluateOptions::default() };
        let with = (&mut sure_of([0.0; 2]), None);
        let stopped = evaluate_colorizer(with, dir.path(), &all, &|_, _| false).unwrap();
        assert_eq!(stopped.photos, 1);
    }

    #[test]
    fn no_photographs_and_no_size_are_errors() {
        let empty = tempfile::tempdir().unwrap();
        let tried = |size: usize, folder: &Path| {
            let options = EvaluateOptions { size, ..EvaluateOptions::default() };
            let with = (&mut sure_of([0.0; 2]), None);
            evaluate_colorizer(with, folder, &options, &|_, _| true).unwrap_err()
        };
        assert!(matches!(tried(48, empty.path()), PipelineError::NoPictures { .. }));
        assert!(matches!(tried(5, empty.path()), PipelineError::Option { .. }));
    }
}
