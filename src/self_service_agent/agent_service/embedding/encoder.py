"""The sentence encoder on onnxruntime: loaded once, a quarter of a gigabyte, milliseconds for a sentence."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped, unused-ignore]  # it has no types
from tokenizers import Tokenizer

from .encoder_graph import encoder_graph, linear_names
from .weights import TOKENIZER, WEIGHTS, read_weights, verified

LONGEST = 256
"""Tokens that are read of a text; what the model was trained with."""


class Encoder:
    """Loads in the constructor, which takes about a second and raises `EmbeddingUnavailable`; then is thread-safe."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        self._tokenizer = _tokenizer(verified(folder, TOKENIZER))
        weights = dict(read_weights(verified(folder, WEIGHTS)))
        for name in linear_names():
            weights[name] = np.ascontiguousarray(weights[name].T)
        # The session shares this memory, so it has to live as long.
        self._weights = {name: onnxruntime.OrtValue.ortvalue_from_numpy(value) for name, value in weights.items()}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.add_external_initializers(list(self._weights), list(self._weights.values()))
        self._session = onnxruntime.InferenceSession(
            encoder_graph(weights), options, providers=["CPUExecutionProvider"]
        )

    def vectors_of(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the vector of each text; they are computed together and padded to the longest."""
        encodings = self._tokenizer.encode_batch(list(texts))
        tokens = {
            "ids": np.array([encoding.ids for encoding in encodings], np.int64),
            "mask": np.array([encoding.attention_mask for encoding in encodings], np.int64),
        }
        (vectors,) = self._session.run(None, tokens)
        listed: list[list[float]] = vectors.tolist()
        return listed


def _tokenizer(path: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(LONGEST)
    tokenizer.enable_padding()
    return tokenizer
