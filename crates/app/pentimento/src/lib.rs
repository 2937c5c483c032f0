//! Colour, restyle and enlarge pictures with convolutional networks.
#![forbid(unsafe_code)]
