//! A whole file, and a header whose length is right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pentimento_fuzz::{LIMITS, check};
use weights::read_bytes;

fuzz_target!(|data: &[u8]| {
    check(read_bytes(data, &LIMITS));
    let mut file = (data.len() as u64).to_le_bytes().to_vec();
    file.extend(data);
    check(read_bytes(&file, &LIMITS));
    // Values for whatever the header announces: 64 bytes are enough to get there.
    file.extend([0x3c; 64]);
    check(read_bytes(&file, &LIMITS));
});
