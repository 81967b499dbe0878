# Words for people and for CI. `make demo` and `make test` need Rust; what else they need they fetch, or say what to install.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO_VERSION := $(shell awk '$$1 == "newest" { print $$2 }' tests/toolchains)
# Where `make tools` puts Go when the machine has none.
export PATH := $(CURDIR)/.tools/go/bin:$(PATH)
DEMO := target/demo
# How long each storm of `make storm-long` takes.
STORM_SECONDS ?= 3600

.PHONY: features oracle vendor help tools browser arm64 demo test-quick test matrix placed storm storm-long soak soak-long fuzz fuzz-long allocators-long mutations-long blocked libraries old-rust bindings crate-tests bench bench-peers bless clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

tools: ## Go, from a package registry into .tools, unless it is installed
	@tests/install-go.sh $(GO_VERSION) .tools

browser: ## a browser for tests/tool/page, from a package registry into .tools, unless one is installed
	@tests/install-browser.sh .tools

arm64: tools ## linux/arm64, in an emulator, with a cross compiler and Rust's std for it, which come from Debian into .tools
	@tests/install-arm64.sh .tools
	PATH=$$PATH:$(CURDIR)/.tools/arm64/bin cargo test --lib arm64 -- --include-ignored
	PATH=$$PATH:$(CURDIR)/.tools/arm64/bin cargo test --test go arm64:: -- --ignored

vendor: ## the runtime's dependencies into rt-source/vendor, after a change of rt/Cargo.lock
	rt-source/vendor.sh

demo: tools ## regex and serde_json, called from a static Go program
	cargo build --release
	cd fixtures/text && cargo build --release --locked
	target/release/rsyso convert fixtures/text/target/release/libtext.a -o fixtures/text/go
	cd examples/demo && CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off go build -o ../../$(DEMO) .
	target/release/rsyso verify $(DEMO)
	$(DEMO)

