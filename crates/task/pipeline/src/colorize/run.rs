//! One picture through a network that colours.

use std::sync::Arc;

use cpu::{Plan, Session};
use graph::Shape4;
use imaging::{Filter, Guided, GuidedOptions, Picture, resize_tensor, with_chroma};
use tensor::Tensor;

use super::carry::{Reach, carry};
use super::model::Kind;
use super::sizes::{FITTED, fitted_size, grey_of, lightness_of, network_size};
use super::{COLORED, ColorModel, ColorizeOptions, InColor, spread_of_colors};
use crate::PipelineError;

/// What a picture takes beside the engine's memory: 8 values of 8 bytes and 8 of 4 for each fitted
/// pixel, and a network's input and output.
const FIXED_BYTES: u64 = (FITTED * FITTED * 96) as u64;

/// A network that colours, at work. Keeps the buffers for the last size, so that pictures of one
/// shape follow one another without new memory.
///
/// It runs on the threads of the rayon pool that calls it; see [`cpu::Threads`].
#[derive(Debug)]
pub struct Colorizer {
    model: Arc<ColorModel>,
    ready: Option<(Vec<Shape4>, Session)>,
}

impl Colorizer {
    /// Nothing is computed or taken before the first picture. Several may share a network.
    pub fn new(model: impl Into<Arc<ColorModel>>) -> Self {
        Self { model: model.into(), ready: None }
    }

    /// The network.
    pub fn model(&self) -> &ColorModel {
        &self.model
    }

    /// The picture in colour: of the same size, with the same lightness, transparency, depth
    /// and metadata. Any size of at least one pixel will do.
    ///
    /// The network sees the picture at one size whatever its own is, so that its colours do not
    /// depend on it; they are brought onto the edges of the full picture by a guided filter.
    ///
    /// # Errors
    ///
    /// - [`PipelineError::Option`] for a value out of its range.
    /// - [`PipelineError::InColor`] if the picture is in colour and that was not asked for.
    /// - [`PipelineError::Hint`] for a hint outside of the picture, or to a network that takes
    ///   none.
    /// - [`PipelineError::Memory`], before the memory is taken.
    /// - [`PipelineError::NotFinite`] if the weights are damaged.
    pub fn colorize(
        &mut self,
        picture: &Picture,
        options: &ColorizeOptions,
    ) -> Result<Picture, PipelineError> {
        options.check()?;
        if options.in_color == InColor::Refuse && spread_of_colors(picture) >= COLORED {
            return Err(PipelineError::InColor);
        }
        let fitted = fitted_size(picture.size());
        let size = network_size(picture.size(), options.side);
        self.prepare(picture, size, options.memory)?;
        let small = picture.to_rgb_tensor_of(fitted, Filter::Triangle);
        let ab = self.colors(&small, (picture.size(), size), options)?;
        let ab = resize_tensor(&ab, fitted, Filter::Triangle);
        let lightness = lightness_of(&small);
        let map = Guided::new(&lightness, &ab, GuidedOptions::default());
        drop((small, ab, lightness));
        Ok(with_chroma(picture, &map, options.saturation))
    }

    /// Bytes that [`Colorizer::colorize`] takes for a picture.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Option`] for a value out of its range, and [`PipelineError::Memory`] if
    /// it is over [`ColorizeOptions::memory`].
    pub fn memory(
        &self,
        picture: &Picture,
        options: &ColorizeOptions,
    ) -> Result<u64, PipelineError> {
        options.check()?;
        let size = network_size(picture.size(), options.side);
        Ok(self.plan(picture, size, options.memory)?.1)
    }

    /// The network's ab for a small picture, on the network's own grid.
    fn colors(
        &mut self,
        small: &Tensor,
        sizes: ([usize; 2], [usize; 2]),
        options: &ColorizeOptions,
    ) -> Result<Tensor, PipelineError> {
        let (hinted, output) = self.answer(small, sizes, options)?;
        let mut ab = self.model.decoded(output, options.temperature)?;
        if let Some(hinted) = hinted {
            carry(&mut ab, &hinted, Reach::default());
        }
        Ok(ab)
    }

    /// The hints on the network's grid, if there are any, and what it answers to a small picture.
    pub(super) fn answer(
        &mut self,
        small: &Tensor,
        (own, size): ([usize; 2], [usize; 2]),
        options: &ColorizeOptions,
    ) -> Result<(Option<Tensor>, Tensor), PipelineError> {
        let mut rgb = resize_tensor(small, size, Filter::default());
        rgb.data_mut().iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
        let mut inputs = vec![self.model.input(&lightness_of(&rgb))];
        let hinted = self.hinted(&inputs[0], own, options)?;
        if self.model.kind == Kind::Fused {
            inputs.push(self.model.classes(&grey_of(small))?);
        }
        // Taken out, so that after a panic nobody goes on with half-written buffers.
        let Some((shapes, mut session)) = self.ready.take() else { unreachable!() };
        let output = session.run(&inputs.iter().collect::<Vec<_>>()).output;
        self.ready = Some((shapes, session));
        Ok((hinted, output))
    }

