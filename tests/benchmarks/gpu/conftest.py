"""The pretended card, for the benchmark of the real one."""

from tests.kernels.cuda.conftest import card  # noqa: F401
