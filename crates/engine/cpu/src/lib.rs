//! Runs a [`graph::Graph`] on the CPU.
//!
//! [`Network`] holds a graph with its weights, repacked for this CPU once.
//! [`Plan`] fixes the input's size: it folds batch norms into convolutions,
//! normalisations, activations and enlargements into the reading of what
//! follows, biases, residual sums and activations into the writing of what
//! comes before, and lays out memory by lifetime. [`Session`] owns that memory
//! and runs the plan as often as one likes.
//!
//! ```
//! use graph::{Builder, Conv, PadMode};
//! use tensor::Tensor;
//!
//! let mut g = Builder::new("blur");
//! let x = g.input("x", 1);
//! let x = g.conv("c", x, Conv::same(1, 3, PadMode::Replicate).without_bias());
//! let g = g.finish(x);
//! let kernel = Tensor::new([1, 1, 3, 3], vec![1.0 / 9.0; 9]);
//! let weights = weights::Weights::bind(&g, [("c.weight".to_owned(), kernel)].into())?;
//!
//! let network = cpu::Network::new(&g, &weights)?;
//! let mut session = cpu::Session::new(cpu::Plan::new(&network, &[[1, 1, 4, 4]], &[])?);
//! let out = session.run(&[&Tensor::new([1, 1, 4, 4], vec![2.0; 16])]).output;
//! assert!((out.data()[5] - 2.0).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod buffers;
mod network;
mod plan;
mod session;
mod step;
mod tape;
mod threads;

pub use kernels::Level;
pub use network::Network;
pub use plan::{Memory, Plan, Statistics};
pub use session::{Outputs, Session, Watch};
pub use tape::{Running, Tape, Variance, Wanted};
pub use threads::Threads;

/// Why a network cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The network does not fit inputs of this size.
    #[error(transparent)]
    Shape(#[from] graph::ShapeError),
    /// The weights are not those of the graph.
    #[error("the weights hold {got} tensors, the graph {want} parameters")]
    Weights {
        /// Parameters of the graph.
        want: usize,
        /// Tensors given.
        got: usize,
    },
    /// The operating system gave no threads.
    #[error("could not start {threads} threads")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why.
        source: rayon::ThreadPoolBuildError,
    },
}
