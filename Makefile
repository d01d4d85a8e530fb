# Needs Rust, CPython 3.10 or later with venv, pip and headers, a C compiler and make. The rest is set up here, in this
# directory.
#   make serve      a real application in your browser        make test      everything that is checked
# A step that was done leaves a stamp and is not done again until what it depends on changes.

PYTHON ?= python3
VENV ?= .venv
# The extension module is not linked with libpython, the Rust tests are: in one directory, each would rebuild PyO3 for
# itself every time.
WHEEL_TARGET ?= target-wheel

BIN := $(abspath $(VENV))/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
export PYO3_PYTHON := $(BIN)/python

RUST_SOURCES := Cargo.toml Cargo.lock $(shell find crates -name '*.rs' -o -name Cargo.toml)
PYTHON_SOURCES := pyproject.toml $(wildcard tools/build/*.py) $(shell find python -name '*.py' -o -name '*.pyi' -o -name py.typed)
EXAMPLE_REQUIREMENTS := $(wildcard examples/*/requirements.txt)
TEST_REQUIREMENTS := $(wildcard tests/requirements.txt)

.PHONY: help
help:
	@echo "make serve                       serve the guest book of examples/guestbook, and print its address"
	@echo "make serve APP=module:callable   serve another application of the current directory"
	@echo "make test                        all checks and tests (what .ci/run calls)"
	@echo "make test-pythons                the pytest suite on every CPython found, 3.10 and later"
	@echo "make test-loom                   the models of the scheduler's protocols (.ci/run calls it too)"
	@echo "make test-nginx                  the tests behind Debian's nginx (.ci/run calls it too)"
	@echo "make test-browser                the pages in headless Chromium, with pictures in target/browser"
	@echo "make bench-static                files of 10 KB and 10 MB, beside nginx and http.server"
	@echo "make soak                        five minutes of load, kills, reloads and broken deploys (SECONDS=300 SEED=...)"
	@echo "make bench-quick                 Brickwork beside its fastest peers, under three minutes; bench-hello: with intervals"
	@echo "make bench                       every scenario and every peer (hours); bench-scheduling: the scheduler's rows"
	@echo "make bench-instructions          instruction counts of the pure-Rust paths against the recorded ones"
	@echo "make bench-instructions-hello    those of one whole hello, against the parent commit's and against always inline"
	@echo "make fuzz-smoke                  each fuzz target for a minute"
	@echo "make fuzz                        each fuzz target for an hour (FUZZ_SECONDS=3600)"
	@echo "make clean                       remove everything that was built or set up here"

ifdef APP
SERVED := $(APP)
else
SERVED := --chdir examples/guestbook guestbook:app
endif

.PHONY: serve
serve: $(VENV)/.installed $(VENV)/.examples
	exec $(BIN)/brickwork $(SERVED)

.PHONY: test
test: check rust-tests pytest

.PHONY: check
check: $(VENV)/.tools
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked -p brickwork-http -p brickwork-server
	$(BIN)/python tools/check_layers.py

# The protocols that hand the loop over, in every interleaving, and with each step left out.
.PHONY: test-loom
test-loom:
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target-loom cargo test --release --locked -p brickwork-server --lib models

# Tests that embed Python are linked with libpython, which not every Python has; pytest covers those crates in any case.
.PHONY: rust-tests
rust-tests: $(VENV)/.tools
	@if $(BIN)/python tools/has_libpython.py; then set -x; \
	    cargo test --workspace --locked; \
	else \
	    echo "no libpython to link with: the Rust tests that embed Python are left out"; set -x; \
	    cargo test --workspace --exclude brickwork --exclude brickwork-wsgi --locked; \
	fi

.PHONY: pytest
pytest: $(VENV)/.installed $(VENV)/.tests
	$(BIN)/python -m pytest tests

.PHONY: test-pythons
test-pythons:
	@failed=; for python in $$($(PYTHON) tools/list_pythons.py); do \
	    version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	    echo "== CPython $$version: $$python"; \
	    $(MAKE) --no-print-directory pytest PYTHON=$$python VENV=.venv-$$version WHEEL_TARGET=target-$$version \
	        || failed="$$failed $$version"; \
	done; \
	if [ -n "$$failed" ]; then echo "failed on CPython$$failed"; exit 1; fi

