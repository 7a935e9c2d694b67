"""How fast is kerasish, beside its peers? `python -m benchmarks` measures all of them in one interleaved run."""
