//! How well a network colours photographs whose colours are known.

use std::collections::BTreeSet;
use std::path::PathBuf;

use imaging::colour::Lab;
use imaging::{Depth, Filter, Fit, Guided, GuidedOptions, Limits, Picture, with_chroma};
use serde::Serialize;
use tensor::Tensor;

use crate::discover::{Recursion, Unreadable, pictures};
use crate::quality::{Features, Lpips, colorfulness, psnr, psnr_ab, ssim};
use crate::{
    COLORED, ColorizeOptions, Colorizer, Hint, Hints, InColor, PipelineError, spread_of_colors,
};

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

/// Decibels beyond which nobody can tell: a picture that is exactly right has infinitely many.
const MOST_DECIBELS: f64 = 100.0;

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
    folder: &std::path::Path,
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

/// The photographs of a folder, one at a time.
struct PhotoSet<'a> {
    paths: Vec<PathBuf>,
    options: &'a EvaluateOptions,
    colorless: usize,
    failed: Vec<(PathBuf, String)>,
}

impl<'a> PhotoSet<'a> {
    fn of(folder: &std::path::Path, options: &'a EvaluateOptions) -> Self {
        let (mut found, unreadable) = pictures(folder, Recursion::Deep, std::path::Path::new(""));
        if let Some(only) = &options.only {
            found.retain(|path| path.strip_prefix(folder).is_ok_and(|path| only.contains(path)));
        }
        let most = options.limit.unwrap_or(found.len()).min(found.len());
        let paths = (0..most).map(|i| found[i * found.len() / most].clone()).collect();
        let failed = unreadable.into_iter().map(|Unreadable { path, error }| (path, error));
        Self { paths, options, colorless: 0, failed: failed.collect() }
    }

    /// The mean ab of all, once; only those that count stay.
    fn mean_ab(&mut self) -> Option<[f32; 2]> {
        let (mut sum, mut kept) = ([0.0f64; 2], vec![]);
        for path in std::mem::take(&mut self.paths) {
            match self.read(&path) {
                Err(e) => self.failed.push((path, e.to_string())),
                Ok(photo) if spread_of_colors(&photo) < COLORED => self.colorless += 1,
                Ok(photo) => {
                    let lab = Lab::of_picture(&photo).into_tensor();
                    let area = self.options.size * self.options.size;
                    for (sum, plane) in sum.iter_mut().zip(lab.data()[area..].chunks(area)) {
                        *sum += plane.iter().map(|v| f64::from(*v)).sum::<f64>() / area as f64;
                    }
                    kept.push(path);
                }
            }
        }
        self.paths = kept;
        let n = self.paths.len() as f64;
        (n > 0.0).then(|| sum.map(|s| (s / n) as f32))
    }

    /// A photograph; none if it has vanished since.
    fn open(&mut self, path: &std::path::Path) -> Option<Picture> {
        self.read(path).map_err(|e| self.failed.push((path.to_owned(), e.to_string()))).ok()
    }

    /// The middle of a photograph, in 8 bits.
    fn read(&self, path: &std::path::Path) -> Result<Picture, PipelineError> {
        let picture = imaging::decode_file(path, &self.options.limits)?;
        let side = self.options.size;
        let [height, width] = Fit::Short(side).size(picture.size());
        let rgb = picture.to_rgb_tensor_of([height, width], Filter::default());
        let [top, left] = [height, width].map(|length| (length - side) / 2);
        let rows = (0..3 * side).flat_map(|row| {
            let (c, y) = (row / side, row % side);
            let start = (c * height + top + y) * width + left;
            rgb.data()[start..start + side].iter().copied()
        });
        let square = Tensor::new([1, 3, side, side], rows.collect());
        Ok(Picture::from_rgb_tensor(&square, Depth::Eight))
    }
}

/// What is made of one photograph.
struct Tries {
    grey: Picture,
    mean_color: Picture,
    network: Picture,
    hinted: Option<Picture>,
}

impl Tries {
    fn of(
        photo: &Picture,
        mean_ab: [f32; 2],
        (colorizer, index): (&mut Colorizer, usize),
        options: &EvaluateOptions,
    ) -> Result<Self, PipelineError> {
        let grey = in_one_color(photo, [0.0; 2]);
        let colorize = ColorizeOptions {
            hints: Hints::default(),
            in_color: InColor::Recolor,
            ..options.colorize.clone()
        };
        let network = colorizer.colorize(&grey, &colorize)?;
        let hinted = if options.hints > 0 {
            let hints = random_hints(photo, index, options);
            Some(colorizer.colorize(&grey, &ColorizeOptions { hints, ..colorize })?)
        } else {
            None
        };
        Ok(Self { mean_color: in_one_color(photo, mean_ab), grey, network, hinted })
    }

    fn all(&self) -> [Option<&Picture>; 4] {
        [Some(&self.grey), Some(&self.mean_color), Some(&self.network), self.hinted.as_ref()]
    }
}