# Behind Debian's nginx, which is installed if there is none; without it, make test leaves this file out and says so.
.PHONY: test-nginx
test-nginx: $(VENV)/.installed $(VENV)/.tests
	@command -v nginx /usr/sbin/nginx >/dev/null || { set -x; as_root=; test "$$(id -u)" = 0 || as_root=sudo; \
	    $$as_root apt-get update && $$as_root apt-get install --yes --no-install-recommends nginx-light; }
	$(BIN)/python -m pytest tests/test_processes_nginx.py

# Minutes of everything at once. The seed is printed; SEED=... repeats what clients and chaos do.
SECONDS ?= 300
.PHONY: soak
soak: $(VENV)/.installed $(VENV)/.tests
	$(BIN)/python tests/soak/soak.py --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

# Pictures to look at; Debian's Chromium is installed if there is none.
.PHONY: test-browser
test-browser: $(VENV)/.installed $(VENV)/.tests
	@command -v chromium >/dev/null || { set -x; as_root=; test "$$(id -u)" = 0 || as_root=sudo; \
	    $$as_root apt-get update && $$as_root apt-get install --yes --no-install-recommends chromium; }
	SCREENSHOTS=target/browser $(BIN)/python -m pytest tests/browser_pages.py

# Benchmarks measure Brickwork and its peers in an environment of their own. OPTIONS goes to bench/run.py.
.PHONY: bench bench-quick bench-hello bench-static
bench: SUITE := full
bench-quick: SUITE := quick
bench-hello: SUITE := hello
bench-static: SUITE := static
bench bench-quick bench-hello bench-static: bench/.venv/.installed bench/.venv/.load bench/.venv/.limit
	bench/.venv/bin/python bench/run.py $(SUITE) $(OPTIONS)

.PHONY: bench-scheduling
bench-scheduling: bench/.venv/.reference bench/.venv/.load
	bench/.venv/bin/python bench/run.py scheduling $(OPTIONS)

.PHONY: bench-instructions
bench-instructions:
	$(PYTHON) bench/instructions/count.py $(OPTIONS)

# One whole hello: this tree's against the last commit's parent, and against the same tree always calling inline.
.PHONY: bench-instructions-hello
bench-instructions-hello: bench/.venv/.reference bench/.venv/.parent
	bench/.venv/bin/python bench/instructions/hello.py parent=bench/build/parent this=bench/build/reference \
	    inline=bench/build/reference,BRICKWORK_SCHEDULER=inline

# libFuzzer needs a C++ compiler: Debian's is installed if there is none. What was found before is tried again first: it
# stays in fuzz/corpus.
FUZZ_TARGETS := head any_split chunked report response_round_trip
FIXTURES := ../crates/http/fixtures/accept ../crates/http/fixtures/reject
FUZZ_SEEDS_head := $(FIXTURES)
FUZZ_SEEDS_any_split := $(FIXTURES)
FUZZ_SEEDS_report := $(FIXTURES)
FUZZ_SEEDS_chunked := seeds/chunked

.PHONY: fuzz-smoke fuzz
fuzz-smoke: FUZZ_SECONDS ?= 60
fuzz: FUZZ_SECONDS ?= 3600
fuzz-smoke fuzz: $(FUZZ_TARGETS:%=fuzz-target-%)

# No sanitizer: the code under test has no unsafe but the loads of http/src/scan/window.rs, and the compiler need not be a nightly.
.PHONY: $(FUZZ_TARGETS:%=fuzz-target-%)
$(FUZZ_TARGETS:%=fuzz-target-%): fuzz-target-%:
	@command -v c++ g++ >/dev/null || { set -x; as_root=; test "$$(id -u)" = 0 || as_root=sudo; \
	    $$as_root apt-get update && $$as_root apt-get install --yes --no-install-recommends g++; }
	@cargo fuzz --version >/dev/null 2>&1 || { set -x; cargo install --locked cargo-fuzz; }
	@mkdir -p fuzz/corpus/$*
	cd fuzz && cargo fuzz run --sanitizer none $* corpus/$* $(FUZZ_SEEDS_$*) -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -verbosity=0 -print_final_stats=1

