//! `pentimento evaluate`: how good a network is.

pub(crate) mod flags;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use pentimento::cpu::Threads;
use pentimento::pipeline::quality::Lpips;
use pentimento::pipeline::{
    ColorizeOptions, Colorizer, EvaluateOptions, Evaluation, Scores, evaluate_colorizer, pull,
};
use pentimento::train::data::Folder;

use crate::colorize;
use crate::exit::{NotPulled, Outcome};
use crate::interrupt::stop_on_signal;
use crate::progress::{Progress, Voice, say};
use flags::{Evaluate, EvaluateColorizer};

/// Runs one of the commands that judge.
pub(crate) fn run(flags: &Evaluate) -> anyhow::Result<Outcome> {
    match flags {
        Evaluate::Colorizer(flags) => colorizer(flags),
    }
}

fn colorizer(flags: &EvaluateColorizer) -> anyhow::Result<Outcome> {
    let model = colorize::model(flags.model.as_deref(), flags.classifier.as_deref())?;
    let mut colorizer = Colorizer::new(model);
    let mut lpips = lpips(flags)?;
    let options = options(flags)?;
    let threads = Threads::new(flags.threads.map(Into::into))?;
    let stop = stop_on_signal("finishing the photograph in work; once more to stop at once");
    let voice = if flags.quiet { Voice::Quiet } else { Voice::Normal };
    let progress = Progress::of_steps(0, 0, voice);
    let watch = |done: usize, total: usize| {
        progress.step(done as u64, format!("of {total}"));
        !stop.load(Ordering::Relaxed)
    };
    let with = (&mut colorizer, lpips.as_mut());
    let report = threads.run(|| evaluate_colorizer(with, &flags.photos, &options, &watch));
    progress.finish();
    let report = report?;
    for (path, error) in &report.failed {
        say(&format!("{}: {error}", path.display()));
    }
    let text = if flags.json { serde_json::to_string_pretty(&report)? } else { table(&report) };
    writeln!(io::stdout(), "{text}")?;
    Ok(match () {
        () if stop.load(Ordering::Relaxed) => Outcome::Interrupted,
        () if !report.failed.is_empty() => Outcome::SomeFailed,
        () => Outcome::Done,
    })
}

/// The photographs that training would keep out, if only those are wanted.
fn kept_out(flags: &EvaluateColorizer) -> anyhow::Result<Option<BTreeSet<PathBuf>>> {
    let Some(share) = flags.kept_out else { return Ok(None) };
    let (_, held_out) = Folder::open(&flags.photos)?.split(f64::from(share));
    Ok(Some(held_out.photos().iter().map(|photo| photo.path.clone()).collect()))
}

fn options(flags: &EvaluateColorizer) -> anyhow::Result<EvaluateOptions> {
    let defaults = EvaluateOptions::default();
    let temperature = flags.temperature.unwrap_or(defaults.colorize.temperature);
    Ok(EvaluateOptions {
        size: flags.size,
        limit: flags.limit.map(Into::into),
        only: kept_out(flags)?,
        hints: flags.hints,
        seed: flags.seed,
        colorize: ColorizeOptions {
            saturation: flags.saturation,
            temperature,
            ..defaults.colorize
        },
        limits: defaults.limits,
    })
}

fn lpips(flags: &EvaluateColorizer) -> anyhow::Result<Option<Lpips>> {
    let Some(heads) = &flags.lpips else { return Ok(None) };
    let vgg16 = match &flags.vgg16 {
        Some(file) => file.clone(),
        None => pull::find("vgg16").ok_or(NotPulled("vgg16"))?,
    };
    Ok(Some(Lpips::open(&vgg16, heads)?))
}

/// The report as a table.
fn table(report: &Evaluation) -> String {
    let Evaluation { network, size, photos, colorless, mean_ab: [a, b], .. } = report;
    let mut lines = vec![
        format!("{network} on {photos} photographs of {size}×{size}"),
        String::new(),
        "                      PSNR   PSNR ab   SSIM    LPIPS   colourfulness".into(),
    ];
    let mut rows = vec![
        ("left grey".to_owned(), report.grey),
        (format!("all ab {a:.1}, {b:.1}"), report.mean_color),
        (network.clone(), report.network_scores),
    ];
    rows.extend(report.hinted.map(|hinted| (format!("with {} hints", report.hints), hinted)));
    lines.extend(rows.iter().map(|(name, scores)| row(name, scores)));
    if let Some(gain) = report.gain {
        lines.push(format!("\nhints add {gain:+.2} dB"));
    }
    if *colorless > 0 {
        lines.push(format!("\n{colorless} photographs without colour were left out"));
    }
    lines.join("\n")
}

fn row(name: &str, scores: &Scores) -> String {
    let Scores { psnr, psnr_ab, ssim, lpips, colorfulness, colorfulness_share: share } = scores;
    let lpips = lpips.map_or_else(|| "–".to_owned(), |v| format!("{v:.4}"));
    let share = share * 100.0;
    format!(
        "{name:20} {psnr:6.2}    {psnr_ab:6.2}  {ssim:.4}  {lpips:>6}   {colorfulness:5.1}  {share:3.0} %"
    )
}
