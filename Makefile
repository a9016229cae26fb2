# make demo     install into .venv, compare the two sample stacks, say where the report lies
# make test     install with the development tools; lint, types and all tests
# make napari   install with napari, open the sample pair and the widget that compares it
# make lint     ruff, mypy and the order of the packages alone
# make docs     build the site into build/docs, every warning an error
# make dist     build wheel and sdist, check both, and try the wheel in an environment of its own
# make measure  measure again what docs/measured.md says and what has changed since; two hours
# make clean    remove what the above made, .venv included
#
# PYTHON chooses the interpreter, 3.11 or newer:  make demo PYTHON=python3.12
# DATA is the folder of images to measure on:    make measure DATA=../shared/data

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
REPORT := demo-report
PIP    := $(BIN)/python -m pip --disable-pip-version-check
# Arrays in tests are small: threads of one process would wait for those of the other.
ONE    := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
PYTEST := env $(ONE) $(BIN)/python -m pytest -n 3 --dist loadfile
SCREEN := 1600x1000x24
DATA   ?= ../shared/data

# What napari needs for an off-screen window on Debian and Ubuntu.
DEBIAN_PACKAGES := xvfb xauth libgl1 libegl1 libglib2.0-0 libfontconfig1 libdbus-1-3 \
  libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0

.DEFAULT_GOAL := help
.PHONY: help demo napari test lint docs dist measure clean screen

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed '/^$$/q'

demo: $(VENV)/.installed
	$(BIN)/cop compare sample_data/fixed.ome.tif sample_data/gained.ome.zarr \
	  --power sample_data/fixed.csv sample_data/gained.csv -o $(REPORT)/
	@echo "Numbers: $(REPORT)/report.json  Table: $(REPORT)/planes.csv  Figures: $(REPORT)/figures/"
	@echo "Everything on one page, for any browser: $(REPORT)/report.html"

napari: $(VENV)/.installed-gui
	$(BIN)/napari sample_data/fixed.ome.tif sample_data/gained.ome.zarr --plugin napari-cop \
	  -w napari-cop "Compare protocols"

test: lint screen
	@if command -v xvfb-run >/dev/null; then \
	  echo 'xvfb-run $(PYTEST)'; \
	  xvfb-run -a -s "-screen 0 $(SCREEN)" $(PYTEST); \
	else \
	  echo 'No xvfb-run: tests that need a screen are skipped unless DISPLAY names one.'; \
	  $(PYTEST); \
	fi

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file benchmarks/mypy.ini benchmarks
	$(BIN)/lint-imports

docs: $(VENV)/.installed-dev
	$(BIN)/python -m sphinx -W --keep-going -q docs build/docs
	@echo "Open build/docs/index.html"

dist: $(VENV)/.installed-dev
	$(BIN)/python .ci/check_dist.py

measure: $(VENV)/.installed-bench screen
	$(BIN)/python benchmarks/measure.py --data $(DATA)

# Debian names some packages libfoot64 since its move to 64-bit time.
screen:
	@command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || exit 0; \
	missing=; \
	for package in $(DEBIAN_PACKAGES); do \
	  dpkg-query -W -f='$${Status}\n' $$package $${package}t64 2>/dev/null \
	    | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	test -n "$$missing" || exit 0; \
	if test "$$(id -u)" = 0; then \
	  echo "Installing$$missing"; \
	  apt-get -qq update && \
	  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing; \
	else \
	  echo 'For the tests that need a screen, run:'; \
	  echo "  sudo apt-get install -y --no-install-recommends$$missing"; \
	fi

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# One pip command resolves torch together with everything that depends on it.
$(VENV)/.installed: pyproject.toml constraints.txt napari.yaml | $(BIN)/python
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-gui: pyproject.toml constraints.txt napari.yaml | $(BIN)/python
	$(PIP) install -c constraints.txt -e '.[gui]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-dev: pyproject.toml constraints.txt napari.yaml | $(BIN)/python
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.installed $(VENV)/.installed-gui

$(VENV)/.installed-bench: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -c constraints.txt -e '.[bench]'
	@touch $@ $(VENV)/.installed $(VENV)/.installed-gui

clean:
	rm -rf $(VENV) $(REPORT) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