    /// A network's input with the hints that there are. The network itself is not shown them: it
    /// hardly follows, and what it does follow makes its colours a worse measure of what is
    /// alike (decision 0074).
    fn hinted(
        &self,
        input: &Tensor,
        own: [usize; 2],
        options: &ColorizeOptions,
    ) -> Result<Option<Tensor>, PipelineError> {
        if options.hints.is_empty() {
            return Ok(None);
        }
        if !self.model.takes_hints() {
            let what = format!("{} is a network that takes none", self.model.name());
            return Err(PipelineError::Hint { hint: "given".into(), what });
        }
        let mut hinted = input.clone();
        options.hints.draw(own, &mut hinted)?;
        Ok(Some(hinted))
    }

    /// Makes sure of a session for this size, within the memory allowed.
    pub(super) fn prepare(
        &mut self,
        picture: &Picture,
        size: [usize; 2],
        limit: u64,
    ) -> Result<(), PipelineError> {
        let shapes = self.model.shapes(size);
        let (plan, _) = self.plan(picture, size, limit)?;
        if self.ready.as_ref().is_none_or(|(ready, _)| *ready != shapes) {
            self.ready = None; // the old buffers go before the new ones come
            self.ready = Some((shapes, Session::new(plan)));
        }
        Ok(())
    }

