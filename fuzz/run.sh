#!/bin/sh
# Builds every target with coverage and runs each, or the one called $2, for $1 seconds (60), from
# the samples.
set -eu
cd "$(dirname "$0")"
seconds=${1:-60}
only=${2:-*}
bins=${2:+--bin $2}
samples=../crates/model/weights/tests/samples
target=$(rustc -vV | sed -n 's/^host: //p')

# The flags that cargo-fuzz gives; sancov needs no nightly, the address sanitizer would.
# shellcheck disable=SC2086 # two words are meant
RUSTFLAGS="--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --release --target "$target" ${bins:---bins}

# shellcheck disable=SC2231 # the glob is meant
for name in fuzz_targets/$only.rs; do
    name=$(basename "$name" .rs)
    mkdir -p "corpus/$name" "artifacts/$name"
    case $name in
    weights_safetensors) seeds=$samples/*.safetensors ;;
    weights_numpy) seeds="$samples/*.npy $samples/stored.npz $samples/deflated.npz" ;;
    weights_pytorch) seeds=$samples/*.pth ;;
    weights_tensorflow) seeds="$samples/*.ckpt $samples/*.index" ;;
    weights_hdf5) seeds=$samples/*.h5 ;;
    weights_keras) seeds="$samples/k3.keras $samples/k30.keras $samples/evil.*.keras" ;;
    weights_onnx) seeds="$samples/*.onnx ../golden/onnx/*.script.onnx" ;;
    imaging_decode)
        # All but what Pillow decoded them to.
        find ../golden/imaging -maxdepth 1 -type f ! -name '*.raw' ! -name '*.py' \
            -exec cp {} "corpus/$name/" \;
        seeds=
        ;;
    *) seeds= ;;
    esac
    # shellcheck disable=SC2086 # the globs are meant
    [ -z "$seeds" ] || cp $seeds "corpus/$name/"
    echo "== $name"
    "${CARGO_TARGET_DIR:-target}/$target/release/$name" -max_total_time="$seconds" \
        -rss_limit_mb=512 -malloc_limit_mb=256 -timeout=5 -max_len=16384 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="artifacts/$name/" "corpus/$name"
done
