"""Recorded passes, whole and in parts."""

import numpy as np
import pytest

from kerasish.core.shapes import Window
from kerasish.device import memory, raw, threads
from kerasish.device.engines import engine
from kerasish.kernels import Refused, twin_of
from kerasish.kernels.cpu import replay_choice
from kerasish.kernels.cpu.replay import record
from kerasish.kernels.cpu.replay_parts import Parts

from .cases import SAME3
from .harness import array

pytestmark = pytest.mark.skipif(engine() != "pool", reason="only the pool's launches can be noted")
cpu = twin_of(np.zeros(1))
W = [array(3, 3, 3, 32).astype("f4"), array(3, 3, 32, 32).astype("f4"), array(3, 3, 32, 1).astype("f4")]
SAME, HALF = Window(pads=SAME3), Window((2, 2))


def convolutions(inputs):
    """Direct, Winograd, pooling, depthwise; results of two sizes."""
    x = cpu.conv2d(inputs[0], W[0], SAME, activation="relu")
    x = cpu.conv2d(x, W[1], SAME)
    y = cpu.max_pool2d(x, (2, 2), HALF)[0]
    return [cpu.depthwise_conv2d(y, W[2], SAME), y]


def images(count, seed=0):
    return array(count, 32, 32, 3, seed=seed).astype("f4")


def check(got, want):
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)


def test_replays_of_other_inputs():
    recording = record(convolutions, [images(4)], W)
    for seed in (1, 2, 1):
        x = images(4, seed)
        check(recording.run([x]), convolutions([x]))


@pytest.mark.parametrize("total, rows, workers", [(8, 2, 2), (7, 2, 3), (5, 5, 2), (9, 4, 1)])
def test_parts(total, rows, workers):
    with threads.alone():
        recording = record(convolutions, [images(rows)], W)
    parts, x = Parts(recording, total, workers), images(total, 3)
    want = convolutions([x])
    check(parts.run([x]), want)
    for worker in range(workers):
        check(parts.run([x], worker), want)
    check(parts.run([np.asfortranarray(x)]), want)


def test_a_recording_keeps_its_memory_to_itself():
    recording = record(convolutions, [images(4)], W)
    x, others = images(4, 5), [memory.empty((4, 32, 32, 32)) for _ in range(20)]
    want = recording.run([x])
    for other in others:
        other.fill(np.nan)
    check(recording.run([x]), want)
    del others
    convolutions([images(4, 6)])
    check(recording.run([x]), want)


def test_what_is_made_of_constants_is_made_once():
    names = lambda r: [entry.native.name.split("-")[0].rsplit(".")[-1] for entry in r.recorder.entries]
    free, bound = record(convolutions, [images(4)], []), record(convolutions, [images(4)], W)
    assert "_pack_panels" in names(free) and "_pack_panels" not in names(bound)
    assert len(names(bound)) < len(names(free))


def test_a_function_that_fails_leaves_nothing_behind():
    with pytest.raises(ZeroDivisionError):
        record(lambda inputs: 1 / 0, [images(1)], [])
    assert raw.recorder is None
    assert record(convolutions, [images(1)], W) is not None


def test_a_pass_with_numpy_in_it_is_refused():
    x = images(2)
    for function in (lambda v: [np.tanh(convolutions(v)[0])], lambda v: [convolutions([v[0] * 2])[0]]):
        with pytest.raises(Refused, match="other results"):
            replay_choice.fastest(function, [x], function([x]), W)


def test_fastest():
    x = images(8, 7)
    replay, chosen = replay_choice.fastest(convolutions, [x], convolutions([x]), W)
    assert chosen == replay_choice.WHOLE or 2 * chosen <= 8
    check(replay.run([x]), convolutions([x]))


@pytest.mark.parametrize("rows", [replay_choice.WHOLE, 1, 4])
def test_again(rows):
    x = images(8, 8)
    check(replay_choice.again(convolutions, [x], W, rows).run([x]), convolutions([x]))
