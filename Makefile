# Two commands: `make run` and `make test`. Everything else is CMake (CMakePresets.json).
JOBS ?= $(shell nproc)
RUN_ARGS ?=

.PHONY: run test test-interop build deps llm-env headers bench mutation lint fuzz clean

build: deps
	cmake --preset release --log-level=WARNING
	cmake --build --preset release -j $(JOBS)

deps:
	scripts/install-deps

# A small LLM and a real server of it; says so where it cannot be had, and its tests skip.
llm-env: deps
	-@scripts/llm-env

# A learning run over the native tasks, on the simulated author and the emulator.
run: build
	build/release/kwright run experiments/quickstart.toml $(RUN_ARGS)

test: build llm-env
	ctest --preset release -j $(JOBS) $(TEST_ARGS)

# Against other programs: PyTorch (about 2 GB from PyPI the first time), and the real LLM server.
test-interop: build llm-env
	scripts/python-env
	ctest --preset release -j $(JOBS) -L interop $(TEST_ARGS)

bench: deps
	cmake --preset release -DKW_BENCH=ON --log-level=WARNING
	cmake --build --preset release -j $(JOBS)
	bench/run

# Which faulty kernels the judge lets pass (tests/mutation/README.md). Most of an hour.
mutation: build
	tests/mutation/run

# Each public header builds alone.
headers: deps
	cmake --preset release --log-level=WARNING
	cmake --build --preset release -j $(JOBS) --target all_verify_interface_header_sets

# Format, static analysis, and the paths that docs/architecture.md names.
lint:
	scripts/lint

# Each libFuzzer target for a short while (FUZZ_SECONDS each).
fuzz: deps
	scripts/fuzz

clean:
	rm -rf build
