"""The geometry of layers that slide a window over N axes of space."""

from __future__ import annotations

from collections.abc import Sequence

from kerasish.core import shapes
from kerasish.layers.arguments import invalid

Shape = tuple[int | None, ...]

_AXES = {1: ("steps",), 2: ("rows", "columns"), 3: ("frames", "rows", "columns")}


def split_shape(shape: Sequence[int | None], data_format: str) -> tuple[Shape, int | None]:
    """A batch's shape as (space, channels)."""
    return (tuple(shape[1:-1]), shape[-1]) if data_format == "channels_last" else (tuple(shape[2:]), shape[1])


def join_shape(batch: int | None, space: Sequence[int | None], channels: int | None, data_format: str) -> Shape:
    """The inverse of `split_shape`."""
    return (batch, *space, channels) if data_format == "channels_last" else (batch, channels, *space)


def check_window_fits(layer, input_shape: Sequence[int | None], size: Sequence[int], name: str) -> None:
    """Refuse an image smaller than the window, which with padding="valid" has no place in it."""
    if layer.padding != "valid":
        return
    dilation = getattr(layer, "dilation_rate", (1,) * len(size))
    needed = [shapes.effective(k, d) for k, d in zip(size, dilation)]
    space, _ = split_shape(input_shape, layer.data_format)
    if all(length is None or length >= least for length, least in zip(space, needed)):
        return
    wanted = " and ".join(f"{least} {axis}" for least, axis in zip(needed, _AXES[len(size)]))
    stretched = f", dilation_rate={tuple(dilation)}" if set(dilation) != {1} else ""
    raise invalid(
        layer,
        f"input of shape {tuple(input_shape)}, expected at least {wanted} for {name}={tuple(size)}{stretched} with "
        "padding='valid'; use padding='same', or drop a pooling layer. Computed output size would be zero or negative.",
    )
