//! The command `pentimento`.
#![forbid(unsafe_code)]
fn main() {}