# The tool for the examples. It is built, unless another one is named.
RSYSO := target/release/rsyso
EXAMPLES := $(patsubst examples/%/Cargo.toml,%,$(wildcard examples/*/Cargo.toml))

.PHONY: examples example-site $(EXAMPLES:%=example-%)

$(CURDIR)/target/release/rsyso: FORCE
	cargo build --release

.PHONY: FORCE
FORCE:

examples: $(EXAMPLES:%=example-%) example-site ## Go packages of Rust crates (examples/README.md); `make example-regex` makes one

$(EXAMPLES:%=example-%): example-%: tools $(abspath $(RSYSO)) # what `go generate` does in their folder
	cd examples/$* && PATH=$(dir $(abspath $(RSYSO))):$$PATH CARGO_TARGET_DIR=$(CURDIR)/target/examples GOWORK=off go generate .

example-site: example-regex example-blake3 example-markdown # a program on three of them
	cd examples/site && GOWORK=off go mod vendor
	cd examples/site && CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off go build -mod=vendor -o ../../target/site .
	$(RSYSO) verify target/site
	target/site examples/site/pages target/site.out

test-quick: tools ## for daily work, some two minutes: format, unit tests, expected files, two fixtures as Go programs
	cargo fmt --check
	cargo test --no-run --lib --test tool --test go
	cargo test --lib --quiet
	cargo test --test tool --quiet -- abi_fixture:: cli:: docs:: gopkg:: sig::
	cargo test --test go --quiet -- --ignored --exact go_modes::quick

# How many tests of tests/go run at a time: half of them wait, for a linker on one processor or for a program that sleeps.
GO_TESTS := $(shell echo $$((2 * $$(nproc))))
TEST := cargo test --no-fail-fast

test: export CARGO_INCREMENTAL = 0 # what is compiled once is compiled sooner without
test: tools browser ## every test; what CI runs
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target test-source test-runtime
	mkdir -p target
	{ failed=0; \
		$(TEST) --lib --test tool --test load --test mutations || failed=1; \
		$(TEST) --test go -- --test-threads=$(GO_TESTS) || failed=1; \
		$(TEST) --doc || failed=1; \
		exit $$failed; } 2>&1 | tee target/test.log
	@awk '/^test result:/ { passed += $$4; ignored += $$8 } \
		END { print "all tests passed: " passed " of them; left out: " ignored " (`make matrix`, `make bench`, `make test-quick`)" }' target/test.log

.PHONY: test-source test-runtime

# What needs no test program of the tool's.
test-source:
	cargo fmt --check
	for f in rt ffi fixtures/* examples/*; do test ! -e $$f/Cargo.toml || cargo fmt --check --manifest-path $$f/Cargo.toml; done
	cargo clippy --all-targets -- -D warnings
# Each feature alone, and none, as a build script has it: no clap, no C compiler.
	for f in "" cli header port; do cargo clippy --quiet --no-default-features --features "$$f" -- -D warnings; done

# In folders of their own: they run beside the others.
test-runtime:
	cargo clippy --manifest-path rt/Cargo.toml --release -- -D warnings
	cargo test --manifest-path rt/Cargo.toml --quiet -- --test-threads=1 # some set the process's environment
	cargo clippy --manifest-path ffi/Cargo.toml --all-targets -- -D warnings
	cargo test --manifest-path ffi/Cargo.toml --quiet

features: ## the examples of the library's documentation, with each of its features alone, and with none
	for f in "" cli header port; do cargo test --quiet --doc --no-default-features --features "$$f"; done

matrix: tools ## the fixtures on all versions of Go in all modes
	cargo test --test go go_modes:: -- --include-ignored --skip allocators --skip quick

oracle: tools ## the Go tests of the fixtures and examples through cgo, beside the image
	cargo test --test go cgo:: -- --include-ignored

placed: tools ## a signal before each instruction of the ways through a library, as Go sends it
	RSYSO_PLACED=1000000 cargo test --test load placed:: -- --nocapture --test-threads=1

storm: tools ## half a minute of goroutines, collections and signals
	RSYSO_STORM_SECONDS=30 cargo test --test load storm:: -- --nocapture --test-threads=1

storm-long: tools ## hours of it; `make storm-long STORM_SECONDS=600`: half an hour
	RSYSO_STORM_SECONDS=$(STORM_SECONDS) cargo test --test load storm:: -- --nocapture --test-threads=1

soak: tools ## two minutes of all fixtures at once, memory and threads measured
	RSYSO_SOAK_SECONDS=120 cargo test --test load soak:: -- --nocapture --test-threads=1

soak-long: tools ## an hour of it
	RSYSO_SOAK_SECONDS=3600 cargo test --test load soak:: -- --nocapture --test-threads=1

fuzz: ## five minutes of libFuzzer
	fuzz/run.sh 300

fuzz-long: ## eight hours of libFuzzer
	fuzz/run.sh 28800

allocators-long: tools ## mimalloc and jemalloc as global allocators, three minutes in each mode
	cargo test --test go go_modes::allocators -- --ignored --nocapture --test-threads=1

mutations-long: ## a hundred thousand damaged archives, most of them of small crates of every shape
	RSYSO_MUTATIONS=100000 cargo test --test mutations -- --nocapture

blocked: tools ## ten thousand calls that block at once, beside cgo: declared, and not
	RSYSO_NAPS=10000 cargo test --test load -- blocked:: lasting:: --nocapture

old-rust: tools ## archives of a rustc of 2022, which comes from Debian into .tools
	@tests/install-old-rust.sh .tools
	cargo test --test go old:: -- --include-ignored

libraries: tools ## the libraries of docs/LIBRARIES.md, built and tested; RSYSO_LIBRARY=yffi: one of them
	cargo test --test go libraries:: -- --include-ignored --nocapture --test-threads=1

bindings: tools ## cgo bindings from Go's module proxy, ported, with their own tests; the same names through clang, which comes from Debian into .tools
	@tests/install-clang.sh .tools
	PATH=$$PATH:$(CURDIR)/.tools/clang/bin cargo test --test go port:: -- --include-ignored --skip bench --skip arm64

crate-tests: tools ## the tests of published crates inside a Go program, beside the native ones
	cargo test --test go crate_tests:: -- --nocapture

bench: tools ## a call through rsyso beside Go and cgo; blocks of memory beside glibc and mimalloc; a conversion beside other linkers
	cargo test --test load bench:: -- --ignored --nocapture --skip peers
	cargo test --test go port::bench:: -- --ignored --nocapture --test-threads=1

bench-peers: tools ## the same call beside cgo, purego and wazero
	cargo test --test load bench::peers -- --ignored --nocapture

bless: ## writes the expected files of the golden tests anew
	RSYSO_BLESS=1 cargo test --test tool -- gopkg:: sig:: abi_fixture::
	RSYSO_BLESS=1 cargo test --test go examples::readmes

clean: ## removes what was built, fixtures and tools included
	rm -rf target rt/target ffi/target fuzz/target .tools
	for f in fixtures/*/; do rm -rf $$f/target $$f/go/*.syso $$f/go/*_linux_*.s; done
	rm -rf examples/site/vendor examples/*/*.syso examples/*/*_linux_*.s
