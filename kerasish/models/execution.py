"""Which way a model's passes go: what became one kernel, what is replayed, and why something is not."""

from __future__ import annotations

from typing import NamedTuple

from kerasish.models.replays import Refusal, Replay, described

OWN_CALLS = "by the layers' own calls"


class Way(NamedTuple):
    """How inference or training is run.

    Attributes:
        passes: one line for each shape of batches that came, or one for all.
        joined: names of layers that became one kernel, in order.
    """

    passes: list[str]
    joined: list[tuple[str, ...]]


class Execution(NamedTuple):
    """What `model.execution_report()` gives; printed, it is a text.

    Attributes:
        model: its name and class.
        inference, training: how each is run.
    """

    model: str
    inference: Way
    training: Way

    def __str__(self):
        lines = [self.model]
        for title, way in (("inference", self.inference), ("training", self.training)):
            lines += [title, *(f"  {line}" for line in way.passes)]
            lines += [f"  one kernel: {' + '.join(names)}" for names in way.joined]
        return "\n".join(lines)


def report(model) -> Execution:
    """How a model has been run so far, and will be as long as nothing changes."""
    graph = model._graph
    title = f"Model '{model.name}' ({type(model).__name__})"
    if graph is None:
        inference = Way([f"{OWN_CALLS}: the model is no graph"], [])
        return Execution(title, inference, Way([_steps(model, None)], []))
    plans = {training: graph._lean.get(training) for training in (False, True)}
    joined = {training: plan.joined() if plan else [] for training, plan in plans.items()}
    inference = Way(_batches(graph, plans[False]), joined[False])
    return Execution(title, inference, Way([_steps(model, plans[True])], joined[True]))


def _obstacle(plan) -> str | None:
    """Why passes are not recorded, so far as the plan says."""
    if plan is None:
        return "none came yet, or the layers' own calls are needed"
    if not plan.stamp.holds():
        return "a layer or a setting has changed; the next pass makes a new plan"
    return plan.obstacle


def _batches(graph, plan) -> list[str]:
    """How batches of each shape that came are computed."""
    if (obstacle := _obstacle(plan)) is not None:
        return [f"not recorded: {obstacle}"]
    lines = []
    for key, found in list(graph._replays.known.items()):
        match found:
            case Replay() if found.holds(plan):
                how = f"replayed {found.way}"
            case Replay():
                how = "weights have changed since they were recorded; soon recorded anew"
            case Refusal() if found.plan is plan:
                how = f"not recorded: {graph._replays.refused.get(key)}"
            case _:
                how = "soon recorded"
                if reason := graph._replays.refused.get(key):
                    how += f" (last time not: {reason})"
        lines.append(f"batches {described(key)}: {how}")
    return lines or ["none came yet"]


def _steps(model, plan) -> str:
    """How training steps are computed."""
    replays = getattr(model, "_step_replays", None)
    if replays is None or not (replays.count or replays.recorded or replays.refused):
        return "none came yet"
    recorded = replays.recorded
    if recorded is not None and recorded.proven and (plan is None or recorded.plan is plan):
        return f"steps: replayed, {recorded.uses} so far"
    if replays.refused is not None and recorded is None:
        return f"steps: not recorded: {replays.refused}"
    return "steps: soon recorded" if recorded is None else "steps: recorded, to be proven by the next one"
