"""Random cases against real Keras: drawn from a seed, shrunk to the smallest that still differs, printed to be rerun.

A subject (a layer, an op, a loss, ...) draws plain data, and runs it with either library; what comes out, exceptions
included, has to be equal. What differs for a reason stands in `known.py`.
"""
