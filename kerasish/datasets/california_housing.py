"""California housing: 20,640 districts, 8 numbers each, and the median price of a house."""

from kerasish import names as _names
from kerasish.datasets.boston_housing import check_test_split
from kerasish.datasets.shuffling import shuffled, split
from kerasish.datasets.storage import ORIGIN, load_arrays
from kerasish.utils.file_utils import get_file

_SMALL = 600


def load_data(version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113):
    """Loads the California housing data.

    Args:
        version: `"large"` for all rows, `"small"` for the first 600.
        path: Name of the file in the cache, `~/.keras/datasets`.
        test_split: Fraction of the rows for testing.
        seed: Seed of the shuffling before the split.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: rows of 8 numbers, and prices in dollars.

    Raises:
        ValueError: If `version` is unknown, or `test_split` is not from 0 up to 1.
    """
    check_test_split(test_split)
    if version not in ("small", "large"):
        raise ValueError(f"Argument `version` must be one of 'small', 'large'. Received: version={version}")
    file = get_file(
        path,
        origin=f"{ORIGIN}california_housing.npz",
        file_hash="1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
    )
    x, y = load_arrays(file, "x", "y")
    rows = slice(_SMALL if version == "small" else None)
    return split(*shuffled(seed, x[rows], y[rows]), test_split)


_names.explain(__name__)
