"""Jobs in processes of their own: what fails, dies, hangs or loses the card does not stop the rest."""

import json
import subprocess
import sys

import pytest

from benchmarks.gpu import run, worker
from benchmarks.gpu.jobs import GROUPS, Group
from tests.benchmarks.gpu import stub_jobs


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(run.Worker, "command", [sys.executable, "-m", "tests.benchmarks.gpu.stub_jobs"])
    return run.Results(tmp_path / "gpu.json", {"card": {"name": "Pretended"}})


def by_name(results):
    return {record["name"]: record for record in results.records}


def test_one_failure_never_stops_the_rest(results, capsys):
    run.run(results, 1, groups={"good": stub_jobs.GROUPS["good"]})
    found = by_name(results)
    assert list(found) == ["one", "fails", "dies", "a", "b", "hangs", "three"]
    assert "ValueError: no such thing" in found["fails"]["failed"] and "stub_jobs.py:" in found["fails"]["failed"]
    assert found["dies"]["failed"] == "the process ended with 7: last words"
    assert found["hangs"]["failed"] == "no answer in 2 s; the process was stopped"
    assert found["three"]["right"]
    written = json.loads(results.path.read_text())
    assert written["records"] == results.records and written["card"]["name"] == "Pretended"
    assert "[good] one: error 1e-07, right True" in capsys.readouterr().out


@pytest.mark.parametrize("group", ["lost", "mute"])
def test_a_lost_card_means_a_fresh_process(results, group, monkeypatch):
    monkeypatch.setattr(run, "START", 3)
    run.run(results, 1, groups={group: stub_jobs.GROUPS[group]})
    found = by_name(results)
    assert list(found) == ["before", "fails", "after"]
    assert found["before"]["process"] != found["after"]["process"]


def test_jobs_alone_have_a_process_each(results):
    run.run(results, 1, groups={"alone": stub_jobs.GROUPS["alone"]})
    assert len({record["process"] for record in results.records}) == 2


def test_what_no_time_is_left_for_is_named(results):
    run.run(results, 0, groups=stub_jobs.GROUPS)
    assert {"three", "after", "y"} <= set(by_name(results))
    assert all("no time was left" in record["skipped"] for record in results.records)


def test_only_some(results):
    run.run(results, 1, only="alone x", groups=stub_jobs.GROUPS)
    assert list(by_name(results)) == ["x"]


def test_a_process_that_does_not_begin(results):
    broken = Group(lambda: {"x": None, "y": None}, share=1)
    unlisted = Group(lambda: 1 / 0, share=1)
    run.run(results, 1, groups={"broken": broken, "unlisted": unlisted})
    found = by_name(results)
    assert found["x"]["failed"] == "the process ended with 1: cannot begin"
    assert found["y"]["skipped"] == "its process did not begin"
    assert found["its jobs"]["failed"].startswith("ZeroDivisionError")


def test_every_group_can_list_its_jobs():
    names = {name: list(group.jobs()) for name, group in GROUPS.items()}
    assert all(names.values())
    assert not set(names["kernels"]) & set(names["more kernels"])
    assert names["steps"][0] == "ResNet-50 224x224, 64 images: kerasish"


def test_records_become_json():
    import numpy as np

    made = worker.plain({"a": np.float32(0.5), "b": [np.int64(3)], "c": float("inf"), "d": "x", "e": None})
    assert json.loads(json.dumps(made)) == {"a": 0.5, "b": [3], "c": "inf", "d": "x", "e": None}


def test_without_a_card_it_says_so():
    done = subprocess.run([sys.executable, "-m", "benchmarks.gpu"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "No card to measure" in done.stderr
