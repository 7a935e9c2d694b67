"""The commands of `python -m kerasish`, one module each: `add_arguments(parser)` and `run(arguments) -> exit code`."""