.PHONY: clean
clean:
	rm -rf python/brickwork/brickwork-supervisor .venv .venv-* target target-* .pytest_cache bench/.venv bench/build bench/*/target fuzz/target fuzz/corpus

$(VENV)/.tools:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install 'maturin>=1.9,<2'
	@touch $@

# With PATH, because pip looks for the build backend's program there.
$(VENV)/.installed: $(VENV)/.tools $(RUST_SOURCES) $(PYTHON_SOURCES)
	PATH="$(BIN):$$PATH" CARGO_TARGET_DIR=$(WHEEL_TARGET) $(PIP) install --no-deps --no-build-isolation --force-reinstall .
	@touch $@

$(VENV)/.examples: $(VENV)/.tools $(EXAMPLE_REQUIREMENTS)
	$(if $(EXAMPLE_REQUIREMENTS),$(PIP) install $(EXAMPLE_REQUIREMENTS:%=-r %))
	@touch $@

$(VENV)/.tests: $(VENV)/.tools $(TEST_REQUIREMENTS)
	$(PIP) install pytest $(TEST_REQUIREMENTS:%=-r %)
	@touch $@

BENCH_PYTHON := $(abspath bench/.venv/bin/python)
BENCH_BUILD := PATH="$(dir $(BENCH_PYTHON)):$$PATH" PYO3_PYTHON=$(BENCH_PYTHON) $(BENCH_PYTHON) -m pip --quiet install --no-deps \
    --no-build-isolation

bench/.venv/.peers: bench/requirements.txt bench/set_up.py
	$(PYTHON) bench/set_up.py
	@touch $@

bench/.venv/.installed: bench/.venv/.peers $(RUST_SOURCES) $(PYTHON_SOURCES)
	CARGO_TARGET_DIR=target-bench $(BENCH_BUILD) --force-reinstall .
	@touch $@

bench/.venv/.load: bench/.venv/.peers $(wildcard bench/load/src/*.rs) bench/load/Cargo.toml
	cargo test --locked --manifest-path bench/load/Cargo.toml --target-dir bench/build/load
	cargo build --release --locked --manifest-path bench/load/Cargo.toml --target-dir bench/build/load
	@touch $@

# The extension module of the limit servers, where servers/limit_server.py finds it.
bench/.venv/.limit: bench/.venv/.peers $(wildcard bench/limit/src/*.rs) bench/limit/Cargo.toml
	PYO3_BUILD_EXTENSION_MODULE=1 PYO3_PYTHON=$(BENCH_PYTHON) cargo build --release --locked \
	    --manifest-path bench/limit/Cargo.toml --target-dir bench/build/limit
	cp bench/build/limit/release/liblimit.so bench/build/limit/limit.so
	@touch $@

# Beside the installed one, with the schedulers that the product's own is measured against.
bench/.venv/.reference: bench/.venv/.peers $(RUST_SOURCES) $(PYTHON_SOURCES)
	rm -rf bench/build/reference
	MATURIN_PEP517_ARGS="--features reference-schedulers" CARGO_TARGET_DIR=target-bench-reference $(BENCH_BUILD) \
	    --target bench/build/reference .
	@touch $@

# What the last commit was made from, built likewise. Always anew: which commit that is, no file's time tells.
.PHONY: bench/.venv/.parent
bench/.venv/.parent: bench/.venv/.peers
	rm -rf bench/build/parent bench/build/parent-source && mkdir -p bench/build/parent-source
	git archive HEAD^ | tar --extract --directory bench/build/parent-source
	MATURIN_PEP517_ARGS="--features reference-schedulers" CARGO_TARGET_DIR=$(abspath target-bench-reference) $(BENCH_BUILD) \
	    --target bench/build/parent bench/build/parent-source
