use serde::{Deserialize, Serialize};

/// Whose formula, where `PyTorch` and Keras differ under one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavour {
    /// As in `torch.optim`.
    #[default]
    Pytorch,
    /// As in Keras 3.
    Keras,
}

/// How parameters are drawn towards zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// Not at all.
    #[default]
    None,
    /// `decay · p` is added to the gradient, and goes through the rule with it:
    /// `weight_decay` of `PyTorch`'s Adam, `RMSprop` and SGD.
    L2(f64),
    /// `p` is multiplied by `1 − rate · decay` before the step: `AdamW`, and
    /// `weight_decay` of every optimiser in Keras.
    Decoupled(f64),
}

/// What a step keeps of the steps before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Momentum {
    /// Nothing.
    #[default]
    None,
    /// This share of them.
    Classic(f64),
    /// This share, looked at from where it would lead.
    Nesterov(f64),
}

/// Adam: steps of about the rate, whatever the gradient's size.
///
/// With `g` the gradient and `t` counting from 1,
/// `m ← m + (1−β₁)(g − m)`, `v ← β₂·v + (1−β₂)·g²`, and then
///
/// - [`Flavour::Pytorch`]: `p ← p − rate/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε)`
/// - [`Flavour::Keras`]: `p ← p − rate·√(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε)`, the
///   paper's "epsilon hat"
///
/// # Source
///
/// Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015;
/// `torch/optim/adam.py` of `PyTorch` 2.15, `keras/src/optimizers/adam.py` of
/// Keras 3.15. Neither's `amsgrad` is here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// The learning rate, 1e-3.
    pub rate: f64,
    /// How long the first and the second moment remember, 0.9 and 0.999.
    pub betas: [f64; 2],
    /// Keeps the denominator from zero: 1e-8, Keras 1e-7.
    pub epsilon: f64,
    /// Where epsilon stands.
    pub flavour: Flavour,
    /// None, unless it is [`Adam::decoupled`].
    pub decay: Decay,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            rate: 1e-3,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            flavour: Flavour::Pytorch,
            decay: Decay::None,
        }
    }
}

impl Adam {
    /// `keras.optimizers.Adam()`.
    pub fn keras() -> Self {
        Self { epsilon: 1e-7, flavour: Flavour::Keras, ..Self::default() }
    }

    /// `AdamW()` of either: a decay of 0.01 in `PyTorch`, 0.004 in Keras.
    pub fn decoupled(flavour: Flavour) -> Self {
        match flavour {
            Flavour::Pytorch => Self { decay: Decay::Decoupled(1e-2), ..Self::default() },
            Flavour::Keras => Self { decay: Decay::Decoupled(4e-3), ..Self::keras() },
        }
    }
}

/// `RMSprop`: the gradient over the root of its mean square.
///
/// `v ← ρ·v + (1−ρ)·g²`, and with `b` zero at first
///
/// - [`Flavour::Pytorch`]: `b ← μ·b + g/(√v + ε)`, `p ← p − rate·b`
/// - [`Flavour::Keras`]: `b ← μ·b + rate·g/√(v + ε)`, `p ← p − b`
///
/// # Source
///
/// Hinton, "Neural Networks for Machine Learning", lecture 6e;
/// `torch/optim/rmsprop.py` of `PyTorch` 2.15, `keras/src/optimizers/rmsprop.py`
/// of Keras 3.15. Neither's `centered` is here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RmsProp {
    /// The learning rate: 1e-2, Keras 1e-3.
    pub rate: f64,
    /// How long the mean square remembers: 0.99, Keras 0.9.
    pub rho: f64,
    /// The share `μ` of the steps before, 0.
    pub momentum: f64,
    /// Keeps the denominator from zero: 1e-8 outside the root, Keras 1e-7 inside.
    pub epsilon: f64,
    /// Where epsilon and the rate stand.
    pub flavour: Flavour,
    /// None.
    pub decay: Decay,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            rate: 1e-2,
            rho: 0.99,
            momentum: 0.0,
            epsilon: 1e-8,
            flavour: Flavour::Pytorch,
            decay: Decay::None,
        }
    }
}

impl RmsProp {
    /// `keras.optimizers.RMSprop()`.
    pub fn keras() -> Self {
        Self { rate: 1e-3, rho: 0.9, epsilon: 1e-7, flavour: Flavour::Keras, ..Self::default() }
    }
}

