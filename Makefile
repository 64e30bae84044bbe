# Two commands: `make demo` (set up, then compare two designs) and `make test` (set up, then run the tests).
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check bench quality clean

demo: $(VENV)/.installed
	$(BIN)/simulacra demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto --dist loadfile

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.bench

quality: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.quality

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Simulacra needs Python 3.11 or newer; $(PYTHON) is %d.%d. Try: make demo PYTHON=python3.12" % sys.version_info[:2])'
	@echo "Setting up in $(VENV) (once; a few minutes)"
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch==2.13.0
	$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) -e '.[app,language,dev]'
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
