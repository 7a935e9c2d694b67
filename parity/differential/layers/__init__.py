"""Layers."""

from parity.differential.layers import handing_on, merging, plain, windows  # noqa: F401  (they fill the table)
