use std::mem::take;

use graph::{NodeId, Shape4};
use kernels::Moments;
use tensor::{Plane, Tensor};
use weights::Weights;

use crate::plan::{Memory, Plan, Purpose, Statistics};
use crate::step::{Over, Step};
use crate::{EngineError, Network, Session, Threads};

mod backward;
mod conv;
mod slots;

use slots::Slots;

/// With respect to what gradients are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All trainable parameters. The data is given.
    Parameters,
    /// All inputs. The parameters are frozen: nothing is computed for them.
    Inputs,
    /// Both.
    Both,
}

impl Wanted {
    fn parameters(self) -> bool {
        self != Self::Inputs
    }

    fn inputs(self) -> bool {
        self != Self::Parameters
    }
}

/// How a batch norm's running mean and variance follow the batches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Running {
    /// The share of the newest batch: `PyTorch`'s `momentum`, and 1 less Keras's.
    pub share: f64,
    /// Which variance is taken.
    pub variance: Variance,
}

/// Which estimate of a variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// Divided by the number of values.
    Biased,
    /// Divided by one less.
    Unbiased,
}

impl Running {
    /// `torch.nn.BatchNorm2d` as it is by default.
    pub const PYTORCH: Self = Self { share: 0.1, variance: Variance::Unbiased };

    /// `keras.layers.BatchNormalization` as it is by default.
    pub const KERAS: Self = Self { share: 0.01, variance: Variance::Biased };
}

impl Variance {
    /// From the biased variance of `count` values to this one.
    fn factor(self, count: f64) -> f64 {
        match self {
            Self::Biased => 1.0,
            Self::Unbiased => count / (count - 1.0).max(1.0),
        }
    }
}

/// A network that is run forwards and then backwards: reverse-mode
/// differentiation over a plan's steps, with the same kernels both ways.
///
/// Every value of the forward run is kept, unless [`Memory`] says otherwise. Gradients share memory by lifetime.
/// Equal inputs give equal bits, whatever the number of threads.
///
/// ```
/// use cpu::{Network, Tape, Wanted};
/// use graph::{Builder, Conv};
/// use tensor::Tensor;
///
/// let mut g = Builder::new("twice");
/// let x = g.input("x", 1);
/// let y = g.conv("c", x, Conv::new(1, 1).without_bias());
/// let g = g.finish(y);
/// let two = Tensor::new([1, 1, 1, 1], vec![2.0]);
/// let weights = weights::Weights::bind(&g, [("c.weight".to_owned(), two)].into())?;
///
/// let network = Network::new(&g, &weights)?;
/// let mut tape = Tape::new(&network, &[[1, 1, 1, 3]], &[y], Wanted::Both)?;
/// tape.forward(&[&Tensor::new([1, 1, 1, 3], vec![1.0, 2.0, 3.0])]);
/// tape.backward(|_, _, gradient| {
///     let ones = Tensor::new([1, 1, 1, 3], vec![1.0; 3]);
///     gradient.fill_from(&ones); // of the sum of the outputs
/// });
/// assert_eq!(tape.parameter_gradients()[0].data(), [6.0]);
/// assert_eq!(tape.input_gradient(0).data(), [2.0, 2.0, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Tape {
    session: Session,
    wanted: Wanted,
    slots: Slots,
    /// Memory of the gradients.
    planes: Vec<Plane>,
    /// What a convolution's gradient needs for a moment.
    temporary: Plane,
    states: Vec<State>,
    parameters: Vec<Tensor>,
    /// The weights before the last ones: memory for the next.
    spare: Option<Weights>,
    /// Whether rectifiers hold back negative gradients.
    guided: bool,
}

/// How far the gradient of one slot has come in this run.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    written: bool,
    /// How many steps have added to it.
    parts: usize,
    masked: bool,
}

