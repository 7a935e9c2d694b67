"""Learning rates for callbacks: of an optimizer, or of each in a `MultiOptimizer`."""

from typing import Any


def optimizers_with_rates(optimizer: Any) -> list[tuple[str, Any]]:
    """Pairs of name and optimizer; the name is empty where there is only one."""
    several = getattr(optimizer, "optimizers", None)
    return [("", optimizer)] if several is None else [(one.name, one) for one in several]


def learning_rates(optimizer: Any) -> dict[str, float]:
    """The present rates by the names that they have in the logs."""
    found = optimizers_with_rates(optimizer)
    return {f"learning_rate_{name}" if name else "learning_rate": float(one.learning_rate) for name, one in found}
