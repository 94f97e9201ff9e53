# Two commands on a fresh machine: `make demo` and `make test`. Both set up .venv themselves;
# a second run finds it and starts at once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-from-lock
# Clients that we did not write, for the tests of the emulator.
CLIENTS := .venv-clients
CLIENTS_STAMP := $(CLIENTS)/.installed-from-lock

.PHONY: demo test test-long lint types contracts pytest clients schemas clean

demo: $(STAMP)
	@$(BIN)/reconcile demo

test: lint types contracts pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports --no-cache

pytest: $(STAMP) clients
	$(BIN)/pytest -n auto -m "not long"

test-long: $(STAMP) clients
	$(BIN)/pytest -n auto

# The keyword lists inside schemas/ are generated from the DICOM dictionary.
schemas: $(STAMP)
	$(BIN)/python scripts/generate_schemas.py

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

clients: $(CLIENTS_STAMP)

$(CLIENTS_STAMP): requirements-clients.lock
	$(PYTHON) -m venv $(CLIENTS)
	$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-clients.lock
	@touch $@

clean:
	rm -rf $(VENV) $(CLIENTS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .reconcile
