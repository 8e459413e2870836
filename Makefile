# Everything a contributor does, by name; `make` lists it. The work is in CMakePresets.json and scripts/.

BUILD_DIR ?= build/dev
JOBS      ?= $(shell nproc)
PREFIX    ?= /usr/local
DESTDIR   ?=
# How long `make fuzz` takes, for all targets together.
FUZZ_SECONDS ?= 600
# Of `make bench`: not empty for few and short rounds; which benchmarks (P7 P9), empty for all.
QUICK     ?=
FILTER    ?=
# How many runs `make sim` simulates; SEED=<n> shows one of them instead.
SEEDS ?= 100000
SEED  ?=
# Of `make e2e-patroni`: how many of each (in a crash only PostgreSQL is killed);
# SEED=<n> for another order, STRICT=1 for Patroni's synchronous_mode_strict.
SWITCHOVERS ?= 20
FAILOVERS   ?= 10
CRASHES     ?= 0
STRICT      ?=

CMAKE := cmake
CTEST := ctest

.DEFAULT_GOAL := help
.PHONY: help bootstrap configure build demo docs test check-consumer e2e e2e-patroni bench lint format sanitize coverage fuzz sim install clean

help: ## list the targets
	@echo 'make <target>   (variables: BUILD_DIR=$(BUILD_DIR) JOBS=$(JOBS) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR))'
	@sed -n -E 's/^([a-z0-9-]+):[^#]*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

bootstrap: ## install what is missing to build and test (also done by the targets that need it)
	@scripts/bootstrap.sh build test

configure: bootstrap
	@$(CMAKE) --preset dev -B $(BUILD_DIR) >/dev/null

build: configure ## build everything into BUILD_DIR
	@$(CMAKE) --build $(BUILD_DIR) --parallel $(JOBS)

demo: configure ## build the ledger example and run it on a database cluster of its own
	@$(CMAKE) --build $(BUILD_DIR) --parallel $(JOBS) --target ledger
	@$(BUILD_DIR)/examples/ledger/ledger

docs: configure ## write the pages of docs/ that are made from the source anew
	@$(CMAKE) --build $(BUILD_DIR) --parallel $(JOBS) --target sqlstates_page
	@$(BUILD_DIR)/tests/docs/sqlstates_page >$(BUILD_DIR)/sqlstates.md
	@mv $(BUILD_DIR)/sqlstates.md docs/sqlstates.md

test: build ## build and run all tests
	@$(CTEST) --test-dir $(BUILD_DIR) --output-on-failure --no-tests=error --parallel $(JOBS)

check-consumer: build ## only the test that installs the library and compiles a user's project against it
	@$(CTEST) --test-dir $(BUILD_DIR) --output-on-failure --no-tests=error --label-regex consumer

e2e: ## not available yet: Dockerised Postgres under fault injection
	@echo 'make e2e is not available yet: the work on e2e/ (Dockerised Postgres, fault injection, chaos) fills it.' >&2
	@exit 1

e2e-patroni: ## switch over and kill the leader of a Patroni cluster under load; SWITCHOVERS=2 FAILOVERS=1 for a short run
	@scripts/bootstrap.sh build test e2e
	@$(CMAKE) --preset dev -B $(BUILD_DIR) >/dev/null
	@$(CMAKE) --build $(BUILD_DIR) --parallel $(JOBS) --target e2e_patroni_load
	@python3 -B e2e/patroni/record_test.py --quiet
	@e2e/patroni/run.py --load $(BUILD_DIR)/e2e/e2e_patroni_load --logs $(BUILD_DIR)/e2e-patroni \
	  --switchovers $(SWITCHOVERS) --failovers $(FAILOVERS) --crashes $(CRASHES) $(if $(SEED),--seed $(SEED)) $(if $(STRICT),--strict)

bench: bootstrap ## measure against the targets of docs/performance.md; QUICK=1 for a rough idea, FILTER=P9 for one of them
	@$(CMAKE) --preset bench >/dev/null
	@$(CMAKE) --build --preset bench --parallel $(JOBS)
	@build/bench/benchmarks/benchmarks $(if $(QUICK),--quick) $(FILTER:%=--filter %) --json build/bench/report.json

lint: ## check layout (clang-format) and look for mistakes (clang-tidy, cppcheck)
	@scripts/bootstrap.sh build test lint
	@$(CMAKE) --preset dev -B $(BUILD_DIR) >/dev/null
	@scripts/lint.sh $(BUILD_DIR) $(JOBS)

format: ## lay out all C++ files with clang-format
	@scripts/bootstrap.sh lint
	@scripts/cpp_files.sh | xargs -0 -r clang-format -i

sanitize: bootstrap ## run unit and integration tests under ASan+UBSan, then under TSan
	@$(CMAKE) --preset asan >/dev/null
	@$(CMAKE) --build --preset asan --parallel $(JOBS)
	@$(CTEST) --preset asan --no-tests=error
	@$(CMAKE) --preset tsan >/dev/null
	@$(CMAKE) --build --preset tsan --parallel $(JOBS)
	@$(CTEST) --preset tsan --no-tests=error

fuzz: bootstrap ## fuzz the scanner and the decoders for FUZZ_SECONDS (600) in all, with what earlier runs found
	@BREAKWATER_FUZZ_SECONDS= tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS)

# Optimised, in a build tree of its own: it is most of the time that many seeds take.
sim: bootstrap ## simulate 1 000 clients against failing servers for SEEDS (100000) seeds, or show one: SEED=<n>
	@$(CMAKE) --preset release -B build/sim -DBREAKWATER_SIMULATION=ON -DBREAKWATER_WERROR=OFF \
	  -DBREAKWATER_BUILD_EXAMPLES=OFF >/dev/null
	@$(CMAKE) --build build/sim --parallel $(JOBS) --target breakwater_sim
	@build/sim/sim/breakwater_sim $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --jobs $(JOBS))

coverage: ## run unit and integration tests, print the line coverage of every module
	@scripts/bootstrap.sh build test coverage
	@$(CMAKE) --preset coverage >/dev/null
	@$(CMAKE) --build --preset coverage --parallel $(JOBS)
	@find build/coverage -name '*.gcda' -delete
	@$(CTEST) --preset coverage --no-tests=error
	@scripts/coverage.py build/coverage

# A build tree of its own, because PREFIX is part of it; and warnings of compilers we do not know yet are no errors here.
install: ## build optimised and install to DESTDIR + PREFIX
	@scripts/bootstrap.sh build
	@$(CMAKE) --preset release -B build/install -DCMAKE_INSTALL_PREFIX='$(PREFIX)' \
	  -DBREAKWATER_WERROR=OFF -DBREAKWATER_BUILD_EXAMPLES=OFF >/dev/null
	@$(CMAKE) --build build/install --parallel $(JOBS)
	@DESTDIR='$(DESTDIR)' $(CMAKE) --install build/install

clean: ## delete all build trees (what the bootstrap made, in .deps, stays)
	@rm -rf build '$(BUILD_DIR)'
