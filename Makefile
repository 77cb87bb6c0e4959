# make up    knlite with all examples
# make test  every test that this machine can run
# make bench every benchmark; three of them need wrk, one of them Chromium
# make console  the console's page, from its sources in console/; needs Node.js
# make conformance  Knative's own suite against knlite; needs Go and a container engine
#                   (SUITE=e2e its end-to-end tests, RUN=TestHelloWorld one test)
# All make .venv first; nothing else needs to be installed but Python 3.11 or newer.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUITE ?= conformance

.PHONY: up test bench console conformance clean

up: $(VENV)/installed
	@$(BIN)/knlite up examples/

test: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/tests.py

bench: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.footprint
	$(BIN)/python -m benchmarks.warm
	$(BIN)/python -m benchmarks.scale
	$(BIN)/python -m benchmarks.api
	$(BIN)/python -m benchmarks.events
	$(BIN)/python -m benchmarks.search
	$(BIN)/python -m benchmarks.zygote
	$(BIN)/python -m benchmarks.freeze
	$(BIN)/python -m benchmarks.reload
	$(BIN)/python -m benchmarks.build
	$(BIN)/python -m benchmarks.console

console: console/node_modules/.package-lock.json
	cd console && npm run build

console/node_modules/.package-lock.json: console/package-lock.json
	cd console && npm ci

conformance: $(VENV)/installed
	$(BIN)/python tools/conformance/conformance.py --suite '$(SUITE)' --run '$(RUN)'

clean:
	rm -rf $(VENV) .conformance .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@echo "making $(VENV) …"
	@$(PYTHON) tools/environment.py $(VENV)

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	@echo "installing knlite …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(VENV)/bin/python
	@echo "installing knlite and what its tests need …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/installed
