//! Runs a graph on the CPU.
#![forbid(unsafe_code)]
