//! A whole file, and a block inside a table that is right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pentimento_fuzz::{LIMITS, check, table};
use weights::{read_bundle, read_bytes};

fuzz_target!(|data: &[u8]| {
    check(read_bytes(data, &LIMITS));
    let shard = [0x3c; 256];
    for compression in [0, 1] {
        check(read_bundle(&table(data, compression), &[&shard], &LIMITS));
    }
});
