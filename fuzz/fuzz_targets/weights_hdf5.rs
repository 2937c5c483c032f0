//! An HDF5 file: Keras's or anybody's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pentimento_fuzz::{LIMITS, check};
use weights::read_bytes;

fuzz_target!(|data: &[u8]| {
    check(read_bytes(data, &LIMITS));
});
