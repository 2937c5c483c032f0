//! Pictures beside the photographs that they should be.

use imaging::Picture;
use tensor::Tensor;

use super::Scores;
use crate::PipelineError;
use crate::quality::{Features, Lpips, colorfulness, psnr, psnr_ab, ssim};

/// Decibels beyond which nobody can tell: a picture that is exactly right has infinitely many.
const MOST_DECIBELS: f64 = 100.0;

/// What all pictures of one kind come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    n: f64,
    scores: Scores,
    original: f64,
}

impl Sum {
    pub(super) fn mean(self) -> Scores {
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
pub(super) struct Judge<'a> {
    truth: Tensor,
    colorfulness: f64,
    lpips: Option<(&'a mut Lpips, Features)>,
}

impl<'a> Judge<'a> {
    pub(super) fn of(photo: &Picture, lpips: Option<&'a mut Lpips>) -> Result<Self, PipelineError> {
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

    pub(super) fn add(&mut self, picture: &Picture, sum: &mut Sum) -> Result<(), PipelineError> {
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
