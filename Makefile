# The project's commands. `make demo` and `make test` do all the set-up by themselves.

PYTHON ?= python3
ARGS ?=
FAULT ?= --long
BIN := .venv/bin

# Tests and demo start hundreds of processes: each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

# Tests are shared out file by file among the cores, the longest tiers first (tests/conftest.py);
# ARGS=-n0 runs them in one process.
shared = $(if $(findstring no:xdist,$(ARGS)),,-n auto --dist $(1) --no-loadscope-reorder)

.DEFAULT_GOAL := help
.PHONY: help setup install demo test drills attack operations quick lint docs fault fuzz bench profile supply lock clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make the environment in .venv (quick when it is there)
	@$(PYTHON) deploy/bootstrap.py

install: ## make the environment of a machine that runs the hub: what is shipped, no tools of tests
	@$(PYTHON) deploy/bootstrap.py --shipped

demo: setup ## run the main job on a synthetic city; ARGS="--residents 5000" changes it
	@$(BIN)/renkei demo $(ARGS)

lint: setup ## style, types, one-way imports, the catalogue and its documents
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/renkei check
	@$(BIN)/renkei docs --check

docs: setup ## write docs/catalogue and the tables in docs/systems anew from routes/ and schemas/
	@$(BIN)/renkei docs

test: lint ## every check and every test but those below, with coverage; ARGS="-k name" chooses
	@$(BIN)/pytest $(call shared,loadfile) --cov --cov-report=term -m "not fault and not attack and not operations" $(ARGS)

quick: setup ## the quick ones of the tests that need no broker, server or other process
	@$(BIN)/pytest $(call shared,loadfile) -m "unit and not slow" $(ARGS)

drills: setup ## what is killed, cut and filled on purpose, in short; make fault does it for hours
	@$(BIN)/pytest $(call shared,loadfile) -m fault $(ARGS)

attack: setup ## each party of the threat model against a running hub; then docs/security.md
	@rm -f var/attack/results.jsonl
	@$(BIN)/pytest -n0 -m attack $(ARGS) tests/attack; attacks=$$?; \
	$(if $(ARGS),:,$(BIN)/python -m tests.attack.page) && exit $$attacks # a part of it is no page

operations: setup ## people in a real browser, Prometheus and its alerts in front of a running demo
	@$(BIN)/pytest -n0 -m operations $(ARGS) tests/operations

fault: setup ## the long drills: all is killed, cut, filled; then docs/reliability.md
	@rm -f var/fault/results.jsonl
	@$(BIN)/pytest -n0 -s -m fault $(FAULT) $(ARGS) $(wildcard tests/fault/test_drill_*.py); drills=$$?; \
	$(BIN)/pytest $(call shared,load) -m fault $(FAULT) $(ARGS) $(wildcard tests/fault/test_fault_*.py); rest=$$?; \
	$(BIN)/python -m tests.fault.page && case $$drills$$rest in 00|05|50) ;; *) exit 1;; esac # 5: none chosen

fuzz: setup ## parsers of outside data under 10 million inputs; ARGS="--inputs 100000" is quick
	@.tools/bin/uv pip install --quiet --only-binary :all: --python $(BIN)/python --group fuzz || echo "no atheris for this Python: the two other engines go on alone"
	@nice -n 19 $(BIN)/python -m tests.fuzz $(ARGS)

bench: setup ## speed and size beside references in one run; ARGS="--only hub_vs_pika" chooses
	@PATH="$(CURDIR)/.tools/bin:$$PATH" uv pip install --quiet --only-binary :all: --python $(BIN)/python --group bench || echo "no FastStream to be had: hub_vs_faststream is left out"
	@$(BIN)/python -m bench $(ARGS)

profile: setup ## where the microseconds of one message go; ARGS=--postgresql has the ledger there
	@$(BIN)/python -m bench.profile $(ARGS)

supply: setup ## licences, bill of materials (dist/), vulnerabilities; ARGS=--offline asks nobody
	@PATH="$(CURDIR)/.tools/bin:$$PATH" $(BIN)/python -m tools.supply $(ARGS)

locked = PATH="$(CURDIR)/.tools/bin:$$PATH" uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-header

lock: setup ## write the three locks anew from pyproject.toml (docs/adr/0001)
	@$(locked) --all-extras --group dev pyproject.toml -o requirements.lock
	@$(locked) --all-extras -c requirements.lock pyproject.toml -o requirements.shipped.lock
	@$(locked) --group build -c requirements.lock -o requirements.build.lock

clean: ## remove the environment, caches and build results; demo data in var/ stays
	@rm -rf .venv .tools .cache build dist .mypy_cache .pytest_cache .ruff_cache \
		.hypothesis .import_linter_cache .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
