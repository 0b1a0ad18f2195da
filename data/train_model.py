"""Train the small language model that ships with quipref: `python data/train_model.py`.

A byte-level decoder in the style of Llama (RMSNorm, rotary positions, SwiGLU, no biases, tied
embedding), trained in PyTorch on the CPU from the text that `make_text.py` collects. Kill it at any
time: the next start goes on from the last checkpoint with the same batches. It reproduces the
model's quality, not its bits, since sums in PyTorch depend on the machine.

`--steps 50 --checkpoint-every 20` is a smoke run. The result is `lm.safetensors` (float16) and
`lm_reference.safetensors`: the logits that PyTorch computes from those float16 weights in float32,
which the NumPy forward pass of `quipref.lm` is held against.
"""

import argparse
import json
import math
import resource
import time
from dataclasses import asdict, dataclass
from importlib import metadata

import numpy as np
import torch
from manifest import FOLDER, record, write_atomically
from safetensors.torch import load_file, save
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

SEED = 2307_13304
BATCH, CONTEXT = 16, 256
PEAK_RATE, WARM_UP, WEIGHT_DECAY = 2e-3, 200, 0.1
BUILD = FOLDER / "build"


@dataclass(frozen=True)
class Shape:
    n_layers: int = 4
    d_model: int = 256
    d_ff: int = 768
    n_heads: int = 4
    vocabulary: int = 256
    rope_base: float = 10000.0
    norm_epsilon: float = 1e-5


