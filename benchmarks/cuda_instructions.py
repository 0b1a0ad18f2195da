"""How many instructions a weight costs in the fast CUDA kernel, and what that bounds: counted, not run.

    python benchmarks/cuda_instructions.py

needs no GPU. The kernels are compiled for an H200 (numba-cuda, to PTX; nvJitLink, to machine code), taken apart by
nvdisasm (from the CUDA toolkit, or the package nvidia-cuda-nvdisasm), and the instructions of their inner loop are
counted by the unit that executes them. The last columns are estimates: what the published rates of these units allow at
the highest clock, if nothing else takes time: not the cutting of X into digits, not the kernel that adds up the blocks,
not the launches; and if a warp's product takes the tensor cores no longer than their peak rate says. Nothing here was
measured on a device.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from importlib.metadata import files
from pathlib import Path
from types import SimpleNamespace

from cuda.core import Linker, LinkerOptions, ObjectCode
from numba import cuda
from numba.cuda import dispatcher, types

from quipref.cuda import fast_matvec

CAPABILITY = (9, 0)
# An H200 by its data sheet and the tables of the CUDA C++ Programming Guide, for compute capability 9.0.
MULTIPROCESSORS, CLOCK, BYTES_A_SECOND = 132, 1.98e9, 4.8e12
ISSUED = 128  # instructions of a lane that a multiprocessor begins in a clock, of any kind
RATES = {
    "integer": 64,
    "multiply": 64,
    "half": 128,
    "shared": 32,
    "tensor": 32,
}  # the same of one kind; tensor: a warp's
PASSES = 2  # through shared memory for a warp's reads from the hybrid code's table: two lanes share two banks
UNITS = {
    "integer": r"PRMT|SHF|LOP3|LEA|IADD3|VIADD|VIMNMX|ISETP|SEL|MOV|POPC|BREV|IABS",
    "multiply": r"IMAD|IDP",
    "half": r"HADD2|HFMA2|HMUL2|FADD|FMUL|FFMA",
    "shared": r"LDS|STS|SHFL",
    "tensor": r"IMMA|HMMA",
}
KERNELS = [  # code, k, Q, B
    *[("1mad", k, 0, 1) for k in (1, 2, 4)],
    *[("1mad", 2, 0, B) for B in (2, 4, 8)],
    *[(code, 2, 0, 1) for code in ("2mad", "3inst", "mcg", "mul1")],
    *[("hyb", k, 9, 1) for k in (1, 2, 4)],
    ("hyb", 2, 9, 8),
]


def machine_code(kernel, signature):
    """(instructions by line, label -> line, registers, bytes spilled) of a kernel."""
    ptx, _ = cuda.compile_ptx(kernel.py_func, signature, cc=CAPABILITY)
    linker = Linker(ObjectCode.from_ptx(ptx.encode()), options=LinkerOptions(arch="sm_90", ptxas_options=["-v"]))
    binary, log = linker.link("cubin").code, linker.get_info_log()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.cubin"
        path.write_bytes(binary)
        text = subprocess.run([disassembler(), "-c", path], capture_output=True, text=True, check=True).stdout
    lines, labels = [], {}
    for line in text.splitlines():
        if label := re.match(r"\s*(\.L\S*):", line):
            labels[label[1]] = len(lines)
        elif found := re.match(r"\s*/\*[0-9a-f]{4,}\*/\s+(?:@\S+\s+)?(.*?);", line):
            lines.append(found[1])
    spilled = sum(int(count) for count in re.findall(r"(\d+) bytes spill", log))
    return lines, labels, int(re.search(r"Used (\d+) registers", log)[1]), spilled


def disassembler():
    """Where nvdisasm is."""
    if found := shutil.which("nvdisasm"):
        return found
    for name in ("nvidia-cuda-nvdisasm", "nvidia-cuda-nvdisasm-cu12"):
        try:
            return next(file.locate() for file in files(name) if file.name == "nvdisasm")
        except ModuleNotFoundError:
            continue
    sys.exit("nvdisasm is missing: install the CUDA toolkit, or the package nvidia-cuda-nvdisasm.")


def inner_loop(lines, labels):
    """The instructions from a label to a branch back to it, among which most products of the tensor cores are."""
    loops = []
    for i, line in enumerate(lines):
        branch = re.match(r"BRA.*`\((\.L\S*)\)", line)
        if branch and labels.get(branch[1], i + 1) <= i:
            loops.append(lines[labels[branch[1]] : i + 1])
    return max(loops, key=lambda loop: (products(loop), -len(loop)))


def products(loop):
    """How many products of the tensor cores there are."""
    return sum("MMA" in line for line in loop)


def by_unit(loop):
    """How many instructions each unit executes."""
    counts = Counter()
    for line in loop:
        units = [unit for unit, pattern in UNITS.items() if re.match(f"({pattern})", line)]
        words = 4 if line.startswith("LDS.128") else 1
        counts[units[0] if units else "other"] += 1
        counts["words"] += words * line.startswith("LDS")
    return counts


def row(code, k, Q, B):
    """A line of the table."""
    kernel = fast_matvec.fast_multiplier(code, k, Q, B)
    array = {(kind, axes): types.Array(kind, axes, "C") for kind in (types.uint32, types.float32) for axes in (1, 2, 3)}
    floats = [array[types.float32, axes] for axes in (1, 2, 3)]
    lines, labels, registers, spilled = machine_code(kernel, (array[types.uint32, 1], *floats, types.float32))
    loop = inner_loop(lines, labels)
    V, sets = (1 if code in ("1mad", "2mad") else 2), -(-B // fast_matvec.VECTORS)
    weights = 4 * V * products(loop) / sets  # a product takes four registers of A from a lane, for each set of vectors
    counts = by_unit(loop)
    each = {unit: counts[unit] / weights for unit in (*RATES, "other")}
    limits = {"issue": ISSUED * weights / len(loop)}
    limits |= {unit: rate / each[unit] for unit, rate in RATES.items() if each[unit]}
    limits["shared"] = RATES["shared"] * weights / max(counts["passes"], 1)
    bound = min(limits, key=limits.get)
    seconds = 2**26 / (limits[bound] * MULTIPROCESSORS * CLOCK)  # 8192 x 8192 weights
    read = 2**26 * k / 8 / BYTES_A_SECOND
    half = 2**26 * 2 / BYTES_A_SECOND
    parts = " | ".join(f"{each[unit]:.2f}" for unit in (*RATES, "other"))
    return (
        f"| {code} | {k} | {B} | {registers} | {spilled} | {len(loop) / weights:.2f} | {parts} | {limits[bound]:.0f} | "
        f"{bound} | {seconds * 1e6:.1f} | {read * 1e6:.1f} | {half / max(seconds, read):.1f} |"
    )


def main():
    """Print the table."""
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=CAPABILITY)  # for the device functions
    print("Instructions of a lane for a weight, in the machine code of the inner loop; estimates, nothing was run.\n")
    head = ["code", "k", "B", "registers", "spilled", "all", *RATES, "other", "weights/clock", "bound by"]
    head += ["us by that", "us to read", "times fp16"]
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for kernel in KERNELS:
        print(row(*kernel), flush=True)
    print(
        "\nweights/clock: of a multiprocessor, at most. us by that: 8192 x 8192 weights on 132 multiprocessors at "
        "1.98 GHz. us to read: the codes at 4.8 TB/s.\ntimes fp16: reading as many weights in half precision at 4.8 "
        "TB/s, over the larger of the two."
    )


if __name__ == "__main__":
    main()
