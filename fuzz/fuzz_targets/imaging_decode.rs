//! A picture of any format, as a stranger might send it.
#![no_main]

use imaging::{Limits, decode};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { pixels: 1 << 20, bytes: 16 << 20 };

fuzz_target!(|data: &[u8]| {
    if let Ok(picture) = decode(data, &LIMITS) {
        let [height, width] = picture.size();
        assert!(height * width <= 1 << 20 && height * width > 0);
        assert_eq!(picture.to_rgb_tensor().shape(), [1, 3, height, width]);
    }
});
