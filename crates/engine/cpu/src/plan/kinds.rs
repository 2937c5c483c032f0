//! A graph's words for things in the kernels' words.

use graph::{Activation, PadMode};
use kernels::{Border, Function, Gate};

pub(super) fn gate_of(activation: Activation) -> Option<Gate> {
    match activation {
        Activation::Relu => Some(Gate::Relu),
        Activation::Relu6 => Some(Gate::Relu6),
        Activation::LeakyRelu(slope) => Some(Gate::Leaky(slope)),
        _ => None,
    }
}

pub(super) fn function_of(activation: Activation) -> Function {
    match activation {
        Activation::Tanh => Function::Tanh,
        Activation::Sigmoid => Function::Sigmoid,
        Activation::Silu => Function::Silu,
        _ => Function::Identity,
    }
}

pub(super) fn border_of(mode: PadMode) -> Border {
    match mode {
        PadMode::Zero => Border::Zero,
        PadMode::Reflect => Border::Reflect,
        PadMode::Replicate => Border::Replicate,
    }
}
