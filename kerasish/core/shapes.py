"""Shape arithmetic. A dimension is an int, or None where a model leaves it open."""

from __future__ import annotations

import math
import operator
from typing import NamedTuple


class AxisError(ValueError, IndexError):
    """An axis that a tensor does not have. Keras raises one or the other, by operation and back-end."""


class Window(NamedTuple):
    """How a kernel slides over two spatial axes.

    Attributes:
        strides: (down, across).
        pads: ((top, bottom), (left, right)), in rows and columns.
        dilation: (down, across), the distance between taps.
        groups: number of independent groups of channels.
    """

    strides: tuple[int, int] = (1, 1)
    pads: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


def size(shape) -> int:
    """Number of elements."""
    return math.prod(shape)


def effective(kernel: int, dilation: int) -> int:
    """Rows that a dilated kernel spans."""
    return (kernel - 1) * dilation + 1


def window_output(length: int | None, kernel: int | None, stride: int, padding: str, dilation: int = 1) -> int | None:
    """Output length of a convolution or pooling along one axis.

    Args:
        length: input length, or None.
        kernel: taps, or None.
        stride: step.
        padding: "valid", "same" or "causal".
        dilation: distance between taps.
    """
    if length is None or (kernel is None and padding == "valid"):
        return None
    if padding == "valid":
        return (length - effective(kernel, dilation)) // stride + 1
    return -(-length // stride)


def window_pads(length: int, kernel: int, stride: int, padding: str, dilation: int = 1) -> tuple[int, int]:
    """Rows to pad before and after, as TensorFlow does: an odd one goes after."""
    if padding == "valid":
        return (0, 0)
    if padding == "causal":
        return (effective(kernel, dilation) - 1, 0)
    total = max((-(-length // stride) - 1) * stride + effective(kernel, dilation) - length, 0)
    return (total // 2, total - total // 2)


def transposed_output(
    length: int | None,
    kernel: int | None,
    stride: int,
    padding: str,
    output_padding: int | None = None,
    dilation: int = 1,
) -> int | None:
    """Output length of a transposed convolution along one axis, as Keras defines it."""
    if length is None:
        return None
    if output_padding is None and padding != "valid":
        return length * stride
    if kernel is None:
        return None
    span = effective(kernel, dilation)
    if output_padding is None:
        return length * stride + max(span - stride, 0)
    if padding == "same":
        return (length - 1) * stride + span - 2 * (span // 2) + output_padding
    return (length - 1) * stride + span + output_padding


def broadcast(a, b) -> tuple:
    """The shape of an elementwise operation on shapes a and b.

    Raises:
        ValueError: if they do not fit.
    """
    a, b = tuple(a), tuple(b)
    rank = max(len(a), len(b))
    a, b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    out = []
    for m, n in zip(a, b):
        if m == 1 or m == n:
            out.append(n)
        elif n == 1:
            out.append(m)
        elif m is None or n is None:
            out.append(n if m is None else m)
        else:
            raise ValueError(
                f"Cannot broadcast shape, the failure dim has value {m}, which cannot be broadcasted to {n}. "
                f"Input shapes are: {list(a)} and {list(b)}."
            )
    return tuple(out)


def axes(axis, rank: int) -> tuple[int, ...]:
    """The axes of a reduction as sorted non-negative numbers; None means all.

    Raises:
        ValueError: if an axis is out of range.
    """
    if axis is None:
        return tuple(range(rank))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    found = sorted(normal_axis(operator.index(a), rank) for a in given)
    if len(set(found)) < len(found):
        raise ValueError(f"axis={axis} names an axis twice, for a tensor of rank {rank}")
    return tuple(found)


def normal_axis(axis: int, rank: int) -> int:
    """The axis as a number from 0 to rank - 1.

    Raises:
        AxisError: if it is out of range.
    """
    if not -rank <= axis < rank:
        raise AxisError(f"axis {axis} is out of bounds for a tensor of rank {rank}; expected {-rank} to {rank - 1}")
    return axis % rank


def two_axes(axis1: int, axis2: int, rank: int) -> tuple[int, int]:
    """Two different axes as numbers from 0 to rank - 1.

    Raises:
        ValueError: if there are no two axes, one is out of range, or they are one.
    """
    if rank < 2:
        raise ValueError(f"a diagonal needs a tensor of at least two dimensions; received one of rank {rank}")
    first, second = normal_axis(axis1, rank), normal_axis(axis2, rank)
    if first == second:
        raise ValueError(f"`axis1` and `axis2` must be different. Received: axis1={axis1}, axis2={axis2}")
    return first, second


def reduce(shape, axis, keepdims: bool = False) -> tuple:
    """The shape after reducing over axis."""
    gone = axes(axis, len(shape))
    if keepdims:
        return tuple(1 if i in gone else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in gone)


def reshape_target(target) -> tuple:
    """A shape to be taken, as a tuple of ints, of which one may be -1, and None.

    Raises:
        ValueError: if it is no shape.
    """
    target = tuple(d if d is None or isinstance(d, int) else int(d) for d in target)
    if any(d is not None and d < -1 for d in target):
        raise ValueError(
            f"Each dimension must be a non-negative integer, or -1 where it is to be worked out. Received: "
            f"newshape={target}"
        )
    if target.count(-1) > 1:
        raise ValueError(f"There must be at most one unknown dimension (-1) in newshape. Received: newshape={target}")
    return target


def permutation(axes, rank: int) -> tuple[int, ...]:
    """An order of all axes as numbers from 0 to rank - 1; None reverses them.

    Raises:
        ValueError: if it is none.
    """
    if axes is None:
        return tuple(range(rank))[::-1]
    axes = tuple(axes)
    if len(axes) != rank:
        raise ValueError(
            f"`axes` must be a list of the same length as the input shape, expected {rank} axes, received axes="
            f"{list(axes)}"
        )
    if not all(-rank <= a < rank for a in axes):
        raise AxisError(f"Each axis in `axes` must be an integer in [-{rank}, {rank}). Received: axes={list(axes)}")
    order = tuple(int(a) % rank for a in axes)
    if len(set(order)) < rank:
        raise ValueError(f"`axes` must be a valid permutation of the axes. Received: axes={list(axes)}")
    return order


def reshape(shape, target) -> tuple:
    """The target shape with its -1 worked out where the sizes are known.

    Raises:
        ValueError: if the numbers of elements differ, or it is no shape.
    """
    target = reshape_target(target)
    if None in shape or None in target:
        return tuple(None if d == -1 else d for d in target)
    known, total = size(d for d in target if d != -1), size(shape)
    if -1 in target:
        if known == 0 or total % known:
            raise ValueError(f"cannot reshape {tuple(shape)} ({total} elements) into {target}")
        return tuple(total // known if d == -1 else d for d in target)
    if known != total:
        raise ValueError(f"cannot reshape {tuple(shape)} ({total} elements) into {target} ({known} elements)")
    return target


def concatenate(shapes, axis: int) -> tuple:
    """The shape of a concatenation.

    Raises:
        ValueError: if ranks or other dimensions differ.
    """
    first, rank = tuple(shapes[0]), len(shapes[0])
    axis = normal_axis(axis, rank)
    for other in shapes[1:]:
        alike = len(other) == rank and all(
            i == axis or m is None or n is None or m == n for i, (m, n) in enumerate(zip(first, other))
        )
        if not alike:
            raise ValueError(
                f"Every value in `xs` must have the same shape except on the `axis` dim. But found element of shape "
                f"{tuple(other)}, which is different from the first element's shape {first}."
            )
    along = [s[axis] for s in shapes]
    total = None if None in along else sum(along)
    merged = [next((s[i] for s in shapes if s[i] is not None), None) for i in range(rank)]
    return (*merged[:axis], total, *merged[axis + 1 :])


def matmul(a, b) -> tuple:
    """The shape of a matrix product, NumPy's rules.

    Raises:
        ValueError: if the inner dimensions differ.
    """
    a, b = tuple(a), tuple(b)
    if not a or not b:
        raise ValueError(f"matmul needs at least one axis on each side. Received: x1.shape={a}, x2.shape={b}")
    left, right = (a if len(a) > 1 else (1, *a)), (b if len(b) > 1 else (*b, 1))
    if left[-1] is not None and right[-2] is not None and left[-1] != right[-2]:
        raise ValueError(
            f"Inner dimensions (`x1.shape[-1]` and `x2.shape[-2]`) must be equal, but received `x1.shape={a}` and "
            f"`x2.shape={b}`."
        )
    out = broadcast(left[:-2], right[:-2])
    return out + (left[-2:-1] if len(a) > 1 else ()) + (right[-1:] if len(b) > 1 else ())
