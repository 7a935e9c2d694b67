"""Softmax and cross-entropy on a card: a warp a row, which it reads three times while it is in the caches."""

from math import exp, log

from numpy import float32, int32

from kerasish.device import array_module
from kerasish.device.cuda_jit import cuda
from kerasish.kernels.cuda.arrays import blocks, contiguous, supported
from kerasish.kernels.cuda.asm import load, store
from kerasish.kernels.cuda.warp import LOWEST, WARPS, warp_max, warp_row, warp_sum
from kerasish.kernels.reference import softmax as reference
from kerasish.kernels.reference.precision import widened

THREADS = 32 * WARPS
NAN = float("nan")
SOFTMAX, LOG_SOFTMAX, DENSE, SPARSE = range(4)


@cuda.jit("void(CPointer(f4), CPointer(f4), CPointer(f4), CPointer(i4), CPointer(f4), i4, i4)", launch_bounds=THREADS)
def _rows(x, out, labels, classes, scales, rows, K):
    """out = the (log-)softmax of each row of x, or the gradient of its cross-entropy with labels, times scales."""
    row, lane = warp_row()
    if row < rows:
        start = int32(row * K)
        top = float32(LOWEST)
        for i in range(lane, K, 32):
            top = max(top, load(x, int32(start + i)))
        top = warp_max(top)
        total = float32(0)
        for i in range(lane, K, 32):
            total += exp(load(x, int32(start + i)) - top)
        total = warp_sum(total)
        share, shift = float32(1) / total, log(total)
        for i in range(lane, K, 32):
            v = load(x, int32(start + i)) - top
            if KIND == LOG_SOFTMAX:
                v = v - shift
            else:
                v = exp(v) * share
            if KIND == DENSE:
                v = (v - load(labels, int32(start + i))) * load(scales, row)
            if KIND == SPARSE:
                label = load(classes, row)
                if i == label:
                    v -= float32(1)
                v *= load(scales, row)
                if label < 0 or label >= K:
                    v = float32(NAN)
            store(out, int32(start + i), v)


@cuda.jit("void(CPointer(f4), CPointer(f4), CPointer(f4), CPointer(i4), i4, i4)", launch_bounds=THREADS)
def _losses(x, out, labels, classes, rows, K):
    """out = each row's cross-entropy with labels."""
    row, lane = warp_row()
    if row < rows:
        start = int32(row * K)
        top = float32(LOWEST)
        for i in range(lane, K, 32):
            top = max(top, load(x, int32(start + i)))
        top = warp_max(top)
        total, loss = float32(0), float32(0)
        for i in range(lane, K, 32):
            total += exp(load(x, int32(start + i)) - top)
        shift = log(warp_sum(total))
        if KIND == DENSE:
            for i in range(lane, K, 32):
                loss += load(labels, int32(start + i)) * (shift - (load(x, int32(start + i)) - top))
            loss = warp_sum(loss)
        else:
            label = load(classes, row)
            loss = float32(NAN)
            if label >= 0 and label < K:
                loss = shift - (load(x, int32(start + label)) - top)
        if lane == 0:
            store(out, row, loss)


@cuda.jit("void(CPointer(f4), CPointer(f4), CPointer(f4), i4, i4)", launch_bounds=THREADS)
def _gradients(gy, y, out, rows, K):
    """out = the gradient of (log-)softmax y, row by row."""
    row, lane = warp_row()
    if row < rows:
        start = int32(row * K)
        total = float32(0)
        for i in range(lane, K, 32):
            g = load(gy, int32(start + i))
            total += g * load(y, int32(start + i)) if KIND == SOFTMAX else g
        total = warp_sum(total)
        for i in range(lane, K, 32):
            g, v = load(gy, int32(start + i)), load(y, int32(start + i))
            if KIND == SOFTMAX:
                g = v * (g - total)
            else:
                g = g - exp(v) * total
            store(out, int32(start + i), g)


