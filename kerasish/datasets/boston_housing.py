"""Boston housing: 506 districts, 13 numbers each, and the median price of a house.

The data has an ethical problem: one of its columns is built on the assumption that segregation raises prices. Prefer
`california_housing`.
"""

from kerasish import names as _names
from kerasish.datasets.shuffling import shuffled, split
from kerasish.datasets.storage import ORIGIN, load_arrays
from kerasish.utils.file_utils import get_file


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113):
    """Loads the Boston housing data.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`.
        test_split: Fraction of the rows for testing.
        seed: Seed of the shuffling before the split.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: rows of 13 numbers, and prices in thousands of dollars.

    Raises:
        ValueError: If `test_split` is not from 0 up to 1.
    """
    check_test_split(test_split)
    file = get_file(
        path,
        origin=f"{ORIGIN}boston_housing.npz",
        file_hash="f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    )
    return split(*shuffled(seed, *load_arrays(file, "x", "y")), test_split)


def check_test_split(test_split: float) -> None:
    """Raises ValueError unless something is left to train on."""
    if not 0 <= test_split < 1:
        raise ValueError(f"Invalid `test_split` argument: {test_split}. It must be between 0 and 1 (exclusive of 1).")


_names.explain(__name__)
