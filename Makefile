# Everything a person does here starts with one of these targets; `make help` lists them.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# `dvc` takes `python` from PATH, so recipes run with the environment's first.
export PATH := $(abspath $(BIN)):$(PATH)
# Byte code must be cached, or every stage pays seconds to compile PyTorch anew.
unexport PYTHONDONTWRITEBYTECODE
SHELL := bash

# What `make scenes` trains: the question's comparisons, LIFT's parts, its variants and two other families. Twelve
# models are an hour on an H100 by count (docs/experiments.md); any others of params.yaml: make scenes MAIN="…".
MAIN ?= lift15 ctx3 ctx7 shift0 shift3 uniform no_context aligned matched matched_ctx3 rife ifrnet
WITHOUT_TRAINING ?= repeat average dis untrained

.DEFAULT_GOAL := help
.PHONY: help setup check test test-all repro report scenes verify lock

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

setup: $(READY)  ## make .venv with every package at its pinned version and hash

$(READY): requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib > /dev/null || true  # some packages ship files for other Pythons
	touch $@

check: setup  ## format, lint and types
	ruff format --check .
	ruff check .
	mypy

test: setup  ## the tests, minutes
	python -m pytest -m "not slow and not gpu"

test-all: setup  ## the slow and the GPU tests as well
	python -m pytest

repro: setup  ## run the pipeline of the profiles named in params.yaml
	dvc repro

report: setup  ## only the tables, figures and page
	dvc repro --single-item report

# DVC writes the profile into params.yaml; what stood there comes back however the recipe ends.
scenes: setup  ## profile scenes: render, train the models of MAIN, measure and report (needs a GPU, no download)
	@mkdir -p .dvc/tmp; kept=$$(mktemp .dvc/tmp/params.XXXXXX) && cp -p params.yaml $$kept || exit 1; \
	trap "mv $$kept params.yaml" EXIT; set -x; \
	dvc exp run -S 'profile=[scenes]' $(MAIN:%=evaluate@scenes-%) $(WITHOUT_TRAINING:%=baseline@scenes-%) && \
	dvc exp run -S 'profile=[scenes]' --single-item report@scenes

verify: setup  ## rebuild the demo in a temporary clone and compare with what is committed
	python -m stages.verify demo

lock: setup  ## pin the newest allowed packages anew (needs uv)
	uv pip compile pyproject.toml --group dev --group pipeline --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --upgrade --quiet --output-file requirements.lock \
	  --custom-compile-command "make lock"
