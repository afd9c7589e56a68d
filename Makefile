# Tidegate. `make` lists the targets. A fresh machine needs Python 3.11 or newer with venv, and make.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:

VENV ?= .venv
ARGS ?=
SEED ?=
export PYTHON

# Stamps: a set is installed again only when its lock or the project's metadata changed.
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev
# The set for the checks holds the one for running.
APP := $(if $(wildcard $(DEV)),$(DEV),$(RUN))

BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest $(if $(SEED),--randomly-seed=$(SEED))
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-header --custom-compile-command "make lock"

FAST := tests/unit tests/contract tests/architecture
FAULT_ROUNDS ?= 300

.PHONY: help demo test lint format test-unit test-integration test-system faults bench soak \
	lock schema openapi web packages clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /  \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

# --- the product ------------------------------------------------------------------------------

demo: $(APP) ## Plant, gateway and cloud on this machine; ARGS="--seconds 20 --json"
	@exec $(BIN)/tidegate demo $(ARGS)

# --- the checks -------------------------------------------------------------------------------

test: lint ## Everything: lint, then all tests, the quick ones first, and how much they reach
	@$(PYTEST) tests --cov --cov-report=term:skip-covered $(ARGS)

lint: $(DEV) ## Style, types and the direction of imports
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@said=$$($(BIN)/lint-imports 2>&1) || { printf '%s\n' "$$said"; exit 1; }

format: $(DEV) ## Let ruff repair style
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

test-unit: $(DEV) ## Tests without processes and networks: unit, contract, architecture
	@$(PYTEST) $(wildcard $(FAST)) $(ARGS)

test-integration: $(DEV) ## Tests against a real database and real sockets
	@$(PYTEST) tests/integration $(ARGS)

test-system: $(DEV) ## Whole processes, the browser, and the short fault runs
	@$(PYTEST) $(wildcard tests/system tests/faults) $(ARGS)

faults: $(DEV) ## The long fault runs: FAULT_ROUNDS kills of each process (300), then fuzzing
	@$(PYTEST) tests/faults --fault-rounds $(FAULT_ROUNDS) $(ARGS)
	@HYPOTHESIS_PROFILE=long $(PYTEST) tests/unit -m hypothesis $(ARGS)

bench: $(DEV) ## Benchmarks; ARGS="modbus --json" for one of them as JSON
	@exec $(BIN)/python -m tests.bench $(ARGS)

soak: $(DEV) ## Every protocol at once, 10,000 points/s, an hour; ARGS="--seconds 600"
	@exec $(BIN)/python -m tests.bench soak $(ARGS)

# --- what is made and committed ---------------------------------------------------------------

lock: $(DEV) ## Resolve requirements/*.txt; ARGS=--upgrade for the newest releases
	@$(LOCK) pyproject.toml --extra dev -o requirements/dev.txt $(ARGS)
	@$(LOCK) pyproject.toml requirements/build.in --extra all -c requirements/dev.txt \
		-o requirements/run.txt

schema: $(DEV) ## Write cloud_api/db/schema.sql, the sum of the migrations
	@$(BIN)/tidegate cloud schema > $(VENV)/schema.sql && mv $(VENV)/schema.sql cloud_api/db/schema.sql

openapi: $(DEV) ## Write docs/openapi.json, the description of the API
	@$(BIN)/tidegate cloud openapi > $(VENV)/openapi.json && mv $(VENV)/openapi.json docs/openapi.json

web: ## Build the dashboard (needs Node 20 or newer)
	@cd cloud_api/dashboard/web && npm ci --no-audit --no-fund && npm run build

# --- the machine ------------------------------------------------------------------------------

packages: ## Install the Debian packages that some tests need (root or sudo)
	@sh tools/packages.sh

clean: ## Remove what make made, the environment included
	@rm -rf $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		dist build .coverage
	@find . -name __pycache__ -type d -not -path './node_modules/*' -prune -exec rm -rf {} +

$(DEV): requirements/dev.txt pyproject.toml
	@sh tools/setup.sh $(VENV) dev
	@touch $@

$(RUN): requirements/run.txt pyproject.toml
	@sh tools/setup.sh $(VENV) run
	@touch $@
