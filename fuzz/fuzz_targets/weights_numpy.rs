//! A whole file, and an array inside an archive that is right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pentimento_fuzz::{LIMITS, check, zip};
use weights::read_bytes;

fuzz_target!(|data: &[u8]| {
    check(read_bytes(data, &LIMITS));
    check(read_bytes(&zip(&[("a.npy", data)]), &LIMITS));
});
