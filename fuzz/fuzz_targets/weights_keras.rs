//! A whole archive of Keras's, and a configuration or weights inside one that is right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pentimento_fuzz::{LIMITS, check, zip};
use weights::read_bytes;

const WEIGHTS: &[u8] = include_bytes!("../../crates/model/weights/tests/samples/k3.weights.h5");

fuzz_target!(|data: &[u8]| {
    check(read_bytes(data, &LIMITS));
    check(read_bytes(&zip(&[("config.json", data), ("model.weights.h5", WEIGHTS)]), &LIMITS));
    check(read_bytes(&zip(&[("config.json", b"{}"), ("model.weights.h5", data)]), &LIMITS));
});