    /// The plan for a size, and all the memory that the picture takes, held to the limit.
    fn plan(
        &self,
        picture: &Picture,
        size: [usize; 2],
        limit: u64,
    ) -> Result<(Plan, u64), PipelineError> {
        let plan = Plan::new(&self.model.network, &self.model.shapes(size), &[])?;
        let values = picture.size().iter().product::<usize>() * 4;
        let bytes = match picture.depth() {
            imaging::Depth::Eight => 1,
            imaging::Depth::Sixteen => 2,
        };
        // The result, and as much again for its file.
        let need = plan.memory() as u64 + FIXED_BYTES + (2 * bytes * values) as u64;
        if need > limit {
            let [height, width] = picture.size();
            return Err(PipelineError::Memory { width, height, need, limit, size: None });
        }
        Ok((plan, need))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use graph::{Activation, Builder, Conv, Encoding, PadMode};
    use imaging::colour::{BINS, Lab, SoftBins};
    use imaging::{Channels, Depth, Pixels};
    use weights::{NetworkCard, Precision, StateDict};

    /// Our network with random weights.
    fn random() -> Colorizer {
        let (card, mut tensors) = ours();
        tensors.extend(testing::random_weights(&nets::colorizer::graph(CONFIG), 3));
        opened(&card, &tensors)
    }

    const CONFIG: nets::colorizer::Config = nets::colorizer::Config { width: 2 };

    fn ours() -> (NetworkCard, StateDict) {
        let mut card = NetworkCard::new("colorizer", Encoding::UNIT, Encoding::UNIT);
        card.config = serde_json::json!(CONFIG);
        let graph = nets::colorizer::graph(CONFIG);
        let zeros = |p: &graph::Param| (p.name.clone(), Tensor::zeros(p.shape.clone()));
        (card, graph.params().iter().map(zeros).collect())
    }

    /// Our network with weights that make it sure of one colour, everywhere.
    pub(crate) fn sure_of(ab: [f32; 2]) -> Colorizer {
        let (card, mut tensors) = ours();
        let mut bias = Tensor::zeros([BINS]);
        bias.data_mut()[usize::from(SoftBins::of(ab).index[0])] = 50.0;
        tensors.insert("colours.bias".into(), bias);
        opened(&card, &tensors)
    }

    fn opened(card: &NetworkCard, tensors: &StateDict) -> Colorizer {
        let mut bytes = vec![];
        weights::write_to(&mut bytes, tensors, &card.to_metadata(), Precision::F32).unwrap();
        Colorizer::new(ColorModel::from_bytes("test", &bytes).unwrap())
    }

    /// Slopes of grey that stay away from black and white.
    fn slopes(size: [usize; 2], channels: Channels, depth: Depth) -> Picture {
        let n = channels.count();
        let value = |i: usize| {
            let (pixel, c) = (i / n, i % n);
            let (y, x) = (pixel / size[1], pixel % size[1]);
            if channels.has_alpha() && c == n - 1 {
                7 + (x + y) % 200
            } else {
                100 + 40 * y / size[0] + 30 * x / size[1]
            }
        };
        let values = 0..size[0] * size[1] * n;
        let pixels = match depth {
            Depth::Eight => Pixels::U8(values.map(|i| value(i) as u8).collect()),
            Depth::Sixteen => Pixels::U16(values.map(|i| value(i) as u16 * 257).collect()),
        };
        Picture::new(size, channels, pixels)
    }

    fn mean_ab(picture: &Picture) -> [f32; 2] {
        let lab = Lab::of_picture(picture).into_tensor();
        let area = picture.width() * picture.height();
        [1, 2].map(|c| lab.data()[c * area..][..area].iter().sum::<f32>() / area as f32)
    }

    #[test]
    fn every_kind_of_picture_gets_the_networks_colour_at_its_own_lightness() {
        let mut colorizer = sure_of([20.0, -30.0]);
        for channels in [Channels::Grey, Channels::GreyAlpha, Channels::Rgb, Channels::Rgba] {
            for depth in [Depth::Eight, Depth::Sixteen] {
                let picture = slopes([40, 70], channels, depth);
                let got = colorizer.colorize(&picture, &ColorizeOptions::default()).unwrap();
                assert_eq!((got.size(), got.depth()), (picture.size(), depth));
                assert_eq!(got.channels().has_alpha(), channels.has_alpha());
                let [a, b] = mean_ab(&got);
                assert!((a - 20.0).abs() < 0.5 && (b + 30.0).abs() < 0.5, "{channels:?}: {a} {b}");
                let [was, is] = [&picture, &got].map(|p| Lab::of_picture(p).into_tensor());
                for (was, is) in was.data().iter().zip(is.data()).take(40 * 70) {
                    assert!((was - is).abs() < 0.5, "L {was} became {is}");
                }
            }
        }
    }

    #[test]
    fn saturation_scales_chroma() {
        let mut colorizer = sure_of([20.0, -30.0]);
        let picture = slopes([40, 70], Channels::Grey, Depth::Sixteen);
        for saturation in [0.0, 0.5, 1.2] {
            let options = ColorizeOptions { saturation, ..ColorizeOptions::default() };
            let [a, b] = mean_ab(&colorizer.colorize(&picture, &options).unwrap());
            assert!((a - 20.0 * saturation).abs() < 0.3 && (b + 30.0 * saturation).abs() < 0.3);
        }
    }

    #[test]
    fn any_size_will_do() {
        let mut colorizer = sure_of([20.0, -30.0]);
        for size in [[1, 1], [1, 900], [900, 1], [33, 31], [1200, 2]] {
            let picture = slopes(size, Channels::Grey, Depth::Eight);
            let got = colorizer.colorize(&picture, &ColorizeOptions::default()).unwrap();
            assert_eq!(got.size(), size);
            let [a, b] = mean_ab(&got);
            assert!((a - 20.0).abs() < 1.0 && (b + 30.0).abs() < 1.0, "{size:?}: {a} {b}");
        }
    }

    /// The network sees the same picture, whatever its size.
    #[test]
    fn colours_do_not_depend_on_the_size() {
        let mut colorizer = random();
        let options = ColorizeOptions { in_color: InColor::Recolor, ..ColorizeOptions::default() };
        let mut at = |side: usize| {
            let picture = slopes([side, side], Channels::Grey, Depth::Sixteen);
            let coloured = colorizer.colorize(&picture, &options).unwrap();
            Lab::of_rgb(&coloured.to_rgb_tensor_of([32, 32], Filter::Triangle)).into_tensor()
        };
        let (small, large) = (at(256), at(1024));
        for (small, large) in small.data().iter().zip(large.data()) {
            assert!((small - large).abs() < 2.0, "{small} at 256, {large} at 1024");
        }
    }

    #[test]
    fn hints_change_the_colours() {
        let mut colorizer = random();
        let picture = slopes([256, 256], Channels::Grey, Depth::Eight);
        let mut colored = |hints: &[&str]| {
            let mut options = ColorizeOptions::default();
            options.hints.points = hints.iter().map(|h| h.parse().unwrap()).collect();
            colorizer.colorize(&picture, &options)
        };
        let plain = colored(&[]).unwrap();
        assert_eq!(colored(&[]).unwrap(), plain);
        assert_ne!(colored(&["60,60,#ff0000"]).unwrap(), plain);
        let error = colored(&["256,60,#ff0000"]).unwrap_err();
        assert!(matches!(error, PipelineError::Hint { .. }), "{error}");
    }

    #[test]
    fn threads_change_nothing() {
        let picture = slopes([300, 200], Channels::Rgb, Depth::Eight);
        let on = |threads: usize| {
            let threads = cpu::Threads::new(Some(threads)).unwrap();
            threads.run(|| random().colorize(&picture, &ColorizeOptions::default()).unwrap())
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn what_is_in_colour_is_refused_unless_asked_for() {
        let mut colorizer = sure_of([20.0, -30.0]);
        let values = (0..64 * 64).flat_map(|i| {
            let dark = (i % 64) as u8;
            if i < 2048 { [200 - dark, 80 - dark, 60] } else { [60, 90 - dark, 200 - dark] }
        });
        let picture = Picture::new([64, 64], Channels::Rgb, Pixels::U8(values.collect()));
        let mut options = ColorizeOptions::default();
        let error = colorizer.colorize(&picture, &options).unwrap_err();
        assert!(matches!(error, PipelineError::InColor), "{error}");
        options.in_color = InColor::Recolor;
        let [a, b] = mean_ab(&colorizer.colorize(&picture, &options).unwrap());
        assert!((a - 20.0).abs() < 1.0 && (b + 30.0).abs() < 1.0, "{a} {b}");
    }

    #[test]
    fn wrong_values_and_little_memory_are_refused() {
        let picture = slopes([64, 64], Channels::Grey, Depth::Eight);
        let mut colorizer = sure_of([0.0; 2]);
        let ok = ColorizeOptions::default();
        for options in [
            ColorizeOptions { saturation: -0.1, ..ok.clone() },
            ColorizeOptions { saturation: f32::NAN, ..ok.clone() },
            ColorizeOptions { temperature: 0.0, ..ok.clone() },
            ColorizeOptions { side: 5000, ..ok.clone() },
        ] {
            let error = colorizer.colorize(&picture, &options).unwrap_err();
            assert!(matches!(error, PipelineError::Option { .. }), "{error}");
        }
        let little = ColorizeOptions { memory: 1 << 20, ..ok };
        let error = colorizer.colorize(&picture, &little).unwrap_err();
        assert!(matches!(error, PipelineError::Memory { .. }), "{error}");
    }

    #[test]
    fn a_checkpoint_of_another_network_is_named() {
        let (card, tensors) = ours();
        let message = |network: &str, config: &str| {
            let mut card = card.clone();
            card.network = network.to_owned();
            card.config = serde_json::from_str(config).unwrap();
            let mut bytes = vec![];
            weights::write_to(&mut bytes, &tensors, &card.to_metadata(), Precision::F32).unwrap();
            ColorModel::from_bytes("test", &bytes).unwrap_err().to_string()
        };
        let style = message("transformer_net", "{}");
        assert!(style.contains("transformer_net") && style.contains("colorizer"), "{style}");
        let wide = message("colorizer", r#"{"width": 4}"#);
        assert!(wide.contains("colorizer") && wide.contains("decoder"), "{wide}");
        let unknown = message("ddcolor", "{}");
        assert!(unknown.contains("ddcolor") && unknown.contains("colorizer"), "{unknown}");
        let error = ColorModel::open("no-such-file.safetensors").unwrap_err();
        assert!(matches!(error, PipelineError::UnknownColorizer { .. }), "{error}");
    }

    /// A network of one 1×1 convolution and tanh, of one input or two.
    fn regression(inputs: usize) -> Colorizer {
        let mut g = Builder::new("test");
        let mut x = g.input("lightness", 1);
        if inputs == 2 {
            let classes = g.input("classes", 1000);
            let classes = g.broadcast_space(classes, x);
            x = g.concat(&[x, classes]);
        }
        let x = g.conv("out", x, Conv::same(2, 1, PadMode::Zero));
        let x = g.activation(x, Activation::Tanh);
        let graph = g.finish(x);
        let mut tensors: StateDict = graph
            .params()
            .iter()
            .map(|p| (p.name.clone(), Tensor::zeros(p.shape.clone())))
            .collect();
        tensors
            .insert("out.bias".into(), Tensor::new([2], vec![0.25f32.atanh(), -0.125f32.atanh()]));
        let weights = weights::Weights::bind(&graph, tensors).unwrap();
        let network = cpu::Network::new(&graph, &weights).unwrap();
        let card = NetworkCard::new("test", Encoding::BYTES, Encoding::BYTES);
        Colorizer::new(ColorModel::for_test(card, network))
    }

    #[test]
    fn networks_that_give_ab_itself_colour_too_and_take_no_hints() {
        let picture = slopes([50, 40], Channels::Grey, Depth::Sixteen);
        let mut colorizer = regression(1);
        let mut options = ColorizeOptions::default();
        let [a, b] = mean_ab(&colorizer.colorize(&picture, &options).unwrap());
        assert!((a - 32.0).abs() < 0.3 && (b + 16.0).abs() < 0.3, "{a} {b}");
        options.hints.points = vec!["1,1,#ff0000".parse().unwrap()];
        let error = colorizer.colorize(&picture, &options).unwrap_err().to_string();
        assert!(error.contains("takes none"), "{error}");
        let error = regression(2).colorize(&picture, &ColorizeOptions::default()).unwrap_err();
        assert!(error.to_string().contains("--classifier"), "{error}");
    }
}