impl Tape {
    /// Plans `network` for inputs of these shapes, where the loss is a function
    /// of the outputs of `taps`.
    ///
    /// # Errors
    ///
    /// If the network does not fit inputs of these shapes.
    ///
    /// # Panics
    ///
    /// If a tap is of another graph and out of range.
    pub fn new(
        network: &Network,
        inputs: &[Shape4],
        taps: &[NodeId],
        wanted: Wanted,
    ) -> Result<Self, EngineError> {
        Self::with_statistics(network, inputs, taps, (wanted, Statistics::Stored))
    }

    /// [`Tape::new`], where it is said by what batch norms normalise.
    ///
    /// # Errors
    ///
    /// As [`Tape::new`].
    ///
    /// # Panics
    ///
    /// As [`Tape::new`].
    pub fn with_statistics(
        network: &Network,
        inputs: &[Shape4],
        taps: &[NodeId],
        (wanted, statistics): (Wanted, Statistics),
    ) -> Result<Self, EngineError> {
        let trains = wanted.parameters();
        let purpose = if trains { Purpose::Training(statistics) } else { Purpose::Looking };
        let plan = Plan::for_purpose((network, purpose), inputs, taps)?;
        Ok(Self::for_plan(plan, wanted))
    }

    /// A tape whose rectifiers also hold back negative gradients, for guided
    /// backpropagation: what comes back is no derivative any more, but shows what
    /// speaks for the taps. The inputs' is the one that is found.
    ///
    /// # Errors
    ///
    /// As [`Tape::new`].
    ///
    /// # Panics
    ///
    /// As [`Tape::new`].
    ///
    /// # Source
    ///
    /// Springenberg et al., "Striving for Simplicity: The All Convolutional Net" (2015),
    /// section 3.4. At a leaky rectifier the derivative is the usual one.
    pub fn guided(
        network: &Network,
        inputs: &[Shape4],
        taps: &[NodeId],
    ) -> Result<Self, EngineError> {
        let plan = Plan::for_purpose((network, Purpose::Guided), inputs, taps)?;
        Ok(Self { guided: true, ..Self::for_plan(plan, Wanted::Inputs) })
    }

    /// The same with another way of keeping what goes forwards. Nothing that was computed is
    /// kept over this.
    #[must_use]
    pub fn with_memory(self, memory: Memory) -> Self {
        match memory {
            Memory::Kept => self,
            Memory::Recomputed => {
                Self { session: Session::new(self.session.into_plan().recomputing()), ..self }
            }
        }
    }

    fn for_plan(plan: Plan, wanted: Wanted) -> Self {
        let slots = Slots::new(&plan, wanted);
        let planes = vec![Plane::default(); slots.layout.pieces.len()];
        let params = plan.network.graph().params();
        let parameters = params.iter().map(|p| {
            let frozen = !(wanted.parameters() && p.trainable);
            if frozen { Tensor::zeros([0]) } else { Tensor::zeros(p.shape.clone()) }
        });
        Self {
            wanted,
            planes,
            temporary: Plane::default(),
            states: vec![State::default(); slots.count()],
            parameters: parameters.collect(),
            slots,
            spare: None,
            guided: false,
            session: Session::new(plan),
        }
    }

    /// The network, with the weights it has now.
    pub fn network(&self) -> &Network {
        &self.session.plan().network
    }

    /// Bytes that values and gradients take, without what a convolution needs
    /// for a moment.
    pub fn memory(&self) -> usize {
        let gradients: usize = self.slots.layout.pieces.iter().sum();
        self.session.plan().memory() + gradients * size_of::<f32>()
    }

    /// Moves the running mean and variance of every batch norm that normalised by its
    /// batch ([`Statistics::Batch`]) towards what the last forward run has measured.
    ///
    /// # Panics
    ///
    /// If `weights` are those of another graph.
    pub fn update_statistics(&self, weights: &mut Weights, running: Running) {
        for step in &self.session.plan().steps {
            let &Step::Norm { node, over: Over::Batch, moments, .. } = step else { continue };
            let moments = Moments::over(self.session.moments(moments));
            let param = |place| self.network().graph().node(node).param(place);
            let Some([mean_at, variance_at]) = param(2).zip(param(3)).map(<[usize; 2]>::from)
            else {
                unreachable!("a batch norm has statistics")
            };
            let moved = |to: &mut f32, measured: f64| {
                *to = (f64::from(*to) + running.share * (measured - f64::from(*to))) as f32;
            };
            for (c, mean) in weights.tensors_mut()[mean_at].data_mut().iter_mut().enumerate() {
                moved(mean, moments.mean(c));
            }
            let factor = running.variance.factor(moments.count());
            for (c, var) in weights.tensors_mut()[variance_at].data_mut().iter_mut().enumerate() {
                moved(var, factor * moments.variance(c));
            }
        }
    }

