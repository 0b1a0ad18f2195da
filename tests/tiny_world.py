"""A language model of two thousand weights with its text, so that whole jobs run in milliseconds."""

import hashlib
import json

import numpy as np

from quipref import storage

SHAPE = {
    "n_layers": "1",
    "d_model": "8",
    "d_ff": "12",
    "n_heads": "2",
    "vocabulary": "256",
    "context": "16",
    "rope_base": "10000.0",
    "norm_epsilon": "1e-05",
}


def tensors(seed=0):
    """Random float16 weights in the shapes of SHAPE."""
    rng = np.random.default_rng(seed)
    shapes = {"embed": (256, 8), "layers.0.mlp.gate": (12, 8), "layers.0.mlp.up": (12, 8), "layers.0.mlp.down": (8, 12)}
    shapes |= {f"layers.0.attn.{part}": (8, 8) for part in "qkvo"}
    weights = {name: rng.standard_normal(shape) / 3 for name, shape in shapes.items()}
    weights |= {name: np.ones(8) for name in ("norm", "layers.0.attn_norm", "layers.0.mlp_norm")}
    return {name: W.astype(np.float16) for name, W in weights.items()}


def make(folder):
    """Write the model, two texts and a manifest that vouches for them."""
    storage.write_tensors(folder / "lm.safetensors", tensors(), SHAPE)
    text = bytes(np.random.default_rng(1).integers(97, 123, 700).astype(np.uint8))
    (folder / "calibration.txt").write_bytes(text[:500])
    (folder / "evaluation.txt").write_bytes(text[500:])
    write_manifest(folder)


def write_manifest(folder):
    """Vouch for whatever the files now hold."""
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(folder.iterdir())
        if path.name != "manifest.json"
    }
    (folder / "manifest.json").write_text(json.dumps({"files": files}))
