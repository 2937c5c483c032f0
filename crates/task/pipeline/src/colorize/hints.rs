//! What the user knows about a picture's colours.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use imaging::colour::lab_of_srgb;
use imaging::{Format, Limits, Picture, Pixels};
use tensor::Tensor;

use crate::PipelineError;

/// The colour of one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Pixels from the left and from the top of the picture.
    pub at: [usize; 2],
    /// sRGB. Only hue and chroma count: lightness is the picture's.
    pub color: [u8; 3],
}

impl FromStr for Hint {
    type Err = PipelineError;

    /// Reads `x,y,#rrggbb`.
    fn from_str(text: &str) -> Result<Self, PipelineError> {
        let wrong = || PipelineError::Hint {
            hint: text.to_owned(),
            what: "is not x,y,#rrggbb, such as 120,80,#3b6ea5".to_owned(),
        };
        let mut parts = text.split(',').map(str::trim);
        let mut number = || parts.next()?.parse::<u32>().ok();
        let at = [number(), number()];
        let [Some(x), Some(y)] = at else { return Err(wrong()) };
        let hex = parts.next().and_then(|c| c.strip_prefix('#')).ok_or_else(wrong)?;
        let digits = hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        if !digits || parts.next().is_some() {
            return Err(wrong());
        }
        let bits = u32::from_str_radix(hex, 16).unwrap_or_default();
        let [_, color @ ..] = bits.to_be_bytes();
        Ok(Self { at: [x as usize, y as usize], color })
    }
}

/// Colours of some places of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hints {
    /// Places, each a small square. Where they overlap, the last one counts.
    pub points: Vec<Hint>,
    /// A picture laid over the whole of the picture, whatever its own size: where it is
    /// opaque, it says the colour. Points count more.
    pub overlay: Option<Picture>,
}

/// Bytes of a list of hints that nobody needs more of.
const LONGEST_LIST: u64 = 1 << 20;

/// A hint's square on the network's grid, pixels a side: what it was trained with.
const SIDE: usize = 6;

impl Hints {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty() && self.overlay.is_none()
    }

    /// Adds what a word says: `x,y,#rrggbb`, or else the name of a file of such lines (empty
    /// ones and those that begin with `//` are passed over), or of a picture with
    /// transparency, whose opaque pixels are hints.
    ///
    /// # Errors
    ///
    /// - [`PipelineError::Hint`] if it is neither, or says what cannot be followed.
    /// - [`PipelineError::Imaging`] if the picture cannot be read.
    pub fn add(&mut self, word: &str, limits: &Limits) -> Result<(), PipelineError> {
        let path = Path::new(word);
        if word.contains(",#") || word.contains(", #") || !path.is_file() {
            let hint = word.parse().map_err(|e| if word.contains(',') { e } else { no_file(word) });
            self.points.push(hint?);
            return Ok(());
        }
        let failed = |what: String| PipelineError::Hint { hint: word.to_owned(), what };
        if fs::metadata(path).map_err(|e| failed(e.to_string()))?.len() <= LONGEST_LIST {
            let bytes = fs::read(path).map_err(|e| failed(e.to_string()))?;
            if Format::of(&bytes).is_none() {
                let text = String::from_utf8(bytes).ok();
                let text = text.ok_or_else(|| failed("is neither text nor a picture".into()))?;
                return self.add_lines(&text);
            }
        }
        let overlay = imaging::decode_file(path, limits)?;
        if !overlay.channels().has_alpha() {
            let what = "has no transparency, so that it would hint at every pixel".to_owned();
            return Err(failed(what));
        }
        self.overlay = Some(overlay);
        Ok(())
    }

    fn add_lines(&mut self, text: &str) -> Result<(), PipelineError> {
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with("//")) {
            self.points.push(line.parse()?);
        }
        Ok(())
    }

    /// Draws the hints for a picture of `size` into channels 1 to 3 of a network's input
    /// `[1, 4, H, W]`: a/110, b/110 and 1.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Hint`] for one outside of the picture.
    pub(crate) fn draw(&self, size: [usize; 2], input: &mut Tensor) -> Result<(), PipelineError> {
        let [_, _, height, width] = input.shape4();
        let mut put = |y: usize, x: usize, [a, b]: [f32; 2]| {
            let area = height * width;
            for (channel, v) in (1..).zip([a / 110.0, b / 110.0, 1.0]) {
                input.data_mut()[channel * area + y * width + x] = v;
            }
        };
        if let Some(overlay) = &self.overlay {
            drawn(overlay, [height, width], &mut put);
        }
        for hint in &self.points {
            let [x, y] = hint.at;
            if y >= size[0] || x >= size[1] {
                let what = format!("lies outside of the picture of {}×{}", size[1], size[0]);
                let [r, g, b] = hint.color;
                let hint = format!("{x},{y},#{r:02x}{g:02x}{b:02x}");
                return Err(PipelineError::Hint { hint, what });
            }
            let [_, a, b] = lab_of_srgb(hint.color.map(|v| f32::from(v) / 255.0));
            for y in square(y, size[0], height) {
                square(x, size[1], width).for_each(|x| put(y, x, [a, b]));
            }
        }
        Ok(())
    }
}

fn no_file(word: &str) -> PipelineError {
    let what = "is no file, and not x,y,#rrggbb either".to_owned();
    PipelineError::Hint { hint: word.to_owned(), what }
}

/// The places of the network's axis that a hint at a place of the picture's covers.
fn square(place: usize, picture: usize, network: usize) -> std::ops::Range<usize> {
    let centre = ((place as f64 + 0.5) * network as f64 / picture as f64) as usize;
    let side = SIDE.min(network);
    let first = centre.saturating_sub(side / 2).min(network - side);
    first..first + side
}

