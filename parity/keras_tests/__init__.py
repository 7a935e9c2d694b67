"""Keras's own unit tests, run against kerasish.

The test files are read from the installed Keras wheel, compiled with their imports rewritten, and never imported as
`keras`; nothing of Keras is copied here. `baseline.json` says which tests count: those that Keras itself passes through
this harness on one of its back-ends by public names alone. `known_failures.txt` holds those that fail, with reasons.
"""
