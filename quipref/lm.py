"""The small language model: its forward pass in NumPy, its Hessians, its bits per byte.

A byte-level decoder in the style of Llama: RMSNorm, rotary positions, SwiGLU, no biases, and one
matrix that embeds the bytes and predicts them. x is (windows, positions, d_model) throughout.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks, data, storage
from quipref.hessian import HessianAccumulator

BATCH = 8  # windows that go through the layers together
ATTENTION, MLP = ("q", "k", "v", "o"), ("gate", "up", "down")
# Which linear layers read the same input, and so share one Hessian.
SHARED = {"attn.q": ("q", "k", "v"), "attn.o": ("o",), "mlp.gate": ("gate", "up"), "mlp.down": ("down",)}


@dataclass(frozen=True)
class Shape:
    """The model's sizes, as its file states them."""

    n_layers: int
    d_model: int
    d_ff: int
    n_heads: int
    vocabulary: int
    context: int
    rope_base: float
    norm_epsilon: float

    @classmethod
    def from_metadata(cls, metadata):
        """Read the sizes from the strings in a file's header."""
        try:
            return cls(**{name: kind(metadata[name]) for name, kind in cls.__annotations__.items()})
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"A model file must state its sizes in its header, but {error} is missing or no number."
            ) from None


class LanguageModel:
    """A decoder whose linear layers can be examined and replaced.

    Parameters
    ----------
    shape : Shape
    weights : dict of str to array
        float32 matrices (outputs, inputs) `layers.0.attn.q` ... and the vectors and matrix that are
        not quantized: `layers.0.attn_norm`, `layers.0.mlp_norm`, `norm`, `embed`.
    """

    def __init__(self, shape: Shape, weights: dict[str, NDArray[np.float32]]) -> None:
        self.shape = shape
        self.weights = weights
        half = shape.d_model // shape.n_heads // 2
        angles = np.outer(np.arange(shape.context), shape.rope_base ** (-np.arange(half) / half))
        self._cos, self._sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)

    def linear_names(self) -> list[str]:
        """The names of all linear layers, in the order of the forward pass."""
        parts = [f"attn.{p}" for p in ATTENTION] + [f"mlp.{p}" for p in MLP]
        return [f"layers.{i}.{part}" for i in range(self.shape.n_layers) for part in parts]

    def linear(self, name: str) -> NDArray[np.float32]:
        """The weights (outputs, inputs) of one linear layer."""
        if name not in self.linear_names():
            raise ValueError(
                f"{name!r} must be a linear layer, but the model has none of that name. Its layers are "
                f"layers.0 to layers.{self.shape.n_layers - 1}, each with attn.q, .k, .v, .o and mlp.gate, .up, .down."
            )
        return self.weights[name]

    def with_linears(self, replaced: Mapping[str, ArrayLike]) -> "LanguageModel":
        """A model that shares everything with this one but the linear layers in the dict `replaced`."""
        for name, W in replaced.items():
            checks.same_shape(checks.weights(W, name), name, self.linear(name), "the layer it replaces")
        return LanguageModel(self.shape, self.weights | {k: np.asarray(W, np.float32) for k, W in replaced.items()})

    def logits(
        self, tokens: NDArray[np.uint8], tap: Callable[[str, NDArray[np.float32]], object] | None = None
    ) -> NDArray[np.float32]:
        """Scores (windows, positions, 256) of the next byte, for tokens (windows, positions) uint8.

        `tap(name, X)` is called with the input X of each linear layer in `SHARED`.
        """
        tap = tap or (lambda name, X: None)
        x = self.weights["embed"][tokens]
        for i in range(self.shape.n_layers):
            x = x + self._attention(x, f"layers.{i}.", tap)
            x = x + self._mlp(x, f"layers.{i}.", tap)
        return self._norm(x, "norm") @ self.weights["embed"].T

    def _attention(self, x, layer, tap):
        W = self.weights
        windows, positions, width = x.shape
        x = self._norm(x, layer + "attn_norm")
        tap(layer + "attn.q", x)
        heads = (windows, positions, self.shape.n_heads, -1)
        q, k, v = ((x @ W[f"{layer}attn.{p}"].T).reshape(heads).swapaxes(1, 2) for p in "qkv")
        scores = self._rotate(q) @ self._rotate(k).swapaxes(2, 3) / np.float32(math.sqrt(q.shape[-1]))
        scores += np.triu(np.full((positions, positions), -np.inf, np.float32), 1)  # no look ahead
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        y = (scores @ v).swapaxes(1, 2).reshape(windows, positions, width)
        tap(layer + "attn.o", y)
        return y @ W[layer + "attn.o"].T

    def _mlp(self, x, layer, tap):
        W = self.weights
        x = self._norm(x, layer + "mlp_norm")
        tap(layer + "mlp.gate", x)
        gate = x @ W[layer + "mlp.gate"].T
        y = gate / (1 + np.exp(-gate)) * (x @ W[layer + "mlp.up"].T)
        tap(layer + "mlp.down", y)
        return y @ W[layer + "mlp.down"].T

    def _norm(self, x, name):
        scale = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + np.float32(self.shape.norm_epsilon))
        return x / scale * self.weights[name]

    def _rotate(self, x):
        """Rotary positions: coordinates i and i + half turn together by the angle of pair i."""
        a, b = np.split(x, 2, axis=-1)
        cos, sin = self._cos[: x.shape[2]], self._sin[: x.shape[2]]
        return np.concatenate((a * cos - b * sin, a * sin + b * cos), axis=-1)

    def bits_per_byte(self, text: bytes, *, overlap: int = 0) -> float:
        """Mean -log2 p of each byte of `text` given the earlier ones of its window.

        The text (bytes) is cut into windows of `shape.context` bytes; its first byte is not scored.
        With an overlap each window begins that many bytes before the last one ends and scores only
        the bytes behind it, so that all but the first window's are predicted from `overlap` bytes
        at least; the cost grows by context / (context - overlap).
        """
        inputs, targets = self._windows(text, overlap)
        total, n_scored = 0.0, 0
        for i in range(0, len(inputs), BATCH):
            scores = self.logits(inputs[i : i + BATCH]).astype(np.float64)
            scores -= scores.max(axis=-1, keepdims=True)
            log_sum = np.log(np.exp(scores).sum(axis=-1))
            chosen = np.take_along_axis(scores, targets[i : i + BATCH, :, None].astype(np.intp), axis=-1)
            surprise = log_sum - chosen[..., 0]
            if i == 0:
                total += float(surprise[0, :overlap].sum())
                n_scored += overlap
            total += float(surprise[:, overlap:].sum())
            n_scored += surprise[:, overlap:].size
        return total / n_scored / math.log(2)

    def hessians(
        self, text: bytes, progress: Callable[[float], object] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """{name: H} for every linear layer, gathered in one pass over `text` (bytes).

        Layers that read the same input share one float64 array. `progress` is told the share that is
        done, from 0 to 1.
        """
        inputs, _ = self._windows(text)
        gathered = {}

        def tap(name, X):
            X = X.reshape(-1, X.shape[-1])
            gathered.setdefault(name, HessianAccumulator(X.shape[1])).update(X)

        for i in range(0, len(inputs), BATCH):
            self.logits(inputs[i : i + BATCH], tap)
            if progress:
                progress(min(1.0, (i + BATCH) / len(inputs)))
        return self.share({name: accumulator.hessian() for name, accumulator in gathered.items()})

    def share(self, hessians: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """Give the Hessian of each group in `SHARED` to all its members."""
        return {
            f"layers.{i}.{group.split('.')[0]}.{member}": hessians[f"layers.{i}.{group}"]
            for i in range(self.shape.n_layers)
            for group, members in SHARED.items()
            for member in members
        }

    def _windows(self, text, overlap=0):
        """(inputs, targets), uint8 (windows, context): the targets are the inputs one byte later."""
        tokens, length = np.frombuffer(text, np.uint8), self.shape.context
        checks.integer(overlap, "overlap", low=0, high=length - 1)
        if len(tokens) <= length:
            raise ValueError(f"text must have more than {length} bytes to fill a window, but it has {len(tokens)}.")
        windows = np.lib.stride_tricks.sliding_window_view(tokens, length + 1)[:: length - overlap]
        return windows[:, :-1], windows[:, 1:]


def load_lm(path: storage.FilePath | None = None) -> LanguageModel:
    """The model that ships with quipref, or another file of the same form.

    Parameters
    ----------
    path : path-like, optional
        A safetensors file; default the shipped one, whose SHA-256 is checked.

    Returns
    -------
    LanguageModel
        Weights widened from float16 to float32.

    Raises
    ------
    ValueError
        The file is damaged, or its tensors do not have the shapes that its header states.
    """
    path = data.path("lm.safetensors") if path is None else path
    tensors, metadata = storage.read_tensors(path)
    model = LanguageModel(Shape.from_metadata(metadata), {k: v.astype(np.float32) for k, v in tensors.items()})
    for name, shape in expected_shapes(model).items():
        found = model.weights[name].shape if name in model.weights else "missing"
        if found != shape:
            raise ValueError(f"{path} must have a tensor {name} of shape {shape}, but it is {found}.")
    return model


def expected_shapes(model):
    """{tensor name: shape} for the sizes of the model."""
    s = model.shape
    inside = {"gate": (s.d_ff, s.d_model), "up": (s.d_ff, s.d_model), "down": (s.d_model, s.d_ff)}
    shapes = {"embed": (s.vocabulary, s.d_model), "norm": (s.d_model,)}
    for name in model.linear_names():
        shapes[name] = inside.get(name.rsplit(".", 1)[1], (s.d_model, s.d_model))
    for i in range(s.n_layers):
        shapes |= {f"layers.{i}.attn_norm": (s.d_model,), f"layers.{i}.mlp_norm": (s.d_model,)}
    return shapes


def calibrated_hessians(model, n_bytes, progress=None):
    """The Hessians of the shipped model over the first `n_bytes` of the calibration text, cached on disk.

    The cache is keyed by the SHA-256 of the model and the text, and a damaged file is made again.
    """
    facts = data.manifest()["files"]
    made_of = "-".join((facts["lm.safetensors"]["sha256"][:16], facts["calibration.txt"]["sha256"][:16], str(n_bytes)))
    folder = data.cache_folder()
    path = folder / f"hessians-{made_of}.safetensors" if folder else None
    names = [f"layers.{i}.{group}" for i in range(model.shape.n_layers) for group in SHARED]
    if path and path.is_file():
        try:
            tensors, metadata = storage.read_tensors(path)
            if metadata.get("made_of") == made_of and sorted(tensors) == sorted(names):
                return model.share(tensors)
        except ValueError:
            pass  # damaged: made again below
    hessians = model.hessians(data.read("calibration.txt")[:n_bytes], progress)
    if path:
        storage.write_tensors(path, {name: hessians[name] for name in names}, {"made_of": made_of})
    return hessians
