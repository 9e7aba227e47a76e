# One way to do each thing. `make up` and `make test` need only Python 3.11, make and the package registries.
.DELETE_ON_ERROR:
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Byte code is kept, whatever the shell says: without it every start compiles the whole platform again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help up test check lint types imports proto docs bench proof foreign browser clean

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(VENV)/.base ## set up and serve the whole platform, with a database of its own
	@exec $(BIN)/steward up

test: $(VENV)/.dev ## set up and run the test suite; says loudly when browser tests cannot run
	@$(BIN)/python -m tests.support.browser
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup -m "not proof"

check: $(VENV)/.dev lint imports types test ## what CI runs: lints, imports, types, all tests

lint: $(VENV)/.dev ## ruff, our own rules, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m lint
	$(BIN)/python proto/generate.py --check
	$(BIN)/python widget/build.py --check
	$(BIN)/python -m steward.bootstrap.docs --check

imports: $(VENV)/.dev
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/pyright

proto: $(VENV)/.dev ## rebuild src/steward_proto from proto/
	$(BIN)/python proto/generate.py

docs: $(VENV)/.dev ## rebuild the generated pages of docs/reference
	$(BIN)/python -m steward.bootstrap.docs

bench: $(VENV)/.dev ## run a benchmark: make bench NAME=edge
	@test -n "$(NAME)" || { echo "name one: make bench NAME=edge"; ls bench/*.py; exit 2; }
	PYTHONPATH=. $(BIN)/python bench/$(NAME).py

proof: $(VENV)/.dev foreign ## the long proofs; their results go to docs/proofs/
	$(BIN)/python -m pytest -q -m proof -o timeout=3600
	$(BIN)/python -m pytest -q tests/services/models/upstream/test_foreign_mock.py

foreign: ## install the mock provider of others that a proof runs against; needs node 20
	cd tests/foreign && npm ci --no-audit --no-fund

clean: ## remove what was built (not .steward, which holds data)
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis src/*.egg-info

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: install it, or say which: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

# The stamp of each set of packages names the lock file that it was installed from.
$(VENV)/.base: requirements/base.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --require-hashes -r requirements/base.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.base
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@