NAMES = ("softmax", "log_softmax", "dense", "sparse")
ROWS = [_rows.specialize(f"rows_{name}", KIND=kind) for kind, name in enumerate(NAMES)]
LOSSES = {kind: _losses.specialize(f"losses_{NAMES[kind]}", KIND=kind) for kind in (DENSE, SPARSE)}
GRADIENTS = {kind: _gradients.specialize(f"gradients_{NAMES[kind]}", KIND=kind) for kind in (SOFTMAX, LOG_SOFTMAX)}


@widened
def softmax(x):
    return _forward(x, SOFTMAX) if _ours(x) else reference.softmax(x)


@widened
def log_softmax(x):
    return _forward(x, LOG_SOFTMAX) if _ours(x) else reference.log_softmax(x)


@widened
def softmax_grad(gy, y):
    return _backward(gy, y, SOFTMAX) if _ours(gy, y) else reference.softmax_grad(gy, y)


@widened
def log_softmax_grad(gy, y):
    return _backward(gy, y, LOG_SOFTMAX) if _ours(gy, y) else reference.log_softmax_grad(gy, y)


@widened
def cross_entropy_logits(labels, logits):
    """-sum(labels * log_softmax(logits)): labels and logits (..., K) -> (...)."""
    if not _ours(logits, labels) or labels.shape != logits.shape:
        return reference.cross_entropy_logits(labels, logits)
    return _each_loss(logits, DENSE, labels, None)


@widened
def cross_entropy_logits_grad(g, labels, logits):
    """dL/dlogits, g (...): TensorFlow's p - t, which is the derivative where each row of labels sums to 1."""
    if not _ours(logits, labels) or labels.shape != logits.shape:
        return reference.cross_entropy_logits_grad(g, labels, logits)
    return _forward(logits, DENSE, labels, None, g)


@widened
def sparse_cross_entropy_logits(labels, logits):
    """-log_softmax(logits)[label]: labels (...) of integers, logits (..., K) -> (...); NaN for a label out of range."""
    if not _ours(logits):
        return reference.sparse_cross_entropy_logits(labels, logits)
    return _each_loss(logits, SPARSE, None, labels)


@widened
def sparse_cross_entropy_logits_grad(g, labels, logits):
    """dL/dlogits of `sparse_cross_entropy_logits`, g (...)."""
    if not _ours(logits):
        return reference.sparse_cross_entropy_logits_grad(g, labels, logits)
    return _forward(logits, SPARSE, None, labels, g)


def _ours(*arrays):
    return supported(*arrays) and all(a.size for a in arrays)


def _classes(labels):
    return contiguous(labels.astype("int32", copy=False))


def _grid(x):
    """How many blocks, the number of rows, their length."""
    K = x.shape[-1]
    return blocks(x.size // K, WARPS), x.size // K, K


def _forward(x, kind, labels=None, classes=None, g=None):
    xp = array_module(x)
    x, out = contiguous(x), xp.empty(x.shape, x.dtype)
    grid, rows, K = _grid(x)
    labels = x if labels is None else contiguous(labels)
    classes = xp.empty(1, "int32") if classes is None else _classes(classes)
    scales = x if g is None else contiguous(xp.broadcast_to(g, x.shape[:-1]).astype(x.dtype, copy=False))
    ROWS[kind][grid, THREADS](x, out, labels, classes, scales, rows, K)
    return out


def _each_loss(x, kind, labels, classes):
    xp = array_module(x)
    x, out = contiguous(x), xp.empty(x.shape[:-1], x.dtype)
    grid, rows, K = _grid(x)
    labels = x if labels is None else contiguous(labels)
    classes = xp.empty(1, "int32") if classes is None else _classes(classes)
    LOSSES[kind][grid, THREADS](x, out, labels, classes, rows, K)
    return out


def _backward(gy, y, kind):
    gy, y = contiguous(gy), contiguous(y)
    out = array_module(y).empty(y.shape, y.dtype)
    grid, rows, K = _grid(y)
    GRADIENTS[kind][grid, THREADS](gy, y, out, rows, K)
    return out
