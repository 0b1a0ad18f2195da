# quipref: everything a fresh clone needs is `make tour` or `make test`.
# The environment lives in .venv; its stamps let a second `make` install nothing.

VENV := .venv
PY   := $(VENV)/bin/python
ARGS :=

.DEFAULT_GOAL := help
.PHONY: help tour test lab bench readme notebooks clean

help:
	@echo "make tour       quantize the small language model with every method and print the table (ARGS=--full for all the text)"
	@echo "make test       run the tests (ARGS='-k ldlq' to choose)"
	@echo "make lab        open JupyterLab on notebooks/"
	@echo "make notebooks  run every notebook and compare its marked outputs"
	@echo "make bench      time quipref's own work as ratios; writes a table in Markdown"
	@echo "make readme     write the README's table and picture from the tour"
	@echo "make clean      remove .venv and everything else that can be made again (not data/build)"

tour: $(VENV)/.stamp-core
	$(PY) -m quipref tour $(ARGS)

test: $(VENV)/.stamp-test
	$(PY) -m pytest $(ARGS)

lab: $(VENV)/.stamp-notebooks
	$(PY) -m jupyter lab notebooks/ $(ARGS)

notebooks: $(VENV)/.stamp-test
	$(PY) -m pytest --nbval-lax --nbval-current-env notebooks $(ARGS)

bench: $(VENV)/.stamp-core
	$(PY) benchmarks/run.py $(ARGS)

readme: $(VENV)/.stamp-core
	$(PY) docs/make_readme.py $(ARGS)

# --- the environment ---

# The first interpreter on the path that is new enough; set PYTHON to choose another one.
$(VENV)/.stamp-python:
	@for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        echo "making $(VENV) with $$candidate ($$("$$candidate" --version 2>&1))"; \
	        "$$candidate" -m venv $(VENV) || { \
	            echo "$$candidate cannot make a virtual environment; on Debian and Ubuntu install its venv package" \
	                 "(apt install python3-venv)" >&2; exit 1; }; \
	        touch $@; exit 0; \
	    fi; \
	done; \
	echo "No Python >= 3.11 found among python3, python3.14, python3.13, python3.12, python3.11." >&2; \
	echo "Install one (https://www.python.org/downloads, your package manager, or conda with environment.yml)" >&2; \
	echo "or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
	exit 1

$(VENV)/.stamp-core: pyproject.toml $(VENV)/.stamp-python
	$(PY) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.stamp-test: pyproject.toml $(VENV)/.stamp-python
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.stamp-core

$(VENV)/.stamp-notebooks: pyproject.toml $(VENV)/.stamp-python
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[notebooks]'
	@touch $@ $(VENV)/.stamp-core

clean:
	rm -rf $(VENV) .cache build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*
	find quipref tests benchmarks docs notebooks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
