//! Pictures through networks: one, a folder, with strength and colours kept.
#![forbid(unsafe_code)]
