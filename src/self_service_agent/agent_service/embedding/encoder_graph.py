"""The sentence encoder as an ONNX graph: a six-layer BERT, mean pooling and normalisation to length one.

The graph names its weights and holds none of them; they are handed to the session beside it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

HIDDEN = 384
_HEADS = 12
_LAYERS = 6
_OPSET = 20
_IR = 9
_EPSILON = 1e-12
_FAR_BELOW = np.float32(-1e9)

Weights = Mapping[str, NDArray[np.float32]]


def linear_names() -> Iterator[str]:
    """Yield the weights that multiply from the right, and so are wanted transposed."""
    for layer in range(_LAYERS):
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            yield f"encoder.layer.{layer}.{part}.weight"
        for part in ("intermediate.dense", "output.dense"):
            yield f"encoder.layer.{layer}.{part}.weight"


def encoder_graph(weights: Weights) -> bytes:
    """Return the serialised graph from token ids and mask, both (texts, tokens), to vectors (texts, 384)."""
    graph = _Graph(weights)
    hidden = _embedded(graph)
    far_below_where_masked = _attention_mask(graph)
    for layer in range(_LAYERS):
        hidden = _layer(graph, hidden, mask=far_below_where_masked, prefix=f"encoder.layer.{layer}")
    return graph.serialised(_pooled(graph, hidden))


class _Graph:
    """Collects nodes; every method returns the name of what it adds."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._used: dict[str, onnx.TensorProto] = {}

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def constant(self, values: NDArray[np.generic]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants[name] = onnx.numpy_helper.from_array(np.asarray(values), name)
        return name

    def weight(self, name: str) -> str:
        if name not in self._used:
            self._used[name] = _declared(name, self._weights[name].shape)
        return name

    def serialised(self, output: str) -> bytes:
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in ("ids", "mask")
        ]
        outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["texts", HIDDEN])]
        initializers = [*self._constants.values(), *self._used.values()]
        graph = helper.make_graph(self._nodes, "encoder", inputs, outputs, initializer=initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
        serialised: bytes = model.SerializeToString()
        return serialised


def _declared(name: str, shape: tuple[int, ...]) -> onnx.TensorProto:
    """Return a tensor whose content lies elsewhere."""
    tensor = onnx.TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="handed over with the session")
    return tensor


def _embedded(graph: _Graph) -> str:
    words = graph.node("Gather", graph.weight("embeddings.word_embeddings.weight"), "ids")
    length = graph.node("Shape", "ids", start=1, end=2)
    zero = graph.constant(np.array([0], np.int64))
    places = graph.node("Slice", graph.weight("embeddings.position_embeddings.weight"), zero, length, zero)
    sort = graph.node("Gather", graph.weight("embeddings.token_type_embeddings.weight"), zero)
    return _normalised(graph, graph.node("Sum", words, places, sort), "embeddings.LayerNorm")


def _attention_mask(graph: _Graph) -> str:
    kept = graph.node("Cast", "mask", to=TensorProto.FLOAT)
    one = graph.constant(np.array(1, np.float32))
    hidden = graph.node("Mul", graph.node("Sub", one, kept), graph.constant(np.array(_FAR_BELOW)))
    return graph.node("Unsqueeze", hidden, graph.constant(np.array([1, 2], np.int64)))


def _layer(graph: _Graph, hidden: str, *, mask: str, prefix: str) -> str:
    attended = _attention(graph, hidden, mask=mask, prefix=f"{prefix}.attention.self")
    attended = _linear(graph, attended, f"{prefix}.attention.output.dense")
    hidden = _normalised(graph, graph.node("Add", attended, hidden), f"{prefix}.attention.output.LayerNorm")
    inner = graph.node("Gelu", _linear(graph, hidden, f"{prefix}.intermediate.dense"))
    outer = _linear(graph, inner, f"{prefix}.output.dense")
    return _normalised(graph, graph.node("Add", outer, hidden), f"{prefix}.output.LayerNorm")


def _attention(graph: _Graph, hidden: str, *, mask: str, prefix: str) -> str:
    split = graph.constant(np.array([0, 0, _HEADS, HIDDEN // _HEADS], np.int64))
    joined = graph.constant(np.array([0, 0, HIDDEN], np.int64))

    def heads(part: str, order: list[int]) -> str:
        projected = graph.node("Reshape", _linear(graph, hidden, f"{prefix}.{part}"), split)
        return graph.node("Transpose", projected, perm=order)

    scores = graph.node("MatMul", heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]))
    scaled = graph.node("Div", scores, graph.constant(np.array(np.sqrt(HIDDEN / _HEADS), np.float32)))
    likely = graph.node("Softmax", graph.node("Add", scaled, mask), axis=-1)
    context = graph.node("MatMul", likely, heads("value", [0, 2, 1, 3]))
    return graph.node("Reshape", graph.node("Transpose", context, perm=[0, 2, 1, 3]), joined)


def _linear(graph: _Graph, value: str, name: str) -> str:
    product = graph.node("MatMul", value, graph.weight(f"{name}.weight"))
    return graph.node("Add", product, graph.weight(f"{name}.bias"))


def _normalised(graph: _Graph, value: str, name: str) -> str:
    return graph.node(
        "LayerNormalization", value, graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias"), epsilon=_EPSILON
    )


def _pooled(graph: _Graph, hidden: str) -> str:
    tokens = graph.constant(np.array([1], np.int64))
    last = graph.constant(np.array([-1], np.int64))
    kept = graph.node("Unsqueeze", graph.node("Cast", "mask", to=TensorProto.FLOAT), last)
    total = graph.node("ReduceSum", graph.node("Mul", hidden, kept), tokens, keepdims=0)
    mean = graph.node("Div", total, graph.node("ReduceSum", kept, tokens, keepdims=0))
    return graph.node("Div", mean, graph.node("ReduceL2", mean, last, keepdims=1))
