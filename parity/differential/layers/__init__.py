"""Layers."""

from parity.differential.layers import merging, plain, windows  # noqa: F401  (they fill the table)
