# SPDX-License-Identifier: Apache-2.0
# The front door. Everything here is one line over a CMake preset or a script, which also run alone.

.DEFAULT_GOAL := help
.PHONY: help build demo demo-live test test-gpu mutants check check-docs check-deepep fuzz campaign asan tsan arm64 bench \
	api install uninstall wheel wheels deb dist format clean

PREFIX ?= /usr/local
DESTDIR ?=
DXT_FUZZ_SECONDS ?= 60
export DXT_FUZZ_SECONDS

help: ## this list
	@echo "make TARGET, where TARGET is one of"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the optimised build: build/bin/deepxtrace and build/lib/libdeepxtrace.so
	scripts/install-deps.sh build
	cmake --preset release
	cmake --build --preset release

demo: build ## a job of 16 ranks with two slow ones, and their diagnosis
	scripts/demo.sh

demo-live: build ## a job with a rank that turns late, and `serve` beside it that tells; a minute
	@scripts/python.sh http.server scripts/demo_live.py

test: ## every test that needs no GPU
	@scripts/install-deps.sh build test
	@scripts/test.sh test

test-gpu: ## tests that need NVIDIA GPUs; skipped without
	@scripts/install-deps.sh build test
	@cmake --preset test
	@cmake --build build
	@cmake --build build --target gpu-tests
	@scripts/test-gpu.sh build

mutants: ## move each number of src/analysis/tuning.h, and see whether a test notices
	@scripts/install-deps.sh build test
	@scripts/mutants.sh

check: build ## format, layers, symbols, headers, limits, documents
	@scripts/install-deps.sh check
	@scripts/check.sh

check-docs: ## every command of README, docs and man pages, as it stands there; long. FILES="README.md …" takes some
	@scripts/install-deps.sh build test
	@scripts/python.sh venv scripts/docs_commands.py --run build $(FILES)

check-deepep: ## DeepEP 2.5's headers with counters, compiled by nvcc; loads its wheels
	@scripts/deepep-v25.sh

fuzz: ## each fuzz target for DXT_FUZZ_SECONDS (60), two at a time
	@scripts/install-deps.sh build fuzz
	@scripts/test.sh fuzz -L fuzz

campaign: ## kills, limits, failing allocations, clocks, soaks, fuzzing: hours; PART=NAME does one
	@scripts/install-deps.sh build test fuzz
	@cmake --preset test
	@cmake --build build
	@scripts/campaign.sh $(PART)

asan: ## unit tests under AddressSanitizer and UBSan
	@scripts/install-deps.sh build test
	@scripts/test.sh asan -L unit

tsan: ## unit tests under ThreadSanitizer
	@scripts/install-deps.sh build test
	@scripts/test.sh tsan -L unit

arm64: ## unit tests and a job on AArch64, under qemu-user; skipped where that cannot be
	@scripts/install-deps.sh build test arm64
	@scripts/test-arm64.sh || [ $$? -eq 77 ]

bench: build ## what the probe costs, what the engine moves
	build/bin/deepxtrace bench

api: ## the reference of the C interface as HTML, by Doxygen: build/api/html/
	@scripts/build-api.sh

install: build ## into PREFIX (/usr/local), below DESTDIR if given
	cmake --preset release -DCMAKE_INSTALL_PREFIX=$(PREFIX)
	cmake --build --preset release
	DESTDIR=$(DESTDIR) cmake --install build
	@[ -n "$(DESTDIR)" ] || scripts/after-install.sh $(PREFIX)

uninstall: ## take away what `make install` put into PREFIX
	@cmake -DPREFIX=$(DESTDIR)$(PREFIX) -P cmake/uninstall.cmake

wheel: build ## the Python wheels of this machine, into build/dist/
	@scripts/install-deps.sh wheel
	@scripts/build-wheel.sh

wheels: ## Python wheels for glibc 2.28 and later, x86-64 and AArch64; needs PyPI
	@scripts/install-deps.sh build wheel
	@scripts/build-wheel.sh --portable x86_64 --portable aarch64

deb: ## Debian packages of this system, into build/dist/
	@scripts/install-deps.sh build
	@scripts/build-deb.sh

dist: ## the source, all wheels, Debian packages and checksums: build/dist/; needs PyPI
	@scripts/install-deps.sh build wheel
	@scripts/dist.sh

format: ## rewrite every C file as .clang-format says
	scripts/check-format.sh --fix

clean: ## remove the trees that this file's targets build
	rm -rf build build-dev build-asan build-tsan build-arm64 build-fuzz build-mutants
