"""pytest plugin: collect test files of the wheel through the shim, guard each
test with a time limit, write one JSON line per event."""

import json
import os
import re
import signal
import time

import pytest

try:  # lets NumPy know "bfloat16" and friends, as any Keras back-end does
    import ml_dtypes  # noqa: F401
except ImportError:
    pass

from parity.keras_tests import groups, index, shim
from parity.keras_tests.stubs import HarnessSignal, State

CFG = json.load(open(os.environ["KERASISH_KERAS_TESTS"]))
_log = None


class TestTimeout(BaseException):
    pass


def emit(**kw):
    _log.write(json.dumps(kw) + "\n")
    _log.flush()


def pytest_configure(config):
    global _log
    _log = open(CFG["log"], "a", encoding="utf-8")
    for mark in ("requires_trainable_backend", "multi_device"):
        config.addinivalue_line("markers", f"{mark}: Keras marker")
    shim.install(index.Index(CFG["wheel"]), CFG["target"], CFG["backend_name"])


def pytest_collect_directory(path, parent):
    # never a Package: its set-up would import Keras itself
    return pytest.Dir.from_parent(parent, path=path)


def pytest_pycollect_makemodule(module_path, parent):
    return WheelModule.from_parent(parent, path=module_path)


class WheelModule(pytest.Module):
    def _getobj(self):
        rel = os.path.relpath(str(self.path), CFG["wheel"])
        name = "keras." + rel[:-3].replace(os.sep, ".")
        try:
            return shim.SHIM().load_test_module(name)
        except pytest.skip.Exception:
            raise
        except BaseException as e:
            emit(
                ev="import",
                file=self.nodeid,
                reason=describe(e),
                kind=kind_of(e),
            )
            raise pytest.skip.Exception(f"import: {describe(e)}", allow_module_level=True)


def pytest_collection_modifyitems(session, config, items):
    done = set(CFG.get("done", ()))
    only = CFG.get("only")
    kept = []
    for it in items:
        if it.nodeid in done:
            continue
        if only and not re.search(only, it.nodeid):
            continue
        rule = groups.excluded(it.nodeid)
        if rule:
            emit(ev="result", id=it.nodeid, outcome="n/a", reason=rule, t=0.0)
            continue
        if CFG["backend_name"] in ("numpy", "openvino") and (it.get_closest_marker("requires_trainable_backend")):
            it.add_marker(pytest.mark.skip(reason="inference-only backend"))
        kept.append(it)
    items[:] = kept
    emit(ev="collected", n=len(kept))


def describe(e):
    lines = [x.strip() for x in str(e).strip().splitlines() if x.strip()]
    text = lines[0] if lines else ""
    if isinstance(e, AssertionError) and len(lines) > 1:
        for x in lines[1:]:
            if x.startswith(("Mismatched", "Max abs", "(shapes", "ACTUAL")):
                text += "; " + x
                break
    if isinstance(e, HarnessSignal):
        return text[:300]
    return f"{type(e).__name__}: {text}"[:300]


def kind_of(e):
    seen = 0
    while e is not None and seen < 10:
        if isinstance(e, HarnessSignal):
            return e.kind
        if isinstance(e, ModuleNotFoundError) and ((e.name or "").split(".")[0] in ("ks_internal", "keras")):
            return "internal"
        e = e.__cause__ or e.__context__
        seen += 1
    return "error"


_cur = {}


def _alarm(signum, frame):
    raise TestTimeout(f"over {CFG['test_timeout']} s")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item, nextitem):
    State.events = []
    State.oracles = set()
    _cur.clear()
    _cur.update(id=item.nodeid, t0=time.time(), phases=[])
    emit(ev="start", id=item.nodeid)
    signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, CFG["test_timeout"])
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        finish()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    out = yield
    rep = out.get_result()
    _cur.setdefault("phases", []).append(
        (
            rep.when,
            rep.outcome,
            call.excinfo.value if call.excinfo else None,
            rep.longrepr if rep.skipped else None,
        )
    )


def finish():
    phases = _cur.get("phases", [])
    events = State.events
    outcome, reason = "passed", ""
    for when, oc, exc, longrepr in phases:
        if oc == "skipped":
            outcome = "skipped"
            if isinstance(longrepr, tuple):
                reason = str(longrepr[-1])[:200]
            break
        if oc == "failed":
            outcome = "failed"
            reason = describe(exc)
            if kind_of(exc) == "internal":
                outcome = "internal"
            break
    kinds = {k for k, _ in events}
    if outcome != "skipped":
        if "n/a" in kinds:
            outcome = "n/a"
            reason = next(t for k, t in events if k == "n/a")
        elif "internal" in kinds or outcome == "internal":
            outcome = "internal"
            reason = next((t for k, t in events if k == "internal"), reason)
        elif "missing" in kinds:
            # also when the test "passed" because it swallowed the complaint
            outcome = "failed"
            reason = next(t for k, t in events if k == "missing")
    emit(
        ev="result",
        id=_cur["id"],
        outcome=outcome,
        reason=reason,
        oracles=sorted(State.oracles),
        t=round(time.time() - _cur["t0"], 3),
    )
    State.events = []


def pytest_sessionfinish(session, exitstatus):
    emit(ev="end", status=int(exitstatus))
