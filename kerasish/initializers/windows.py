"""Windows of signal processing by the names that SciPy gives them, of those that need no parameter."""

from __future__ import annotations

import math

import numpy as np

# Harris 1978; Nuttall 1981; flat top: D'Antona and Ferrero 2006.
_COSINE_SUMS = {
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


def _cosine_sum(coefficients):
    def window(length, aside):
        angle = math.pi * (1 - aside)
        return sum((-1) ** i * a * np.cos(i * angle) for i, a in enumerate(coefficients))

    return window


def _tukey(length, aside):
    """Flat in the middle half, the slopes of a Hann window at both ends."""
    return np.where(aside <= 0.5, 1.0, 0.5 - 0.5 * np.cos(2 * math.pi * (1 - aside)))


def _parzen(length, aside):
    far = aside * (length - 1) / length
    return np.where(aside <= 0.5, 1 - 6 * far**2 + 6 * far**3, 2 * (1 - far) ** 3)


def _bohman(length, aside):
    inner = (1 - aside) * np.cos(math.pi * aside) + np.sin(math.pi * aside) / math.pi
    return np.where(aside == 1, 0.0, inner)


def _taylor(length, aside, level=30, lobes=4):
    """The side lobes next to the main one, all but `lobes`, at `level` decibels below it."""
    a = math.acosh(10 ** (level / 20)) / math.pi
    m = np.arange(1, lobes)
    stretch = lobes**2 / (a**2 + (lobes - 0.5) ** 2)
    weights = []
    for i in m:
        zeros = np.prod(1 - i**2 / stretch / (a**2 + (m - 0.5) ** 2))
        weights.append((-1) ** (i + 1) * zeros / (2 * np.prod(1 - i**2 / m[m != i] ** 2)))
    place = aside * (length - 1) / (2 * length)
    scale = 1 + 2 * sum(weights)
    return (1 + 2 * sum(w * np.cos(2 * math.pi * i * place) for i, w in zip(m, weights))) / scale


# Each of the length and of how far aside of the middle a sample is, 1 at the ends.
_WINDOWS = {
    "boxcar": lambda length, aside: np.ones(length),
    "bartlett": lambda length, aside: 1 - aside,
    "triangle": lambda length, aside: 1 - aside * (length - 1) / (length + length % 2),
    "barthann": lambda length, aside: 0.62 - 0.24 * aside + 0.38 * np.cos(math.pi * aside),
    "cosine": lambda length, aside: np.cos(math.pi * aside * (length - 1) / (2 * length)),
    "exponential": lambda length, aside: np.exp(-aside * (length - 1) / 2),
    "lanczos": lambda length, aside: np.sinc(aside),
    "bohman": _bohman,
    "parzen": _parzen,
    "taylor": _taylor,
    "tukey": _tukey,
    **{name: _cosine_sum(coefficients) for name, coefficients in _COSINE_SUMS.items()},
}
_OTHER_NAMES = {
    "barthann": "brthan bth",
    "bartlett": "bart brt",
    "blackman": "black blk",
    "blackmanharris": "blackharr bkh",
    "bohman": "bman bmn",
    "boxcar": "box ones rect rectangular",
    "cosine": "halfcosine",
    "exponential": "poisson",
    "flattop": "flat flt",
    "hamming": "hamm ham",
    "hann": "han",
    "lanczos": "sinc",
    "nuttall": "nutl nut",
    "parzen": "parz par",
    "taylor": "taylorwin",
    "triangle": "triang tri",
    "tukey": "tuk",
}
_NAMES = {other: name for name, others in _OTHER_NAMES.items() for other in (name, *others.split())}


def _plain(name: str) -> tuple[str, bool | None]:
    """A window's name without the ending that says whether it is periodic."""
    for ending, periodic in (("_symmetric", False), ("_periodic", True)):
        if name.endswith(ending):
            return name.removesuffix(ending), periodic
    return name, None


def check_window(name: str) -> None:
    """Raises ValueError for a name that is no window's."""
    if _plain(name)[0] not in _NAMES:
        raise ValueError(
            f"Invalid window name '{name}'; expected one of {sorted(_WINDOWS)}, which need no parameter, or pass the "
            "window as an array."
        )


def window(name: str, length: int, periodic: bool) -> np.ndarray:
    """The samples (length,) of a window; a periodic one lacks its last sample, which is the next one's first."""
    name, says = _plain(name)
    if length <= 1:
        return np.ones(length)
    whole = length + (periodic if says is None else says)
    aside = np.abs(2 * np.arange(whole) - (whole - 1)) / (whole - 1)
    return _WINDOWS[_NAMES[name]](whole, aside)[:length]
