//! Convolution and its companions, compiled for each CPU level.
