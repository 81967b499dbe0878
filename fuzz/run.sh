#!/bin/bash
# Runs the fuzz targets for a number of seconds, shared among them: fuzz/run.sh SECONDS
#
# libFuzzer needs coverage counters, which stable rustc puts in through an LLVM pass; cargo-fuzz and nightly are not needed. With
# nightly, `cargo +nightly fuzz run convert` adds the address sanitizer. CI runs tests/mutations.rs instead, which is deterministic.
set -euo pipefail
cd "$(dirname "$0")"
seconds=$1
target=x86_64-unknown-linux-gnu

if ! command -v c++ >/dev/null; then
	echo "error: libFuzzer is C++: install a compiler for it (apt-get install g++)" >&2
	exit 1
fi

# Something to begin with: the fixtures' own objects, without what they need.
mkdir -p corpus/convert corpus/verify
for fixture in plusone data; do
	(cd ../fixtures/$fixture && cargo build --release --locked --quiet)
	archive=$PWD/../fixtures/$fixture/target/release/lib$fixture.a
	own=$(ar t "$archive" | grep "^$fixture-" | head -n 1)
	ar p "$archive" "$own" >"corpus/convert/$fixture.o"
	rm -f "corpus/convert/$fixture.a"
	ar rcD "corpus/convert/$fixture.a" "corpus/convert/$fixture.o"
done
cargo run --quiet --release --manifest-path ../Cargo.toml -- \
	convert -q ../fixtures/plusone/target/release/libplusone.a -o corpus/verify
rm -f corpus/verify/*.go corpus/verify/*.s

RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1" \
	cargo build --release --target $target

for name in convert verify; do
	mkdir -p artifacts/$name
	target/$target/release/$name corpus/$name -artifact_prefix=artifacts/$name/ \
		-max_total_time=$((seconds / 2)) -max_len=2000000 -timeout=60 -rss_limit_mb=4096 -print_final_stats=1
done
