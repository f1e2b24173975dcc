# The front door: `make` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SILENT:
MAKEFLAGS += --no-print-directory

jobs ?= $(shell nproc)
FUZZ_SECONDS ?= 20
LOAD_SECONDS ?= 60
KILL_REPETITIONS ?= 10
SEEDS ?=
SIZE ?=
PREFIX ?= /usr/local
DESTDIR ?=
fuzz_seeds := tests/data/llama-server-wire tests/data/json tests/data/gguf
tsan_tests := async_test net_test net_loopback_test control_gateway_test

# $(call configure,preset,options): quiet unless it fails.
define configure
mkdir -p build
cmake --preset $(1) $(2) >build/configure-$(1).log 2>&1 || { cat build/configure-$(1).log; exit 1; }
endef

# $(call ring,label): builds the dev preset and runs one ring.
define ring
scripts/setup --tests
$(call configure,dev,-DORCH_BUILD_TESTS=ON)
cmake --build --preset dev -j $(jobs)
ctest --preset dev -j $(jobs) -L '^$(1)$$'
endef

.PHONY: help
help: ## List the targets
	sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install what building needs (apt, as root) and unpack llhttp
	scripts/setup

.PHONY: build
build: setup ## Build the programs into build/release/bin
	$(call configure,release,-DORCH_BUILD_TESTS=OFF -DORCH_BENCH=OFF)
	cmake --build --preset release -j $(jobs)
	ls -1 build/release/bin/*

.PHONY: install
install: build ## Install programs, systemd units and documents: PREFIX=/usr/local, DESTDIR=
	DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(PREFIX) --strip

.PHONY: demo
demo: ## Start a small cluster with a real engine on this machine and use it
	scripts/demo

.PHONY: test
test: ## Build the dev preset and run every ring: unit, sim, loopback, e2e
	scripts/setup --tests
	$(call configure,dev,-DORCH_BUILD_TESTS=ON)
	cmake --build --preset dev -j $(jobs)
	ctest --preset dev -j $(jobs)

.PHONY: test-all
test-all: test ## The same, then all rings under asan and the threaded rooms under tsan
	scripts/setup --tests --sanitizers
	$(call configure,asan,-DORCH_BUILD_TESTS=ON)
	cmake --build --preset asan -j $(jobs)
	ctest --preset asan -j $(jobs)
	$(call configure,tsan,-DORCH_BUILD_TESTS=ON)
	cmake --build --preset tsan -j $(jobs) --target $(tsan_tests)
	ctest --preset tsan -j $(jobs) -R '^(async|net|net_loopback|control_gateway)_test\.'

.PHONY: sim
sim: ## Clusters under faults in virtual time: SEEDS=1-1000 (one number: event by event), SIZE=large: 1,000 nodes, 100,000 requests
	scripts/setup --tests
	$(call configure,release,-DORCH_BUILD_TESTS=ON -DORCH_BENCH=OFF)
	cmake --build --preset release -j $(jobs) --target orch_sim
	time build/release/bin/orch_sim $(if $(filter large,$(SIZE)),--large) $(or $(SEEDS),$(if $(filter large,$(SIZE)),1-1,1-1000))

.PHONY: e2e
e2e: ## Only the end-to-end ring: real processes, a real engine
	$(call ring,e2e)

.PHONY: load
load: build ## Ten nodes that come and go under 100 clients for LOAD_SECONDS=60, then a thousand and ten thousand nodes: nothing may be lost
	ORCH_BIN=$(CURDIR)/build/release/bin python3 -B tests/load/load.py --seconds $(LOAD_SECONDS)
	ORCH_BIN=$(CURDIR)/build/release/bin python3 -B tests/load/many_nodes.py
	ORCH_BIN=$(CURDIR)/build/release/bin python3 -B tests/load/many_nodes.py --interval 2
	ORCH_BIN=$(CURDIR)/build/release/bin python3 -B tests/load/many_nodes.py --nodes 10000

.PHONY: fuzz
fuzz: ## Feed the readers of foreign bytes for FUZZ_SECONDS=20 each; what was learned stays in build/fuzz/corpus
	scripts/setup --sanitizers
	$(call configure,fuzz,)
	cmake --build --preset fuzz -j $(jobs)
	for program in build/fuzz/fuzz/fuzz_*; do
	  name=$${program##*/fuzz_}
	  mkdir -p build/fuzz/corpus/$$name
	  echo "fuzz: $$name"
	  (cd build/fuzz/corpus && ../fuzz/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=10 -verbosity=0 \
	    -print_final_stats=1 $$name $(fuzz_seeds:%=$(CURDIR)/%) 2>&1 | grep -E 'exec|ERROR|hold|SUMMARY|Test unit' )
	done

.PHONY: bench-placement
bench-placement: ## Measure placement decisions: 1,000 nodes with four pools each
	scripts/setup --bench
	$(call configure,release,-DORCH_BUILD_TESTS=OFF -DORCH_BENCH=ON)
	cmake --build --preset release -j $(jobs) --target bench_placement
	build/release/bin/bench_placement --benchmark_counters_tabular=true

.PHONY: bench-kill
bench-kill: build ## Kill and stop engines and nodes under load: what clients of llama-orch, nginx and HAProxy see
	scripts/setup --engine --balancers
	python3 -B bench/kill/kill.py --repetitions $(KILL_REPETITIONS)

.PHONY: bench-refused
bench-refused: build ## Measure what a refused connection costs a request that is served elsewhere
	scripts/setup --engine
	python3 -B bench/kill/refused.py

.PHONY: lint
lint: ## Format, repository rules, then headers and clang-tidy on changed files (LINT_ALL=1: all)
	scripts/setup --tests --lint
	$(call configure,lint,-DORCH_BUILD_TESTS=ON)
	scripts/lint

.PHONY: clean
clean: ## Remove the build folders; downloads under build/ stay
	rm -rf build/dev build/asan build/tsan build/fuzz build/lint build/release build/configure-*.log
