# Two commands for a fresh machine: `make demo` and `make test`. Both make .venv when it is missing;
# the demo takes only what it needs, the tests everything (torch among it).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_READY := $(VENV)/.ready-demo
READY := $(VENV)/.ready-test

# Everything that the demo touches stays in these two folders.
DEMO := demo
DEMO_STATE := $(DEMO)/.state

# An empty environment: no setting of yours changes what the demo shows, no folder of yours is used.
DEMO_RUN := env -i PATH="$$PATH" TERM="$$TERM" LANG=C.UTF-8 HOME="$(CURDIR)/$(DEMO)/.home" \
  URBEXMP_STATE=$(DEMO_STATE) $(BIN)/urbexmp
ONE := 2024-05-11 Riverside Paper Mill/_DSC0412
SIGN := 2024-05-11 Riverside Paper Mill/_DSC0421.JPG

.PHONY: demo test lint format samples docs session bench clean

demo: $(DEMO_READY)
	@rm -rf $(DEMO) && mkdir -p $(DEMO)/.home && cp -R samples/photos $(DEMO)/photos
	@echo '== What would be written: urbexmp sync --dry-run'
	@$(DEMO_RUN) sync --dry-run $(DEMO)/photos
	@echo
	@echo '== Write it: urbexmp sync'
	@$(DEMO_RUN) sync $(DEMO)/photos
	@echo
	@echo '== The keywords now, and who wrote them: urbexmp keyword list'
	@$(DEMO_RUN) keyword list '$(DEMO)/photos/$(ONE).NEF'
	@echo
	@echo '== What is painted on a wall, read by the stage ocr: urbexmp stage run ocr'
	@$(DEMO_RUN) stage run ocr '$(DEMO)/photos/$(SIGN)'
	@$(DEMO_RUN) keyword list '$(DEMO)/photos/$(SIGN)'
	@echo
	@echo '== Every byte that changed in its sidecar: diff'
	@diff -u 'samples/photos/$(ONE).xmp' '$(DEMO)/photos/$(ONE).xmp' || true
	@echo
	@echo '== A second run finds nothing to do: urbexmp sync'
	@$(DEMO_RUN) sync $(DEMO)/photos
	@echo
	@echo 'Look around in $(DEMO)/photos. To take it all back, byte for byte:'
	@echo '  URBEXMP_STATE=$(DEMO_STATE) $(BIN)/urbexmp runs $(DEMO)/photos'
	@echo '  URBEXMP_STATE=$(DEMO_STATE) $(BIN)/urbexmp undo --yes --in $(DEMO)/photos'

test: $(READY)
	$(BIN)/python -m pytest -n 2

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

samples: $(READY)
	$(BIN)/python samples/make_samples.py

docs: $(READY)
	$(BIN)/python docs/make_commands.py
	$(BIN)/python docs/make_tables.py

bench: $(READY)
	$(BIN)/python benchmarks/all.py

session: $(READY)
	$(BIN)/python docs/make_session.py

clean:
	rm -rf $(VENV) $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# The marks are made last, so an interrupted installation is done again.
$(DEMO_READY): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[ocr]'
	@touch $(DEMO_READY)

$(READY): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test]'
	@touch $(READY) $(DEMO_READY)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("urbexmp needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
