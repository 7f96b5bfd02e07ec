# Every target sets up what it needs by itself: Python 3.11 or newer and make are enough.

PYTHON ?= python3
VENV := .venv
LINT := .venv-lint
BIN := $(VENV)/bin
PIP := -m pip --disable-pip-version-check --quiet install

.PHONY: demo sample test check bench slow docs setup lint-setup clean

setup: $(VENV)/.ready
lint-setup: $(LINT)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP) --no-deps --require-hashes -r requirements.lock
	$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(LINT)/.ready: requirements-lint.lock
	$(PYTHON) -m venv $(LINT)
	$(LINT)/bin/python $(PIP) --no-deps --require-hashes -r requirements-lint.lock
	touch $@

demo: setup
	$(BIN)/python data/demo.py

# The same files at every run; tests/data holds the committed ones against it.
sample: setup
	rm -rf data/sample
	$(BIN)/gdp simulate --persons 300 --days 180 --seed 1 --start 2026-01-02 --out data/sample
	gzip -9n data/sample/*/*.jsonl

test: setup
	$(BIN)/python -m pytest

slow: setup
	GDP_TRUTH_PERSONS=50000 $(BIN)/python -m pytest -m slow

check: setup lint-setup
	$(LINT)/bin/ruff format --check .
	$(LINT)/bin/ruff check .
	$(LINT)/bin/mypy
	$(LINT)/bin/lint-imports --no-cache
	$(LINT)/bin/sqlfluff lint --disable-progress-bar dbt_project/models
	$(BIN)/python docs/generate.py --check

docs: setup
	$(BIN)/python docs/generate.py

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) $(LINT) data/home data/demo
