"""`python -m parity.engine_row FILE`: what a training row comes to under the engine that the environment names."""

import sys
import warnings

import numpy as np

from parity.case import Case, load_all
from parity.cases.training import each_family
from parity.libraries import ours

THREADS = 2  # of every kernel, however small its work


def row() -> Case:
    """The row, a case of the suite."""
    return next(case for case in load_all() if case.build is each_family)


def trained(keras) -> dict[str, np.ndarray]:
    """The loss of each step, what the model predicts then, and its variables."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(812)
    model, arguments = each_family(keras)
    losses = model.fit(**arguments, epochs=3, verbose=0).history["loss"]
    predicted = model.predict(arguments["x"], verbose=0)
    variables = {f"variable {i}": np.array(v) for i, v in enumerate([*model.variables, *model.optimizer.variables])}
    return {"losses": np.array(losses), "predicted": predicted, **variables}


def loops() -> list[str]:
    """The kernels whose loop plain Numba shares among threads, by module and name; grows as they run."""
    from kerasish.device import plain

    found, compiled = [], plain.compiled

    def watched(kernel, parallel):
        dispatcher = compiled(kernel, parallel)
        if dispatcher.targetoptions["parallel"]:
            found.append(f"{kernel.module}.{kernel.name}")
        return dispatcher

    plain.compiled = watched
    return found


def main(file: str) -> None:
    from kerasish.device import threads
    from kerasish.device.engines import engine

    threads.wanted = lambda work: THREADS
    kernels = loops() if engine() == "numba" else []
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        values = trained(ours())
    np.savez(file, engine=engine(), kernels=np.array(sorted(set(kernels)), "U99"), **values)


if __name__ == "__main__":
    main(sys.argv[1])