class Attention(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.n_heads = shape.n_heads
        self.q, self.k, self.v, self.o = (nn.Linear(shape.d_model, shape.d_model, bias=False) for _ in range(4))

    def forward(self, x, cos, sin):
        batch, length, width = x.shape
        q, k, v = (f(x).view(batch, length, self.n_heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o(y.transpose(1, 2).reshape(batch, length, width))


class MLP(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.gate = nn.Linear(shape.d_model, shape.d_ff, bias=False)
        self.up = nn.Linear(shape.d_model, shape.d_ff, bias=False)
        self.down = nn.Linear(shape.d_ff, shape.d_model, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Block(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.attn_norm = nn.RMSNorm(shape.d_model, eps=shape.norm_epsilon)
        self.attn = Attention(shape)
        self.mlp_norm = nn.RMSNorm(shape.d_model, eps=shape.norm_epsilon)
        self.mlp = MLP(shape)

    def forward(self, x, cos, sin):
        x = x + self.attn(self.attn_norm(x), cos, sin)
        return x + self.mlp(self.mlp_norm(x))


class Model(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.embed = nn.Embedding(shape.vocabulary, shape.d_model)
        self.layers = nn.ModuleList(Block(shape) for _ in range(shape.n_layers))
        self.norm = nn.RMSNorm(shape.d_model, eps=shape.norm_epsilon)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                out = name.endswith(("o.weight", "down.weight"))
                nn.init.normal_(p, std=0.02 / (math.sqrt(2 * shape.n_layers) if out else 1))
        half = shape.d_model // shape.n_heads // 2
        rates = shape.rope_base ** (-torch.arange(half) / half)
        angles = torch.arange(CONTEXT)[:, None] * rates
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, tokens):
        length = tokens.shape[1]
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x, self.cos[:length], self.sin[:length])
        return self.norm(x) @ self.embed.weight.T


def rotate(x, cos, sin):
    """Rotary positions: coordinate i and i + half turn together by the angle of pair i."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def read_bytes(path):
    return torch.from_numpy(np.frombuffer(path.read_bytes(), np.uint8).astype(np.int64))


def batch_of_step(text, step):
    """The windows of one step; a function of (SEED, step) alone, so a resumed run sees the same."""
    starts = np.random.default_rng((SEED, step)).integers(0, len(text) - CONTEXT - 1, BATCH)
    windows = torch.stack([text[s : s + CONTEXT + 1] for s in starts])
    return windows[:, :-1], windows[:, 1:]


@torch.no_grad()
def bits_per_byte(model, text):
    """Mean -log2 p of each next byte, in windows of CONTEXT bytes."""
    n = (len(text) - 1) // CONTEXT
    inputs = text[: n * CONTEXT].view(n, CONTEXT)
    targets = text[1 : n * CONTEXT + 1].view(n, CONTEXT)
    total = sum(
        F.cross_entropy(model(i).flatten(0, 1), t.flatten(), reduction="sum").item()
        for i, t in zip(inputs.split(32), targets.split(32), strict=True)
    )
    return total / targets.numel() / math.log(2)


def learning_rate(step, steps):
    if step < WARM_UP:
        return PEAK_RATE * (step + 1) / WARM_UP
    return PEAK_RATE * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / (steps - WARM_UP))))


def save_checkpoint(model, optimizer, step, cpu_minutes):
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    for i, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{i}.{k}": v for k, v in state.items()}
    facts = {"step": str(step), "cpu_minutes": str(cpu_minutes)}
    write_atomically(BUILD / "checkpoint.safetensors", save(tensors, metadata=facts))


def load_checkpoint(model, optimizer):
    """Restore the last checkpoint, if there is one; return (next step, CPU minutes spent so far)."""
    path = BUILD / "checkpoint.safetensors"
    if not path.exists():
        return 0, 0.0
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    tensors = load_file(path)
    model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
    state = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, i, name = key.split(".")
            state.setdefault(int(i), {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    facts = header["__metadata__"]
    return int(facts["step"]), float(facts["cpu_minutes"])


def train(model, text, check, *, steps, checkpoint_every):
    decayed = [p for p in model.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if p.ndim != 2]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95))
    first, minutes_before = load_checkpoint(model, optimizer)

    def minutes():
        return minutes_before + cpu_minutes() - started

    started = cpu_minutes()
    bar = tqdm(range(first, steps), initial=first, total=steps, unit="step", mininterval=2)
    for step in bar:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        inputs, targets = batch_of_step(text, step)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(inputs)
        loss = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        bar.set_postfix_str(f"{loss.item() / math.log(2):.3f} bits a byte", refresh=False)
        if (step + 1) % checkpoint_every == 0:
            save_checkpoint(model, optimizer, step + 1, minutes())
            tqdm.write(f"step {step + 1}: {bits_per_byte(model, check):.4f} bits a byte on 16 KB of calibration text")
    return minutes()


def cpu_minutes():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) / 60


def ship(model, shape, facts, evaluation):
    """Round to float16, write the weights and the reference logits, and enter both in the manifest."""
    weights = {k.removesuffix(".weight"): v.half().contiguous() for k, v in model.state_dict().items()}
    model.load_state_dict({k: weights[k.removesuffix(".weight")].float() for k in model.state_dict()})
    facts["bits_per_byte"] = round(bits_per_byte(model, evaluation), 4)
    config = {k: str(v) for k, v in asdict(shape).items()} | {"context": str(CONTEXT)}
    write_atomically(FOLDER / "lm.safetensors", save(weights, metadata=config))
    shapes = {k: list(v.shape) for k, v in weights.items()}
    license = "MIT"
    record("lm.safetensors", license=license, source="train_model.py", dtype="float16", shapes=shapes, **facts)

    tokens = evaluation[None, :64]
    with torch.no_grad():
        reference = {"tokens": tokens[0].to(torch.uint8), "logits": model(tokens)[0].contiguous()}
    write_atomically(FOLDER / "lm_reference.safetensors", save(reference))
    record("lm_reference.safetensors", license=license, source="train_model.py", torch=metadata.version("torch"))
    print(json.dumps(facts, indent=2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--checkpoint-every", type=int, default=100)
    arguments = parser.parse_args()
    if not (BUILD / "training.txt").exists():
        raise SystemExit("No training text. Run first: python data/make_text.py")
    torch.manual_seed(SEED)
    shape = Shape()
    model = Model(shape)
    training, calibration, evaluation = (
        read_bytes(p) for p in (BUILD / "training.txt", FOLDER / "calibration.txt", FOLDER / "evaluation.txt")
    )
    started = time.time()
    minutes = train(
        model, training, calibration[:16384], steps=arguments.steps, checkpoint_every=arguments.checkpoint_every
    )
    facts = {
        "seed": SEED,
        "steps": arguments.steps,
        "cpu_minutes": round(minutes, 1),
        "wall_minutes_of_last_start": round((time.time() - started) / 60, 1),
        "training_bytes": len(training),
        "versions": {"torch": metadata.version("torch"), "numpy": metadata.version("numpy")},
    }
    ship(model, shape, facts, evaluation)


if __name__ == "__main__":
    main()
