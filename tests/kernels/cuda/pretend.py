"""A plugin of pytest: every test runs with a pretended card as the default device, its kernels those of the reference.

    python -m pytest -p tests.kernels.cuda.pretend tests/layers parity

What fails then mixes arrays of the host with arrays of the card, or asks CuPy for what it lacks; or it is a test that
looks into `.value` as if it were NumPy's.
"""

import contextlib
from unittest import mock

import pytest

from kerasish import device, kernels
from kerasish.device import cuda, cuda_jit
from parity import libraries
from tests.kernels.cuda import fake_cupy

ELSEWHERE = {  # part of a test's name: why it is about the host
    "tests/models/test_replays.py": "recorded passes are the CPU's",
    "tests/models/test_step_replays.py": "recorded steps are the CPU's",
    "label out of range": "a card gives NaN: to look at the labels would be to wait for it",
    "label_out_of_range": "a card gives NaN: to look at the labels would be to wait for it",
    "bfloat16": "CuPy has no `where` and no `clip` in bfloat16",
    "tests/core/test_tensor.py::test_protocols": "it hands a tensor to NumPy by DLPack",
    "tests/training/test_data.py::test_slices_are_views": "it looks at addresses",
    "test_row[separable_conv]": "a NaN in the kernel times padding's 0 is NaN in the reference, too",
    "scatter_update, mul": "a card multiplies at no repeated index",
    "test_as_in_keras[scatter_update": "a card multiplies at no repeated index",
    "tests/kernels/": "kernels have tests of their own, on either device",
    "tests/device/": "it is about choosing a device",
    "tests/training/test_placement.py": "it is about choosing a device",
}


class Reference(kernels.Twin):
    """The reference's kernels, on the card."""

    def __getattr__(self, name):
        function = None if name.startswith("_") else kernels.find("reference", name)
        if function is None:
            raise AttributeError(f"no kernel named {name!r}")
        return function


@contextlib.contextmanager
def card():
    """A card that answers and is the default device, as long as the context lasts."""
    kept = device.default()
    cuda._properties.cache_clear()
    with (
        fake_cupy.installed() as cupy,
        mock.patch.object(cuda_jit, "require", lambda: None),
        mock.patch.object(kernels, "_cuda", Reference("cuda")),
    ):
        device.set_default("gpu:0")
        try:
            yield cupy
        finally:
            device.set_default(kept)
            cuda._properties.cache_clear()


_whole_run = contextlib.ExitStack()


def pytest_configure(config):
    _whole_run.enter_context(card())
    libraries.use("gpu:0")  # the parity suite's cases say where kerasish runs


def pytest_collection_modifyitems(items):
    for item in items:
        for part, reason in ELSEWHERE.items():
            if part in item.nodeid:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_unconfigure(config):
    _whole_run.close()


@pytest.fixture(autouse=True)
def on_the_card():
    """Each test begins on the card."""
    device.set_default("gpu:0")
