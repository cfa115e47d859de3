"""The same encoder once more in plain numpy, straight from its description, to compare with."""

import math

import numpy as np

erf = np.vectorize(math.erf)


def forward(weights, ids):
    """Return the vector of one text of these token ids."""
    hidden = (
        weights["embeddings.word_embeddings.weight"][ids]
        + weights["embeddings.position_embeddings.weight"][: len(ids)]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    hidden = norm(weights, "embeddings.LayerNorm", hidden)
    for number in range(6):
        hidden = layer(weights, f"encoder.layer.{number}", hidden)
    mean = hidden.mean(axis=0)
    return mean / np.linalg.norm(mean)


def layer(weights, prefix, hidden):
    query, key, value = (
        linear(weights, f"{prefix}.attention.self.{part}", hidden).reshape(-1, 12, 32).transpose(1, 0, 2)
        for part in ("query", "key", "value")
    )
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(32)
    likely = np.exp(scores - scores.max(axis=-1, keepdims=True))
    context = (likely / likely.sum(axis=-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(-1, 384)
    attended = linear(weights, f"{prefix}.attention.output.dense", context)
    hidden = norm(weights, f"{prefix}.attention.output.LayerNorm", attended + hidden)
    inner = linear(weights, f"{prefix}.intermediate.dense", hidden)
    inner = inner * (1 + erf(inner / math.sqrt(2))) / 2
    return norm(weights, f"{prefix}.output.LayerNorm", linear(weights, f"{prefix}.output.dense", inner) + hidden)


def linear(weights, name, value):
    return value @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def norm(weights, name, value):
    centred = value - value.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
    return centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]
