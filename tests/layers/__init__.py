"""Tests of kerasish.layers."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.harness")
