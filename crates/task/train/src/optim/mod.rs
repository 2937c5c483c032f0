//! Changing parameters by their gradients.
//!
//! | | what for |
//! |---|---|
//! | [`Optimizer`] | a step of [`Adam`], [`RmsProp`], [`Sgd`] or [`Muon`] over a network's parameters |
//! | [`Schedule`] | the learning rate as a function of the step |
//! | [`clip_by_norm`], [`clip_by_value`] | keeping a wild gradient from doing harm |
//! | [`WeightAverage`] | the mean of the parameters over time, which styles better than the last |
//! | [`Lbfgs`] | few, large, well-aimed steps on one function, such as a picture's loss |
//!
//! Only what is trained is given to any of them: frozen parameters are left
//! out of the slices. Work runs on the rayon pool of the caller, in pieces whose
//! size is fixed: the bits do not depend on the number of threads. They do
//! depend on whether those threads flush denormals, so a run that is to be
//! resumed to the same bits stays inside one kind of pool (`cpu::Threads`).

mod average;
mod chunks;
mod clip;
mod lbfgs;
mod muon;
mod optimizer;
mod rule;
mod schedule;
mod state;
mod update;

pub use average::{Averaging, WeightAverage};
pub use clip::{clip_by_norm, clip_by_value, global_norm};
pub use lbfgs::{Lbfgs, LbfgsConfig, LbfgsReport, Search, Stop, Value};
pub use optimizer::Optimizer;
pub use rule::{Adam, Decay, Flavour, Momentum, Muon, RmsProp, Rule, Sgd};
pub use schedule::Schedule;
pub use state::{State, StateError};
