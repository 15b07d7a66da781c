# Two commands are enough: make run, make test. Everything else is listed by make help.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run test test-long check bench gallery lock

BIN := .venv/bin
PACKAGES := image-build/packages-kiosk.txt image-build/packages-laptop.txt

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: .venv/ready ## installs what is missing: system packages, the virtual environment, fonts, translations

.venv/ready: requirements.lock pyproject.toml $(PACKAGES) image-build/install-packages office/locale/en/LC_MESSAGES/django.po
	./image-build/install-packages $(PACKAGES)
	[ -x $(BIN)/python ] || /usr/bin/python3 -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m kiosk.screens.fonts
	cd office && ../$(BIN)/django-admin compilemessages --verbosity 0
	touch $@

run: setup ## the office with a demo estate, simulated devices, the bench and the kiosk; prints the addresses
	$(BIN)/kiosk-sim lobby

test: setup ## all tests, with a seeded share of the long runs
	$(BIN)/pytest -m "not long"

test-long: setup ## everything: all kills, cuts and schedules; prints seeds
	$(BIN)/pytest

check: setup ## formatting, lint, types, import rules, unused code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_architecture.py
	$(BIN)/vulture

bench: setup ## the benchmarks, each beside its limit from the same run; writes bench/results.json
	$(BIN)/python -m bench

gallery: setup ## every screen, in every language, mode and state, to build/gallery/
	$(BIN)/kiosk gallery --out build/gallery

lock: ## resolves the dependencies of pyproject.toml anew
	$(BIN)/pip-compile --quiet --extra dev --generate-hashes --no-emit-index-url --no-emit-trusted-host \
		--no-emit-find-links --strip-extras --allow-unsafe --output-file requirements.lock pyproject.toml
