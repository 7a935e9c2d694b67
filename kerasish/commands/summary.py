"""Prints the summary of a saved model."""

import os
import sys


def add_arguments(parser) -> None:
    """The model's file."""
    parser.add_argument("file", help="a .keras or .h5 file, or a .json file with a model's architecture")
    parser.add_argument("--expand-nested", action="store_true", help="show the layers of models within the model")


def run(arguments) -> int:
    """Loads the model and prints its summary."""
    if not os.path.exists(arguments.file):
        sys.stderr.write(f"python -m kerasish summary: no file named '{arguments.file}'\n")
        return 2
    try:
        model = _load(arguments.file)
    except TypeError as error:
        hint = "If it is a class of yours, load the model in a script that imports the class, and call its summary()."
        sys.stderr.write(f"python -m kerasish summary: {arguments.file} cannot be loaded: {error}\n{hint}\n")
        return 1
    except (ValueError, OSError, NotImplementedError) as error:
        sys.stderr.write(f"python -m kerasish summary: {arguments.file} cannot be loaded: {error}\n")
        return 1
    model.summary(expand_nested=arguments.expand_nested)
    return 0


def _load(path):
    from kerasish import models

    if path.endswith(".json"):
        with open(path, encoding="utf-8") as file:
            return models.model_from_json(file.read())
    return models.load_model(path, compile=False)
