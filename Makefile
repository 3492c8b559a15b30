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

.DEFAULT_GOAL := help
.PHONY: help setup check test test-all repro report study verify lock

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
	python -m pytest -n logical --dist loadfile --no-loadscope-reorder -m "not slow and not gpu"

test-all: setup  ## the slow and the GPU tests as well
	python -m pytest

repro: setup  ## run the pipeline of the profiles named in params.yaml
	dvc repro

report: setup  ## only the demo's tables, figures and page
	@ls data/demo/results/*/made_from.json > /dev/null 2>&1 || \
	  { echo "error: data/demo/results: nothing is measured yet; run make repro first" >&2; exit 1; }
	dvc repro --single-item resolve pictures report

# DVC writes the profile into params.yaml; what stood there comes back however the recipe ends.
study: setup  ## profile study: render, measure what is released, report; footage: make study GIVEN="ucf101=… davis=…"
	@mkdir -p .dvc/tmp; kept=$$(mktemp .dvc/tmp/params.XXXXXX) && cp -p params.yaml $$kept || exit 1; \
	trap "mv $$kept params.yaml" EXIT; set -x; \
	dvc exp run -S 'profile.demo=[]' -S 'profile.study=[study]' \
	  $(foreach one,$(GIVEN),-S '++profiles.study.sources.$(subst =,.path=,$(one))')

verify: setup  ## measure the study again in a temporary clone and compare; footage: make verify GIVEN="ucf101=… davis=…"
	python -m stages.verify study $(GIVEN)

lock: setup  ## pin the newest allowed packages anew (needs uv)
	uv pip compile pyproject.toml --group dev --group pipeline --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --upgrade --quiet --output-file requirements.lock \
	  --custom-compile-command "make lock"
