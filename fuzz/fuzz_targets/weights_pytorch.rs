//! A whole file, and a pickle inside an archive that is right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pentimento_fuzz::{LIMITS, check, zip};
use weights::read_bytes;

fuzz_target!(|data: &[u8]| {
    check(read_bytes(data, &LIMITS));
    let storage = [0x3c; 256];
    check(read_bytes(&zip(&[("x/data.pkl", data), ("x/data/0", &storage)]), &LIMITS));
});
