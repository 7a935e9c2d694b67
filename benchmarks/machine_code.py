"""What the CUDA kernels' inner blocks consist of, read off their machine code: no card is needed.

    python -m benchmarks.machine_code [NAME ...] [--card 9.0] [--write docs/gpu.md]

A multiprocessor's scheduler issues one instruction a cycle, so a product whose inner block is mostly multiply-adds can
come near the card's peak, and one that spends its issue slots on addresses cannot. Tensor-core products take several
cycles each, so they leave room for so many others. `pip install 'kerasish[cuda-test]'`.
"""

import argparse
import collections
import importlib
import importlib.metadata
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.marks import put_between
from kerasish.device import cuda_jit

START, END = "<!-- machine code -->", "<!-- /machine code -->"
PRODUCTS = re.compile(r"^(product|outer|tensor)_")
MULTIPLIERS = {"HMMA", "FFMA"}
REGISTERS, THREADS, SHARED = 65536, 2048, 228 << 10  # of a multiprocessor of compute capability 9.0
LABEL, JUMP = re.compile(r"^(\.L_x_\d+):"), re.compile(r"\bBRA\b.*`\((\.L_x_\d+)\)")
INSTRUCTION = re.compile(r"^\s+/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_]*)")


class Block(NamedTuple):
    """The inner block of a kernel: how many instructions of each kind it has."""

    counts: collections.Counter

    @property
    def multiplications(self) -> int:
        return sum(self.counts[name] for name in MULTIPLIERS)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def inner_block(cubin: bytes) -> Block:
    """The loop that holds the most multiplications."""
    lines, labels, loops = disassembled(cubin).splitlines(), {}, []
    for number, line in enumerate(lines):
        if found := LABEL.match(line):
            labels[found[1]] = number
        jump = JUMP.search(line)
        if jump and jump[1] in labels:
            names = [found[1] for inside in lines[labels[jump[1]] : number + 1] if (found := INSTRUCTION.match(inside))]
            loops.append(Block(collections.Counter(names)))
    return max(loops, key=lambda block: block.multiplications, default=Block(collections.Counter()))


def disassembled(cubin: bytes) -> str:
    """The machine code as text.

    Raises:
        ImportError: if NVIDIA's disassembler is not installed.
    """
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        return subprocess.run([disassembler(), "-c", file.name], capture_output=True, text=True, check=True).stdout


def disassembler() -> str:
    """Where `nvdisasm` is.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        files = importlib.metadata.files("nvidia-cuda-nvdisasm") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if Path(file).stem == "nvdisasm":
            path = Path(file.locate())
            path.chmod(path.stat().st_mode | 0o111)  # pip has installed it without
            return str(path)
    raise ImportError("reading machine code needs NVIDIA's disassembler: pip install nvidia-cuda-nvdisasm")


def kernels(words: list[str]) -> list:
    """The kernels that multiply matrices, those whose names hold one of the words if there are any."""
    for name in ("product", "outer", "tensor"):
        importlib.import_module(f"kerasish.kernels.cuda.{name}")
    named = [k for k in cuda_jit.kernels() if PRODUCTS.match(k.name)]
    return [k for k in named if not words or any(word in k.name for word in words)]


def resident(kernel, made) -> int:
    """How many blocks of a kernel fit on a multiprocessor."""
    registers = -(-made.registers // 8) * 8 * kernel.threads
    return min(REGISTERS // registers, THREADS // kernel.threads, SHARED // (made.shared + 1024))


def row(kernel, capability: tuple[int, int]) -> str:
    """A kernel's line of the table."""
    made = cuda_jit.link(cuda_jit.ptx(kernel), capability)
    block = inner_block(made.cubin)
    share = f"{block.total / max(1, block.multiplications):.2f}"
    sizes = f"{made.registers} | {made.shared / 1024:.0f} | {resident(kernel, made) * kernel.threads // 32}"
    return f"| {kernel.name} | {sizes} | {block.multiplications} | {block.total} | {share} |"


def table(words: list[str], capability: tuple[int, int]) -> str:
    """The table in Markdown."""
    version = importlib.metadata.version("nvidia-nvjitlink")
    lines = [
        f"For {cuda_jit.architecture(capability)}, by nvJitLink {version}:",
        "",
        "| kernel | registers | shared, KiB | warps at once | multiplications | instructions | per multiplication |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    return "\n".join([*lines, *(row(kernel, capability) for kernel in kernels(words))])


def write_table(path: str, text: str) -> None:
    """Puts the table between the file's marks.

    Raises:
        ValueError: if the file has no marks.
    """
    put_between(path, START, END, text)


def main(argv: list[str] | None = None) -> int:
    """Prints the table, or writes it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--card", default="9.0", help="compute capability")
    parser.add_argument("--write", metavar="FILE")
    options = parser.parse_args(argv)
    text = table(options.names, tuple(map(int, options.card.split("."))))
    if options.write:
        write_table(options.write, text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
