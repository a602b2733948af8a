# What a person types. Everything is made under build/; nothing is installed but by `setup`.
#
#   make build    the program, at build/release/lbrx
#   make demo     quantizes the model in models/tiny-llama and shows the result
#   make test     the tests of the release build
#   make check    format, clang-tidy on changed files, layers, rooms, the binary, arm64
#   make determinism  the same bytes under every setting, for every row of the registries
#   make bench    measures against the peers, writes docs/benchmarks.md
#   make test-report  opens reports in headless Chromium; screenshots in build/report
#   make asan | tsan | fuzz | test-peers | setup | clean

SHELL := /bin/bash
.DEFAULT_GOAL := build

# Compiler output does not depend on the folder it was made in, so caches may be shared.
export CCACHE_NOHASHDIR := 1
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
CACHE := $(if $(shell command -v ccache),-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
# Homebrew's OpenSSL is not where CMake looks.
PREFIX := $(if $(shell command -v brew),-DCMAKE_PREFIX_PATH="$$(brew --prefix);$$(brew --prefix openssl@3)")

# Rooms whose tests run under ThreadSanitizer.
CONCURRENT := parallel memory stream convert merge
# Seconds that each fuzz target runs, and which ones: all of them.
FUZZ_SECONDS ?= 60
FUZZ ?=

.PHONY: setup setup-check build demo test bench check test-peers asan tsan fuzz clean

# $(call configure,PRESET): once; afterwards ninja re-runs CMake by itself.
configure = test -f build/$(1)/build.ninja || cmake --preset $(1) $(CACHE) $(PREFIX)
# $(call ctest,PRESET,ARGUMENTS); ends with the number of test cases, of which a program has many.
ctest = ctest --test-dir build/$(1) --output-on-failure -j $(JOBS) --no-tests=error $(2) \
  --output-junit $(CURDIR)/build/$(1)/junit.xml --test-output-size-passed 4000000; \
  status=$$?; tools/count_tests.py build/$(1)/junit.xml; exit $$status

setup:
	@tools/setup.sh build

setup-check:
	@tools/setup.sh build check

build: setup
	@$(call configure,release)
	@cmake --build build/release -j $(JOBS) --target lbrx_bin

demo: build
	@tools/demo.sh

test: setup
	@$(call configure,release)
	@cmake --build build/release -j $(JOBS)
	@$(call ctest,release)
	@python3 -B tools/check_reliability.py build/release/junit.xml

# All settings; `make test` has a few of them.
.PHONY: determinism
determinism: build
	@cmake --build build/release -j $(JOBS) --target determinism_test
	@LBRX_DETERMINISM=full build/release/determinism_test --gtest_brief=1
	@python3 -B tests/determinism/run.py --lbrx build/release/lbrx

bench: test-tools build
	@cmake --build build/release -j $(JOBS) --target lbrx_kernel_bench lbrx_ggml_bench
	@build/peers/bin/python bench/run.py

check: setup-check build
	@tools/check.sh

# The peers (mlx, mlx-lm; llama.cpp, compiled once) under build/peers.
.PHONY: test-tools
test-tools: setup
	@tools/peers.sh

test-peers: build test-tools
	@build/peers/bin/python -B tests/peers/run.py

# Every merge method against mergekit itself, whose packages take 6 GB: not among what CI runs.
.PHONY: test-mergekit
test-mergekit: build
	@test -n "$(MERGEKIT_PYTHON)" || { echo "MERGEKIT_PYTHON: a Python with mergekit 0.1.5"; exit 1; }
	@$(MERGEKIT_PYTHON) -B tests/mergekit/run.py

.PHONY: test-report
test-report: build
	@tools/setup.sh browser
	@python3 -B tests/report/run.py --lbrx build/release/lbrx

asan: setup-check
	@$(call configure,asan)
	@cmake --build build/asan -j $(JOBS)
	@$(call ctest,asan)

tsan: setup-check
	@$(call configure,tsan)
	@cmake --build build/tsan -j $(JOBS) --target $(CONCURRENT:%=%_test)
	@$(call ctest,tsan,-R '^($(subst $() $(),|,$(CONCURRENT)))$$')

fuzz: setup-check
	@$(call configure,fuzz)
	@cmake --build build/fuzz -j $(JOBS) $(FUZZ:%=--target fuzz_%)
	@tools/fuzz.sh build/fuzz $(FUZZ_SECONDS) $(FUZZ)

clean:
	rm -rf build/release build/debug build/asan build/tsan build/fuzz build/arm64 build/demo build/bench
