"""Logs: the values of a step or an epoch, as Python numbers by name."""


def pythonify(logs) -> dict:
    """Values as Python floats where they are single numbers, sorted by name; dicts within are unpacked."""
    result = {}
    for key, value in sorted(logs.items()):
        if isinstance(value, dict):
            result.update(pythonify(value))
            continue
        try:
            value = float(value)
        except (TypeError, ValueError):
            pass
        result[key] = value
    return result


def in_order(logs: dict, names: list[str]) -> list | float:
    """The values in the order of `names`, then the others by name; the value itself if it is the only one."""
    first = [name for name in names if name in logs]
    values = [logs[name] for name in [*first, *sorted(set(logs) - set(first))]]
    return values[0] if len(values) == 1 else values
