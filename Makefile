# make demo: grow a brain and test its map.  make test: the tests.  make install: the set-up alone.
# make coverage: the tests, and how many lines they reach.  make test-types: the tests, while types
# and shapes are checked in every call.  make test-pretrained: a network from another package (16 MB).
# make test-peers: statistics of a map against esda, netneurotools and powerlaw, which it fetches.
# make pages: the reports in docs/results from their answers, and the tables of README and findings.
# make mutants: whether the tests see changes of the code (hours; it goes on where it was stopped).
# make torture: runs and studies are killed 200 times, and must go on as if nothing had been; 5,000
# command lines of nonsense; every file of a run damaged in 170 ways (half an hour).
# make gpu-check: tests on a GPU, and its times beside the processor's (ten minutes).
# make lint: ruff, mypy and bandit.  make audit: known vulnerabilities of the versions in
# constraints.txt, from a service on the network.  make wheels: source distribution and wheel in dist/,
# which are installed away from here and tried.
# make test-slurm: studies on a real Slurm, which the tests start (Debian: apt-get install slurm-wlm).
PYTHON ?= python3
BIN := .venv/bin
DEMO := runs/demo
PUBLISHED = $(dir $(wildcard docs/results/*/provenance.json))
# As many processes as processors, of one thread each; tests of one file stay together.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: install demo pages test test-slow test-slurm test-types test-pretrained test-peers
.PHONY: mutants torture coverage lint audit wheels benchmark gpu-check clean
.DELETE_ON_ERROR:

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'brainrnn needs Python 3.11 or newer: make PYTHON=python3.11' >&2; exit 2; }
	@echo 'Setting up .venv (a few minutes, once) ...'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: install
	@if [ -f $(DEMO)/config.toml ]; then $(BIN)/brainrnn resume $(DEMO); \
		else $(BIN)/brainrnn train configs/cog20_bimt.toml --out $(DEMO); fi
	@$(BIN)/brainrnn analyse $(DEMO)
	@$(BIN)/brainrnn plot $(DEMO)

# The pages of the published studies from their answers, and the tables of other pages from these.
pages: install
	$(BIN)/brainrnn study report $(PUBLISHED) --format png --fill README.md --fill docs/findings.md

test: install
	$(PYTEST)

test-slow: install
	$(PYTEST) -m slow

test-slurm: install
	$(BIN)/python -m pytest -m slow tests/study/slurm tests/paper_mlp/test_places.py

torture: install
	TORTURE=200 $(BIN)/python -m pytest -m '' tests/torture
	$(BIN)/python -m pytest -m slow tests/cli/test_nonsense.py tests/runs/test_damage.py
	$(BIN)/python -c 'from brainrnn.study import fill; fill("docs/reliability.md")'

test-types: install
	$(PYTEST) -rfE --jaxtyping-packages=brainrnn,tasks,tests.check_types

test-pretrained: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps 'resemblyzer==0.1.4'
	$(PYTEST) -m slow tests/test_pretrained.py

mutants: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'mutmut==3.8.1'
	@mkdir -p mutants docs/reliability
	find mutants -type f ! -name '*.py' ! -name '*.meta' ! -name '*.json' -delete  # copied anew
	OMP_NUM_THREADS=1 $(BIN)/mutmut run
	$(BIN)/python -m tests.mutants docs/reliability/mutants.csv

test-peers: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		'esda==2.9.0' 'netneurotools==0.3.0' 'powerlaw==2.0.0'
	$(PYTEST) -m slow tests/analysis/test_peers.py

coverage: install
	$(PYTEST) --cov

benchmark: install
	$(BIN)/python -m benchmarks --small

gpu-check: install
	$(BIN)/python -m benchmarks.gpu --out runs/gpu.json

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive brainrnn tasks paper_mlp

audit: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip-audit==2.10.1'
	$(BIN)/pip-audit --no-deps --disable-pip --requirement constraints.txt

# With other Pythons: make wheels PYTHON=python3.13
wheels: install
	rm -rf dist
	$(BIN)/python -m build --outdir dist >/dev/null
	$(PYTHON) -m venv dist/env
	dist/env/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt dist/*.whl
	dist/env/bin/python -P tests/smoke.py docs/results/tradeoff

clean:
	rm -rf .venv build dist *.egg-info
