//! An ONNX model: its tensors alone, and the network that its nodes make.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pentimento_fuzz::{LIMITS, check};
use weights::{onnx, read_bytes};

fuzz_target!(|data: &[u8]| {
    check(read_bytes(data, &LIMITS));
    if let Ok(model) = onnx::read_bytes(data, &LIMITS) {
        let values: usize = model.weights.values().map(|t| t.data().len()).sum();
        assert!(values * 4 <= 16 << 20);
        assert!(weights::Weights::bind(&model.graph, model.weights).is_ok());
    }
});
