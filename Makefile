# `make demo` (set up, then compare two designs), `make app` (set up, then open the app), `make test` (set up, then run the tests).
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo app test test-browser check bench bench-app bench-language quality audit example screenshots clean

demo: $(VENV)/.installed
	$(BIN)/simulacra demo

app: $(VENV)/.installed-app
	$(BIN)/simulacra app

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not browser"

# Needs a Chromium: Debian's packages chromium and chromium-driver, or CHROMIUM=/path/to/it.
test-browser: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/browser -m browser -rs

screenshots: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.app --screenshots docs/screenshots

bench-app: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.app

# The finished comparison that the app opens with; play it again after a change of what runs record.
example: $(VENV)/.installed-app
	$(BIN)/python -m simulacra.views.example

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.bench

# What asking a model costs, and what becomes of every fault; a test server answers.
bench-language: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.language

# Every knob with intervals, a few minutes; the tests run the quick form.
audit: $(VENV)/.installed
	$(BIN)/simulacra audit game-makers --jobs 2

quality: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.quality

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Simulacra needs Python 3.11 or newer; $(PYTHON) is %d.%d. Try: make demo PYTHON=python3.12" % sys.version_info[:2])'
	@echo "Setting up in $(VENV) (once; a few minutes)"
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch==2.13.0
	$(PIP) -e .
	@touch $@

$(VENV)/.installed-app: $(VENV)/.installed
	$(PIP) -e '.[app]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) -e '.[app,language,dev]'
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