    /// Takes other weights, as an optimiser has made them.
    ///
    /// # Errors
    ///
    /// If they are those of another graph.
    pub fn set_weights(&mut self, weights: &Weights) -> Result<(), EngineError> {
        Threads::on_ours(|| {
            let spare = self.spare.take();
            let network = self.network().with_weights(weights, spare)?;
            let before = self.network().clone();
            self.session.set_network(network);
            self.spare = before.into_weights();
            Ok(())
        })
    }

    /// What chance draws from in the next run (dropout). The same seed drops the same values.
    pub fn set_seed(&mut self, seed: u64) {
        self.session.seed = seed;
    }

    /// Runs the network forwards.
    ///
    /// # Panics
    ///
    /// If the inputs do not have the shapes the tape was made for.
    pub fn forward(&mut self, inputs: &[&Tensor]) {
        Threads::on_ours(|| self.session.compute(inputs));
    }

    /// What the last forward run gave at a tap.
    ///
    /// # Panics
    ///
    /// If there are fewer taps.
    pub fn value(&self, tap: usize) -> &Plane {
        self.session.tap(tap)
    }

    /// Runs backwards from the taps. `seed(tap, value, gradient)` is called for
    /// each tap and writes the gradient of the loss with respect to its value:
    /// all of it, with zeros where channels are padded. The gradient holds
    /// anything before. Those of a node that is tapped twice add up.
    pub fn backward(&mut self, mut seed: impl FnMut(usize, &Plane, &mut Plane) + Send) {
        Threads::on_ours(|| {
            self.states.fill(State::default());
            for tap in 0..self.session.plan().taps.len() {
                self.begin(tap, &mut seed);
            }
            let parts = self.session.plan().parts();
            for (index, part) in parts.iter().enumerate().rev() {
                if index + 1 < parts.len() {
                    self.session.compute_again(part.clone());
                }
                for step in part.clone().rev() {
                    self.step(step);
                }
            }
        });
    }

    /// Takes the gradient of a tap. Several may show the same buffer.
    fn begin(&mut self, tap: usize, seed: &mut impl FnMut(usize, &Plane, &mut Plane)) {
        let buffer = self.session.plan().taps[tap];
        if !self.states[buffer].written {
            self.states[buffer].written = true;
            self.lend(buffer, |tape, plane| seed(tap, tape.session.plane(buffer), plane));
            return;
        }
        let mut own = take(&mut self.temporary);
        let wanted = self.session.plan().buffers[buffer];
        own.reshape(wanted.shape, wanted.stride);
        seed(tap, self.session.plane(buffer), &mut own);
        self.lend(buffer, |_, plane| {
            plane.data_mut().iter_mut().zip(own.data()).for_each(|(to, from)| *to += from);
        });
        self.temporary = own;
    }

    /// The gradient of each parameter, in the graph's order, from the last
    /// backward run. Those of frozen parameters are empty.
    pub fn parameter_gradients(&self) -> &[Tensor] {
        &self.parameters
    }

    /// The gradient of an input, from the last backward run.
    ///
    /// # Panics
    ///
    /// If it was not wanted when the tape was made, or there are fewer inputs.
    pub fn input_gradient(&self, input: usize) -> Tensor {
        assert!(self.wanted.inputs(), "gradients of inputs were not asked for");
        let buffer = self.session.plan().inputs[input];
        if self.states[buffer].written {
            self.gradient(buffer).to_tensor()
        } else {
            Tensor::zeros(self.session.plan().buffers[buffer].shape)
        }
    }
}
