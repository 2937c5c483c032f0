//! The real command, tiny networks and small pictures.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test's own helpers")]

pub mod training;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pentimento::imaging::{
    Channels, EncodeOptions, Limits, Picture, Pixels, decode_file, encode_file,
};
use pentimento::nets;
use pentimento::tensor::Tensor;
use pentimento::weights::{self, NetworkCard, Precision, StateDict};
use tempfile::TempDir;

/// A folder with a tiny style, gone after the test.
pub struct Place {
    dir: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let place = Self { dir: TempDir::new().unwrap() };
        place.network("tiny.safetensors", "transformer_net");
        place
    }

    /// With a photograph in it too.
    pub fn with_photo(name: &str, size: [usize; 2]) -> Self {
        let place = Self::new();
        place.photo(name, size);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A style network of width 4 with one residual block and weights that depend on nothing but
    /// their place.
    pub fn network(&self, file: &str, name: &str) {
        self.configured(file, name, r#"{"width": 4, "residual_blocks": 1}"#);
    }

    /// Any network with such settings.
    pub fn configured(&self, file: &str, name: &str, config: &str) {
        let net = nets::by_name(name, config).unwrap();
        let mut card = NetworkCard::new(name, net.input, net.output.unwrap_or(net.input));
        card.config = serde_json::from_str(config).unwrap();
        let tensors = tensors(&net.graph);
        weights::write(&self.path(file), &tensors, &card.to_metadata(), Precision::F32).unwrap();
    }

    /// A network that colours, of width 2.
    pub fn colorizer(&self, file: &str) {
        let config = r#"{"width": 2}"#;
        let net = nets::by_name("colorizer", config).unwrap();
        let mut card = NetworkCard::new("colorizer", net.input, net.input);
        card.config = serde_json::from_str(config).unwrap();
        let tensors = tensors(&net.graph);
        weights::write(&self.path(file), &tensors, &card.to_metadata(), Precision::F32).unwrap();
    }

    /// A black-and-white photograph of sorts.
    pub fn grey(&self, name: &str, size: [usize; 2]) -> PathBuf {
        self.picture(name, &picture(size, Channels::Grey))
    }

    /// The same without a word on what it is.
    pub fn bare_network(&self, file: &str, name: &str) {
        self.network(file, name);
        let tensors = self.tensors(file);
        weights::write(&self.path(file), &tensors, &BTreeMap::new(), Precision::F32).unwrap();
    }

    /// What a file of weights holds.
    pub fn tensors(&self, file: &str) -> StateDict {
        weights::read(&self.path(file), &weights::Limits::default()).unwrap().tensors
    }

    /// A photograph of sorts: slopes and a checkerboard.
    pub fn photo(&self, name: &str, size: [usize; 2]) -> PathBuf {
        self.picture(name, &picture(size, Channels::Rgb))
    }

    pub fn picture(&self, name: &str, picture: &Picture) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        encode_file(picture, &path, &EncodeOptions::default()).unwrap();
        path
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// `pentimento` with these words, in this folder.
    pub fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pentimento"));
        command.args(words).current_dir(self.dir.path()).env_remove("RUST_BACKTRACE");
        command
    }

    /// Kills `pentimento` with these words as soon as this file is there.
    pub fn killed_at<S: AsRef<OsStr>>(&self, words: &[S], file: &str) {
        let mut child = self.command(words).stderr(Stdio::null()).spawn().unwrap();
        let file = self.path(file);
        wait_until("the file is there", || file.exists());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub fn run<S: AsRef<OsStr>>(&self, words: &[S]) -> Ran {
        Ran::new(&self.command(words).output().unwrap())
    }

    /// `pentimento stylize` with the tiny style; the words are split at spaces.
    pub fn stylize(&self, words: &str) -> Ran {
        let mut all = vec!["stylize", "--style", "tiny.safetensors"];
        all.extend(words.split_whitespace());
        self.run(&all)
    }

    pub fn read(&self, name: &str) -> Picture {
        decode_file(&self.path(name), &Limits::default()).unwrap()
    }

    /// All files below a folder, relative to it, by name.
    pub fn files(&self, below: &str) -> Vec<String> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let (root, mut found) = (self.path(below), vec![]);
        walk(&root, &mut found);
        let name = |p: &PathBuf| p.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let mut names: Vec<String> = found.iter().map(name).collect();
        names.sort();
        names
    }
}

/// What a finished command left behind.
#[derive(Debug)]
pub struct Ran {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { status: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Holds it to an exit status and to words on standard error.
    #[track_caller]
    pub fn ended(self, status: i32, words: &[&str]) -> Self {
        assert_eq!(self.status, Some(status), "{self:#?}");
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in {self:#?}");
        }
        assert!(!self.err.contains("panicked"), "{self:#?}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e} in {self:#?}"))
    }
}

/// Waits until `is_so`, with a patience that ends.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < patience, "waited in vain until {what}");
        sleep(Duration::from_millis(2));
    }
}

/// Ctrl-C.
pub fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

pub fn picture(size: [usize; 2], channels: Channels) -> Picture {
    let [height, width] = size;
    let mut values = vec![];
    for y in 0..height {
        for x in 0..width {
            let check = if (x / 4 + y / 4) % 2 == 0 { 40 } else { 0 };
            let rgb = [x * 200 / width + check, y * 200 / height + check, 90 + check];
            let colours = if channels.is_grey() { &rgb[..1] } else { &rgb[..] };
            values.extend(colours.iter().map(|&v| v as u8));
            if channels.has_alpha() {
                values.push((x * 255 / width) as u8);
            }
        }
    }
    Picture::new(size, channels, Pixels::U8(values))
}

/// Weights that nobody trained: of both signs, the same every time.
pub struct MadeUp(u32);

impl Default for MadeUp {
    fn default() -> Self {
        Self(1)
    }
}

impl MadeUp {
    /// For a parameter of this shape, at most `gain` over the square root of what it sums.
    pub fn values(&mut self, shape: &[usize], gain: f32) -> Vec<f32> {
        let fan_in = shape.iter().skip(1).product::<usize>().max(1) as f32;
        let mut noise = || {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from((self.0 >> 16) as u16) / 32768.0 - 1.0
        };
        (0..shape.iter().product()).map(|_| noise() * gain / fan_in.sqrt()).collect()
    }
}

/// A value for every parameter: norms near the identity, the rest small and of both signs.
fn tensors(graph: &pentimento::graph::Graph) -> StateDict {
    let mut made_up = MadeUp::default();
    let last = graph.params().len() - 1;
    let tensor = |(i, p): (usize, &pentimento::graph::Param)| {
        let mut data = made_up.values(&p.shape, 2.0);
        if i == last {
            data = data.iter().map(|v| 128.0 + 20.0 * v).collect(); // mid grey
        }
        if i + 1 == last {
            data = data.iter().map(|v| 40.0 * v).collect(); // contrast
        }
        (p.name.clone(), Tensor::new(p.shape.clone(), data))
    };
    graph.params().iter().enumerate().map(tensor).collect()
}
