"""A batch as a tuple: x, (x, y) or (x, y, sample_weight)."""


def unpack_x_y_sample_weight(data) -> tuple:
    """Unpacks what a data source yields.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; a list counts as a tuple.

    Returns:
        `(x, y, sample_weight)`, with `None` for what is absent.

    Raises:
        ValueError: If a tuple has more than three entries, or none.
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, found: {data}"
        )
    return data + (None,) * (3 - len(data))


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """Packs inputs, targets and weights as `fit` takes them; the inverse of `unpack_x_y_sample_weight`.

    Args:
        x: Inputs.
        y: Targets, or `None`.
        sample_weight: Weights, or `None`; they count only together with `y`.

    Returns:
        `x` alone (in a tuple if it is a list or a tuple), `(x, y)` or `(x, y, sample_weight)`.
    """
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
