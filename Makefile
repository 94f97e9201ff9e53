# Two commands on a fresh machine: `make demo` and `make test`. Both set up .venv themselves;
# a second run finds it and starts at once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-from-lock

.PHONY: demo test test-long lint types contracts pytest schemas clean

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

pytest: $(STAMP)
	$(BIN)/pytest -n auto -m "not long"

test-long: $(STAMP)
	$(BIN)/pytest -n auto

# The keyword lists inside schemas/ are generated from the DICOM dictionary.
schemas: $(STAMP)
	$(BIN)/python scripts/generate_schemas.py

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .reconcile
