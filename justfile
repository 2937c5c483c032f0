# Everything is in xtask; `just` only saves typing.

# list the chores
default:
    @just --list

# what CI asks for: format, lints, tests, docs, rings, licences
check:
    cargo xtask check

# the rings' directions, over `cargo metadata`
deps:
    cargo xtask deps

# make the goldens again; fails if any changed
goldens:
    cargo xtask goldens

# the table against the peers, and a dated record
bench *ARGS:
    cargo xtask bench {{ARGS}}
