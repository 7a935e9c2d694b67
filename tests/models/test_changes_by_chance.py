"""Random models, random changes between random calls: always what the layers compute one by one.

`python -m pytest tests/models/test_changes_by_chance.py --runslow` tries more; a failure names its seed.
"""