/// Puts the mean colour of all opaque pixels that fall on each place of the grid.
fn drawn(
    overlay: &Picture,
    [height, width]: [usize; 2],
    put: &mut impl FnMut(usize, usize, [f32; 2]),
) {
    let mut sums = vec![[0.0f32; 3]; height * width];
    let row = overlay.width();
    let mut add = |i: usize, rgb: [f32; 3], alpha: f32| {
        if alpha >= 0.5 {
            let (y, x) = (i / row * height / overlay.height(), i % row * width / row);
            let [_, a, b] = lab_of_srgb(rgb);
            let sum = &mut sums[y * width + x];
            *sum = [sum[0] + a, sum[1] + b, sum[2] + 1.0];
        }
    };
    let channels = overlay.channels();
    let [n, green, blue] = if channels.is_grey() { [2, 0, 0] } else { [4, 1, 2] };
    match overlay.pixels() {
        Pixels::U8(values) => {
            for (i, p) in values.chunks_exact(n).enumerate() {
                let [r, g, b, alpha] = [0, green, blue, n - 1].map(|c| f32::from(p[c]) / 255.0);
                add(i, [r, g, b], alpha);
            }
        }
        Pixels::U16(values) => {
            for (i, p) in values.chunks_exact(n).enumerate() {
                let [r, g, b, alpha] = [0, green, blue, n - 1].map(|c| f32::from(p[c]) / 65535.0);
                add(i, [r, g, b], alpha);
            }
        }
    }
    for (i, [a, b, n]) in sums.into_iter().enumerate().filter(|(_, sum)| sum[2] > 0.0) {
        put(i / width, i % width, [a / n, b / n]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imaging::{Channels, EncodeOptions};

    fn mask(input: &Tensor) -> Vec<usize> {
        let area = input.data().len() / 4;
        (0..area).filter(|i| input.data()[3 * area + i] > 0.0).collect()
    }

    #[test]
    fn a_hint_is_a_place_and_a_colour() {
        let hint: Hint = "120, 80,#3B6ea5".parse().unwrap();
        assert_eq!(hint, Hint { at: [120, 80], color: [0x3b, 0x6e, 0xa5] });
        for text in
            ["", "1,2", "1,2,red", "1,2,#12345", "1,2,#12345g", "-1,2,#123456", "1,2,#123456,3"]
        {
            let error = text.parse::<Hint>().unwrap_err().to_string();
            assert!(error.contains("x,y,#rrggbb"), "{text}: {error}");
        }
    }

    #[test]
    fn a_point_becomes_a_square_inside_the_picture() {
        let blue = |at| Hint { at, color: [0, 0, 255] };
        for (at, want) in [([0, 0], 0), ([999, 499], 26 * 64 + 58), ([500, 250], 13 * 64 + 29)] {
            let hints = Hints { points: vec![blue(at)], overlay: None };
            let mut input = Tensor::zeros([1, 4, 32, 64]);
            hints.draw([500, 1000], &mut input).unwrap();
            let places = mask(&input);
            assert_eq!((places.len(), places[0]), (36, want), "{at:?}");
            let [a, b] = [1, 2].map(|c| input.data()[c * 32 * 64 + places[0]] * 110.0);
            assert!((a - 79.19).abs() < 0.01 && (b + 107.86).abs() < 0.01, "{a} {b}");
        }
        let outside = Hints { points: vec![blue([1000, 3])], overlay: None };
        let error = outside.draw([500, 1000], &mut Tensor::zeros([1, 4, 32, 64])).unwrap_err();
        assert!(error.to_string().contains("1000,3,#0000ff: lies outside"), "{error}");
    }

    #[test]
    fn files_hold_lists_or_pictures() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        fs::write(file("list"), "// sky\n1,2,#0000ff\n\n 3,4,#00ff00 \n").unwrap();
        let mut values = vec![0; 8 * 8 * 4];
        values[4 * 9..4 * 10].copy_from_slice(&[255, 0, 0, 255]); // one opaque pixel at (1, 1)
        let overlay = Picture::new([8, 8], Channels::Rgba, Pixels::U8(values));
        let save = |picture: &Picture, name: &str| {
            imaging::encode_file(picture, file(name).as_ref(), &EncodeOptions::default()).unwrap();
        };
        save(&overlay, "overlay.png");
        save(&Picture::new([1, 1], Channels::Rgb, Pixels::U8(vec![0; 3])), "opaque.png");
        fs::write(file("noise"), [0xff, 0xfe, 0x00]).unwrap();
        let mut hints = Hints::default();
        assert!(hints.is_empty());
        for word in [file("list"), "5,6,#ff0000".to_owned(), file("overlay.png")] {
            hints.add(&word, &Limits::default()).unwrap();
        }
        assert_eq!(hints.points.iter().map(|h| h.at).collect::<Vec<_>>(), [[1, 2], [3, 4], [5, 6]]);
        let mut input = Tensor::zeros([1, 4, 32, 32]);
        Hints { points: vec![], ..hints }.draw([100, 100], &mut input).unwrap();
        assert_eq!(mask(&input), [4 * 32 + 4]);
        for (word, want) in [
            (file("opaque.png"), "no transparency"),
            (file("noise"), "neither text nor a picture"),
            (file("nowhere"), "is no file"),
            ("1,2,#blue".to_owned(), "x,y,#rrggbb"),
        ] {
            let error = Hints::default().add(&word, &Limits::default()).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
