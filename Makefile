# `make demo` and `make test` run on a fresh machine: they set up .venv themselves, and a second
# run finds it there. `make quick` is what to run while you work.
PYTHON ?= python3
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made
# requirements.lock is what users install; requirements-dev.lock adds what checks the code.
USERS := $(VENV)/.users-lock-installed
DEVELOPERS := $(VENV)/.developers-lock-installed
# Clients that we did not write, for the tests of the emulator.
CLIENTS := .venv-clients
CLIENTS_STAMP := $(CLIENTS)/.installed-from-lock
NPM_CLIENTS := .npm-clients
NPM_CLIENTS_STAMP := $(NPM_CLIENTS)/.installed-from-lock
# Without Node.js the tests of JavaScript clients are skipped. With CLIENT_TESTS=1 nothing is.
HAS_NPM := $(or $(filter 1,$(CLIENT_TESTS)),$(shell command -v npm 2>/dev/null))
CLIENT_STAMPS := $(CLIENTS_STAMP) $(if $(HAS_NPM),$(NPM_CLIENTS_STAMP))
# The built wheel and what users install, nothing else.
WHEEL := .venv-wheel
WHEEL_STAMP := $(WHEEL)/.users-lock-installed
# Errors only: pip's warnings are about the machine (its indexes, its user), not about this code.
PIP := -m pip install -qq --disable-pip-version-check
# Python compiles what is imported, which is little of what is installed.
PIP_UNCOMPILED := $(PIP) --no-compile
INTO_WHEEL := -m pip --python $(WHEEL)/bin/python install -qq --disable-pip-version-check --no-compile

# Hundreds of processes start in the tests. Without its cached bytecode, each of them would compile
# the whole package again.
unexport PYTHONDONTWRITEBYTECODE

# One more than there are processors: what waits for processes, files and sockets leaves them idle.
WORKERS := $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

# The number of image sets that `make bench` measures a plan of.
SIZE ?= 100000

.PHONY: demo loop bench test test-long environments installed quick lint types contracts core rest browser clients $(CLIENTS) $(NPM_CLIENTS) wheel schemas locks clean

# From the tree, not installed: that would need a build backend.
demo: $(USERS)
	@PYTHONPATH="$(CURDIR)" $(BIN)/python -m reconciler demo

# A pull request with our manifests, its plan, the merge, the apply of what was reviewed, records.
loop: $(DEVELOPERS)
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/try_loop.sh

# The cost of plans against the size of the fleet, beside peers: writes docs/benchmarks.*. Half an hour.
bench: $(DEVELOPERS)
	$(BIN)/python -m benchmarks.fleet $(SIZE) --write

test: environments quick rest wheel

# Everything, with the tests that `make test` has no time for.
test-long: environments quick wheel clients
	$(BIN)/pytest -n $(WORKERS) $(OF_CORE:%=--ignore %)

# An installation uses one processor and waits for the network, so all run at the same time.
environments:
	@$(MAKE) --no-print-directory -j4 installed

installed: $(DEVELOPERS) $(CLIENT_STAMPS) $(WHEEL_STAMP)
	@:

# Types and contracts use one processor each, so they run beside the tests. Each prints a few lines
# at its end: the output stays readable without --output-sync, which make 3.81 of macOS lacks.
quick: lint
	@$(MAKE) --no-print-directory -j3 types contracts core

lint: $(DEVELOPERS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEVELOPERS)
	$(BIN)/mypy

contracts: $(DEVELOPERS)
	$(BIN)/lint-imports --no-cache

# The unit tests, the golden cases and reviews, and the law of forms, which must cover the core: after a
# failure, `coverage report --show-missing` names the lines.
OF_CORE := tests/unit tests/cases tests/reviews/test_goldens.py tests/laws/test_forms.py

core: $(DEVELOPERS)
	$(BIN)/pytest -n auto --cov --cov-report= $(OF_CORE)

rest: $(DEVELOPERS) clients browser
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not long" $(OF_CORE:%=--ignore %)

# Without Chromium the tests of the page in a browser are skipped. With BROWSER_TESTS=1 they fail.
browser:
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
		command -v $$name > /dev/null && exit 0; \
	done; \
	echo "Chromium is not installed: the tests of the page in a browser are skipped."

# The wheel as users get it, in a virtual environment that has nothing else.
wheel: $(DEVELOPERS) $(WHEEL_STAMP)
	@rm -rf $(WHEEL)/dist
	$(BIN)/hatchling build --target wheel --directory $(WHEEL)/dist
	$(BIN)/python $(INTO_WHEEL) --no-index --no-deps --force-reinstall $(WHEEL)/dist/*.whl
	scripts/try_wheel.sh $(WHEEL)

# The keyword lists inside schemas/ are generated from the DICOM dictionary.
schemas: $(DEVELOPERS)
	$(BIN)/python scripts/generate_schemas.py

# Keeps the versions that still fit pyproject.toml; `make locks UPGRADE=--upgrade` takes the newest.
# Needs uv, which finds the hashes for every platform.
locks: LOCK = UV_CUSTOM_COMPILE_COMMAND="make locks" $(UV) --no-config pip compile --quiet \
	--universal --python-version 3.11 --generate-hashes --only-binary :all: --emit-build-options \
	--no-annotate $(UPGRADE)
locks:
	$(LOCK) pyproject.toml --output-file requirements.lock
	scripts/ship_lock.sh
	$(LOCK) --group dev --constraints requirements.lock --output-file requirements-dev.lock

$(MADE):
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(USERS): requirements.lock | $(MADE)
	$(BIN)/python $(PIP) -r requirements.lock
	@touch $@

# Not after $(USERS), which is in it: pip would run once more.
$(DEVELOPERS): requirements.lock requirements-dev.lock pyproject.toml | $(MADE)
	$(BIN)/python $(PIP_UNCOMPILED) -r requirements.lock -r requirements-dev.lock
	$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $(USERS) $@

clients: $(CLIENT_STAMPS)
ifeq ($(HAS_NPM),)
	@echo "npm is not installed: the tests with the AWS SDK for JavaScript are skipped."
endif

$(CLIENTS): $(CLIENTS_STAMP)
$(NPM_CLIENTS): $(NPM_CLIENTS_STAMP)

$(CLIENTS_STAMP): requirements-clients.lock
	$(PYTHON) -m venv $(CLIENTS)
	$(CLIENTS)/bin/python $(PIP_UNCOMPILED) -r requirements-clients.lock
	@touch $@

# In a folder of their own: no tool that reads tests/ meets what npm installs.
$(NPM_CLIENTS_STAMP): tests/clients/package.json tests/clients/package-lock.json
	@mkdir -p $(NPM_CLIENTS)
	cp tests/clients/package.json tests/clients/package-lock.json $(NPM_CLIENTS)
	npm ci --prefix $(NPM_CLIENTS) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(WHEEL_STAMP): requirements.lock | $(MADE)
	$(PYTHON) -m venv --without-pip $(WHEEL)
	$(BIN)/python $(INTO_WHEEL) -r requirements.lock
	@touch $@

clean:
	rm -rf $(VENV) $(CLIENTS) $(NPM_CLIENTS) $(WHEEL) .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .coverage .reconcile
