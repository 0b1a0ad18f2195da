"""Keep a small part of what QuIP's program put out for our own inputs, as `golden/` here.

Usage: python data/make_golden.py FOLDER [OUT]

FOLDER has `quip_rounding.npz` and `quip_gptq_equiv.npz`: inputs that we drew, and the matrices that the
program rounded them to. Only numbers are kept, nothing of its source. OUT defaults to the folder
`golden` beside this script; then the manifest gets its two entries as well.
"""

import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np
from manifest import FOLDER, record, write_atomically

RESULTS = ("near", "ldl_p0", "gptqequiv")  # nearest; LDLQ right to left; LDLQ left to right
ROWS = 32  # of the OPTQ layer: rows do not meet, so half of them are a smaller test of the same
FACTS = {
    "program": "QuIP, Cornell-RelaxML/QuIP on GitHub",
    "commit": "ac92cfc7",
    "note": (
        "Inputs drawn by us and the results that the program, run on a CPU in float64, gave for them. The program has "
        "no licence file; none of its source or text is here, only the numbers that it computed from our inputs."
    ),
}
MEANING = {
    "W": "a layer in float64",
    "scale": "2.4 rms(W): the grid units are w = clip((W / scale + 1) / 2 * (2^b - 1), 0, 2^b - 1)",
    "H_upper": "the rows of H from the diagonal on, one after the other",
    "b?_near": "w rounded to nearest",
    "b?_ldl_p0": "LDLQ on 0 ... 2^b - 1, last column first, no greedy passes",
    "b?_gptqequiv": "LDLQ on 0 ... 2^b - 1, first column first",
    "optq_*": "a second layer, a grid a row: OPTQ and LDLQ both gave optq_scale * optq_codes, codes 0 ... 7",
}


def upper(H):
    """The upper triangle of a symmetric matrix, which is all of it."""
    if not (H == H.T).all():
        raise ValueError("H must be exactly symmetric to be kept by its upper triangle.")
    return H[np.triu_indices(len(H))]


def rounding(folder):
    """The layer that is rounded at 2, 3 and 4 bits."""
    with np.load(folder / "quip_rounding.npz", allow_pickle=False) as source:
        yield "W", source["b2_f64_W"]
        yield "scale", source["b2_f64_scale"]
        yield "H_upper", upper(source["b2_f64_H"])
        for bits in (2, 3, 4):
            for name in RESULTS:
                yield f"b{bits}_{name}", source[f"b{bits}_f64_{name}"].astype(np.uint8)


def equivalence(folder):
    """The layer on which OPTQ and LDLQ were compared."""
    with np.load(folder / "quip_gptq_equiv.npz", allow_pickle=False) as source:
        scale, rounded = source["scale"][:ROWS], source["gptq"][:ROWS]
        codes = np.rint(rounded / scale)
        if not ((scale * codes == rounded).all() and (source["gptq"] == source["ldl"]).all()):
            raise ValueError("gptq must be scale * codes and equal to ldl, or it cannot be kept as codes.")
        yield "optq_W", source["W"][:ROWS]
        yield "optq_scale", scale
        yield "optq_H_upper", upper(source["H"])
        yield "optq_codes", codes.astype(np.uint8)


def main(folder, out=None):
    """Write the archive and its manifest."""
    folder, target = Path(folder), Path(out) if out else FOLDER / "golden"
    arrays = dict([*rounding(folder), *equivalence(folder)])
    archive = io.BytesIO()
    np.savez_compressed(archive, **arrays)
    content = archive.getvalue()
    entry = FACTS | {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "meaning": MEANING,
        "arrays": {name: {"shape": list(a.shape), "dtype": a.dtype.name} for name, a in arrays.items()},
    }
    target.mkdir(exist_ok=True)
    write_atomically(target / "quip_rounding.npz", content)
    manifest = {"files": {"quip_rounding.npz": entry}}
    write_atomically(target / "manifest.json", (json.dumps(manifest, indent=2) + "\n").encode())
    if not out:
        source = "results of QuIP's program (commit ac92cfc7) on our own inputs, see golden/manifest.json"
        record("golden/quip_rounding.npz", license="MIT", source=source)
        record("golden/manifest.json", license="MIT", source="written by make_golden.py")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