/// The photograph's lightness in one colour.
fn in_one_color(photo: &Picture, ab: [f32; 2]) -> Picture {
    let lightness = Tensor::new([1, 1, 1, 1], vec![50.0]);
    let ab = Tensor::new([1, 2, 1, 1], ab.to_vec());
    with_chroma(photo, &Guided::new(&lightness, &ab, GuidedOptions::default()), 1.0)
}

/// Pixels a side of a hint.
const HINT: usize = 6;

fn random_hints(photo: &Picture, index: usize, options: &EvaluateOptions) -> Hints {
    let lab = Lab::of_picture(photo).into_tensor();
    let side = options.size;
    let mut state = options.seed ^ (index as u64).wrapping_mul(0xd129_0b26_5a5f_2b5d);
    let mut hint = || {
        let [x, y] = [0, 1]
            .map(|_| HINT / 2 + (random_bits(&mut state) % (side - HINT + 1) as u64) as usize);
        let mean = [0, 1, 2].map(|c| {
            let rows = (y - HINT / 2..y + HINT / 2)
                .flat_map(|y| lab.data()[(c * side + y) * side + x - HINT / 2..][..HINT].iter());
            rows.sum::<f32>() / (HINT * HINT) as f32
        });
        let color = imaging::colour::srgb_of_lab(mean).map(|v| (v * 255.0 + 0.5) as u8);
        Hint { at: [x, y], color }
    };
    Hints { points: (0..options.hints).map(|_| hint()).collect(), overlay: None }
}

/// `SplitMix64`.
fn random_bits(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What all pictures of one kind come to.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    n: f64,
    scores: Scores,
    original: f64,
}

impl Sum {
    fn mean(self) -> Scores {
        let Scores { psnr, psnr_ab, ssim, lpips, colorfulness, .. } = self.scores;
        let of = |sum: f64| if self.n > 0.0 { sum / self.n } else { 0.0 };
        let share = if self.original > 0.0 { colorfulness / self.original } else { 0.0 };
        Scores {
            psnr: of(psnr),
            psnr_ab: of(psnr_ab),
            ssim: of(ssim),
            lpips: lpips.map(of),
            colorfulness: of(colorfulness),
            colorfulness_share: share,
        }
    }
}

/// Compares pictures with one photograph.
struct Judge<'a> {
    truth: Tensor,
    colorfulness: f64,
    lpips: Option<(&'a mut Lpips, Features)>,
}

impl<'a> Judge<'a> {
    fn of(photo: &Picture, lpips: Option<&'a mut Lpips>) -> Result<Self, PipelineError> {
        let truth = photo.to_rgb_tensor();
        let lpips = match lpips {
            Some(lpips) => {
                let features = lpips.features(&truth)?;
                Some((lpips, features))
            }
            None => None,
        };
        Ok(Self { colorfulness: colorfulness(&truth), truth, lpips })
    }

    fn add(&mut self, picture: &Picture, sum: &mut Sum) -> Result<(), PipelineError> {
        let rgb = picture.to_rgb_tensor();
        sum.n += 1.0;
        sum.original += self.colorfulness;
        let scores = &mut sum.scores;
        scores.psnr += psnr(&rgb, &self.truth).min(MOST_DECIBELS);
        scores.psnr_ab += psnr_ab(&rgb, &self.truth).min(MOST_DECIBELS);
        scores.ssim += ssim(&rgb, &self.truth);
        scores.colorfulness += colorfulness(&rgb);
        if let Some((lpips, truth)) = &mut self.lpips {
            let distance = lpips.features(&rgb).map(|features| lpips.distance(&features, truth))?;
            *scores.lpips.get_or_insert(0.0) += distance;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colorize::sure_of;
    use imaging::{Channels, EncodeOptions, Pixels};

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
        let tried = |size: usize, folder: &std::path::Path| {
            let options = EvaluateOptions { size, ..EvaluateOptions::default() };
            let with = (&mut sure_of([0.0; 2]), None);
            evaluate_colorizer(with, folder, &options, &|_, _| true).unwrap_err()
        };
        assert!(matches!(tried(48, empty.path()), PipelineError::NoPictures { .. }));
        assert!(matches!(tried(5, empty.path()), PipelineError::Option { .. }));
    }

    /// The same places from the same seed, inside the picture, in its colours.
    #[test]
    fn hints_are_drawn_by_seed() {
        let photo =
            Picture::new([48, 48], Channels::Rgb, Pixels::U8([200, 60, 60].repeat(48 * 48)));
        let drawn = |seed: u64, index: usize| {
            let options =
                EvaluateOptions { size: 48, hints: 50, seed, ..EvaluateOptions::default() };
            random_hints(&photo, index, &options).points
        };
        assert_eq!(drawn(1, 2), drawn(1, 2));
        assert!(drawn(1, 2) != drawn(1, 3) && drawn(1, 2) != drawn(2, 2));
        for hint in drawn(1, 2) {
            assert!(hint.at.iter().all(|at| (3..=45).contains(at)));
            assert!(hint.color.iter().zip([200u8, 60, 60]).all(|(a, b)| a.abs_diff(b) <= 1));
        }
    }
}
