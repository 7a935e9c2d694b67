"""The plan of a product: how windows lie in the image, and how the work is cut into jobs.

A job is a few output rows. It copies the input rows that it needs to scratch memory when its windows reach over the
border of the image, and reads the image itself when they do not.
"""

import functools
from typing import NamedTuple

from kerasish.device.jit import FASTMATH, njit
from kerasish.device.pointer import clear, copy, view
from kerasish.device.records import record
from kerasish.kernels.cpu.simd import VECTOR_BYTES

JOB = 192  # output pixels of a job: their windows stay in L2, and a panel of B is read once for all of them
SMALL_JOB = 48  # the fewest that are worth a job of their own
SPLITS = 16  # jobs that work is cut into where it has so many panels, whatever the number of threads
FAST = 16  # multiply-adds that these kernels do while a plain loop does one


@record
class Plan(NamedTuple):
    """How windows lie in x (N, H, W, C) and results in y; lengths and steps in elements."""

    jobs: int = 0
    N: int = 0
    H: int = 0
    W: int = 0
    C: int = 0
    OH: int = 0
    OW: int = 0
    KH: int = 0
    KW: int = 0
    sh: int = 1  # strides
    sw: int = 1
    top: int = 0  # pads, negative where windows start inside the image
    left: int = 0
    dh: int = 1  # dilation
    dw: int = 1
    G: int = 1
    J: int = 0  # channels that a window sees: C / G
    F: int = 0  # columns of a group's result
    image: int = 0  # elements between images
    pixel: int = 0  # between neighbouring pixels of what windows are read from
    step: int = 1  # between neighbouring channels of a pixel
    line: int = 0  # between rows of what windows are read from
    copied: int = 0  # 1 if windows are read from scratch memory
    rows: int = 0  # output rows of a job
    columns: int = 0  # output columns of a job
    splits: int = 1  # jobs that share the same pixels, each with some of the panels
    lanes: int = 16  # elements of a vector
    biased: int = 0  # 1 if the sums start from a bias
    cut: int = 0  # the activation, of `tile.CUTS`
    stream: int = 0  # 1 to write the result past the caches
    b_step: int = 0  # between rows of B; 0 if B is packed in panels
    b_group: int = 0
    b_image: int = 0
    y_image: int = 0
    y_row: int = 0
    y_pixel: int = 0
    parts: int = 1  # of the jobs, each summed on its own
    block: int = 0  # rows of the filters' gradient that are summed at a time


@functools.lru_cache(4096)
def plan_walk(x_shape, kernel, out, strides, pads, dilation, groups, columns, size, job=0):
    """The part of a `Plan` that says how windows lie: `out` (OH, OW), `pads` (top, left), `columns` of a group's
    result, `job` pixels of a job (as is best for the forward pass, if 0).
    """
    (N, H, W, C), (KH, KW), (OH, OW), (sh, sw), (top, left), (dh, dw) = x_shape, kernel, out, strides, pads, dilation
    lanes = VECTOR_BYTES // size
    below, right = (OH - 1) * sh + (KH - 1) * dh - top, (OW - 1) * sw + (KW - 1) * dw - left
    inside = top <= 0 and left <= 0 and below < H and right < W
    copied = not inside
    job = job or min(JOB, max(SMALL_JOB, -(-N * OH * OW // 48) * 6))
    across = OW if OW < 2 * job else job
    rows = max(1, (job + across // 2) // across)
    line = ((across - 1) * sw + (KW - 1) * dw + 1) * C if copied else W * C
    return Plan(
        jobs=-(-N * OH // rows) * -(-OW // across),
        N=N, H=H, W=W, C=C, OH=OH, OW=OW, KH=KH, KW=KW, sh=sh, sw=sw, top=top, left=left, dh=dh, dw=dw,
        G=groups, J=C // groups, F=columns, image=H * W * C, pixel=C,
        line=line, copied=int(copied), rows=rows, columns=across, lanes=lanes,
    )  # fmt: skip


def in_order(plan):
    """The plan with its results in the order of a contiguous (N, OH, OW, G * F)."""
    F = plan.G * plan.F
    return plan._replace(y_image=plan.OH * plan.OW * F, y_row=plan.OW * F, y_pixel=F)


def input_rows(plan):
    """Rows of scratch memory that the windows of a job need."""
    if not plan.copied:
        return 0
    runs = min(plan.rows, -(-plan.rows // plan.OH) + 1)
    return plan.rows * plan.sh + runs * ((plan.KH - 1) * plan.dh + 1)


@njit(fastmath=FASTMATH)
def job_place(p, job):
    """(first output row, rows, first column, columns) of a job."""
    r, q = divmod(job, -(-p.OW // p.columns))
    first, q = r * p.rows, q * p.columns
    return first, min(p.rows, p.N * p.OH - first), q, min(p.columns, p.OW - q)


@njit(fastmath=FASTMATH)
def copy_row(p, x, n, h, w, to):
    """Input row h of image n from column w on, into a view; zeros where there is no image."""
    span = p.line // p.pixel
    low = min(max(-w, 0), span)
    high = max(min(p.W - w, span), low) if 0 <= h < p.H else low
    clear(to, low * p.pixel)
    if low < high:
        copy(view(to, low * p.C), view(x, n * p.image + (h * p.W + w + low) * p.C), (high - low) * p.C)
    clear(view(to, high * p.pixel), (span - high) * p.pixel)


@njit(fastmath=FASTMATH)
def locate(p, x, first, rows, q, scratch, bases):
    """Where each output row's first window begins, into `bases`; copies the rows that windows need if they must be."""
    reach, slot, begin, done = (p.KH - 1) * p.dh + 1, 0, 0, 0
    for r in range(rows):
        n, oh = divmod(first + r, p.OH)
        top = oh * p.sh - p.top
        if not p.copied:
            bases[r] = n * p.image + (top * p.W + q * p.sw - p.left) * p.pixel
            continue
        if r == 0 or oh == 0:
            slot += done - begin
            begin = done = top
        bases[r] = (slot + top - begin) * p.line
        for h in range(max(done, top), top + reach):
            copy_row(p, x, n, h, q * p.sw - p.left, view(scratch, (slot + h - begin) * p.line))
        done = max(done, top + reach)
