"""The proof on an NVIDIA card: every kernel, whole training steps, agreement with the CPU; see docs/gpu.md.

`rows.py` and `convolutions.py` list what is checked and timed, `peers.py` how PyTorch does the same, `kernels.py`
checks and times a row, `steps.py` trains networks, `agreement.py` compares card and CPU. `jobs.py` puts them in order,
`run.py` has them done in processes of their own (`worker.py`), `verdicts.py` and `report.py` tell what came of it.
"""
