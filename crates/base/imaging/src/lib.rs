//! Pictures in and out, with profile, orientation, metadata and depth kept.
#![forbid(unsafe_code)]