/// Stochastic gradient descent.
///
/// With momentum `μ` and `b` zero at first
///
/// - [`Flavour::Pytorch`]: `b ← μ·b + g`, `p ← p − rate·b`, with Nesterov
///   `p ← p − rate·(g + μ·b)`
/// - [`Flavour::Keras`]: `b ← μ·b + rate·g`, `p ← p − b`, with Nesterov
///   `p ← p − (rate·g + μ·b)`. Keras keeps `−b`.
///
/// They are the same as long as the rate is.
///
/// # Source
///
/// `torch/optim/sgd.py` of `PyTorch` 2.15 without `dampening`,
/// `keras/src/optimizers/sgd.py` of Keras 3.15.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sgd {
    /// The learning rate: 1e-3, Keras 1e-2.
    pub rate: f64,
    /// None.
    pub momentum: Momentum,
    /// Whether a change of rate reaches the momentum (`Pytorch`) or not.
    pub flavour: Flavour,
    /// None.
    pub decay: Decay,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { rate: 1e-3, momentum: Momentum::None, flavour: Flavour::Pytorch, decay: Decay::None }
    }
}

impl Sgd {
    /// `keras.optimizers.SGD()`.
    pub fn keras() -> Self {
        Self { rate: 1e-2, flavour: Flavour::Keras, ..Self::default() }
    }
}

/// Muon: the momentum of each matrix is made orthogonal before it is a step, so
/// that every direction in it moves alike. What is no matrix (biases, norms)
/// follows Adam.
///
/// With `b` zero at first, `b ← b + (1−μ)(g − b)`, `u = g + μ(b − g)`, `O` the
/// matrix `u` with its singular values brought near 1, and
/// `p ← (1 − rate·decay)·p − rate · 0.2·√max(rows, columns) · O`: elements move
/// about as far as with Adam at the same rate. A kernel `[O, I, h, w]` is the
/// matrix `[O, I·h·w]`.
///
/// What it brings a style, and what it costs: docs/decisions/0069.
///
/// # Source
///
/// Jordan, "Muon: An optimizer for hidden layers in neural networks", 2024; Liu et
/// al., "Muon is Scalable for LLM Training", arXiv:2502.16982 (the factor);
/// `torch/optim/_muon.py` of `PyTorch` 2.15 with `adjust_lr_fn="match_rms_adamw"`.
/// `PyTorch` makes it orthogonal in bfloat16, this does in f32.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Muon {
    /// The learning rate, 1e-3.
    pub rate: f64,
    /// The share `μ` of the steps before, 0.95; it is Nesterov's.
    pub momentum: f64,
    /// How matrices are drawn towards zero: `PyTorch`'s is 0.1, here 0.
    pub decay: f64,
    /// What the others follow: their rate keeps its proportion to `rate`.
    pub others: Adam,
}

impl Default for Muon {
    fn default() -> Self {
        Self { rate: 1e-3, momentum: 0.95, decay: 0.0, others: Adam::default() }
    }
}

impl Muon {
    /// Whether a parameter of this shape is a matrix: it has two sides, or more,
    /// and something in it.
    pub(super) fn orthogonalises(shape: &[usize]) -> bool {
        shape.len() > 1 && shape.iter().all(|&side| side > 0)
    }

    /// The others' rate where the rate of matrices is `rate`.
    pub(super) fn others_rate(&self, rate: f64) -> f64 {
        if self.rate == 0.0 { self.others.rate } else { rate * self.others.rate / self.rate }
    }
}

/// How an [`Optimizer`](super::Optimizer) turns gradients into steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// See [`Adam`].
    Adam(Adam),
    /// See [`RmsProp`].
    RmsProp(RmsProp),
    /// See [`Sgd`].
    Sgd(Sgd),
    /// See [`Muon`].
    Muon(Muon),
}

impl Rule {
    /// The learning rate it starts with.
    pub fn rate(&self) -> f64 {
        match self {
            Self::Adam(r) => r.rate,
            Self::RmsProp(r) => r.rate,
            Self::Sgd(r) => r.rate,
            Self::Muon(r) => r.rate,
        }
    }

    /// What it remembers of a parameter of this shape, by `PyTorch`'s names.
    pub(super) fn slots(&self, shape: &[usize]) -> &'static [&'static str] {
        match self {
            Self::Muon(_) if Muon::orthogonalises(shape) => &["momentum_buffer"],
            Self::Adam(_) | Self::Muon(_) => &["exp_avg", "exp_avg_sq"],
            Self::RmsProp(r) if r.momentum == 0.0 => &["square_avg"],
            Self::RmsProp(_) => &["square_avg", "momentum_buffer"],
            Self::Sgd(r) if r.momentum == Momentum::None => &[],
            Self::Sgd(_) => &["momentum_buffer"],
        }
    }
}

impl From<Adam> for Rule {
    fn from(rule: Adam) -> Self {
        Self::Adam(rule)
    }
}

impl From<RmsProp> for Rule {
    fn from(rule: RmsProp) -> Self {
        Self::RmsProp(rule)
    }
}

impl From<Sgd> for Rule {
    fn from(rule: Sgd) -> Self {
        Self::Sgd(rule)
    }
}

impl From<Muon> for Rule {
    fn from(rule: Muon) -> Self {
        Self::Muon(rule)
    }
}
