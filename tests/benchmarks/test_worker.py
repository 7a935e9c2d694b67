"""One tiny run of the whole command, with kerasish alone."""

import pytest

from benchmarks import versions
from benchmarks.__main__ import main
from benchmarks.libraries import ROOT
from benchmarks.run import Results


def test_a_tiny_run(tmp_path, capsys):
    path = tmp_path / "results.json"
    words = "--workloads mnist --libraries kerasish --rounds 1 --effort smoke --batch 2"
    assert main([*words.split(), "--out", str(path)]) == 0
    (found,) = Results.read(path).records
    assert {"import_s", "first_batch_s", "fit_ms", "predict_ms", "image_ms", "call_ms", "memory_mb"} <= set(found)
    assert len(found["outputs"]) == 16
    assert found["memory_mb"] > 20
    assert "| mnist, 2 images |" in capsys.readouterr().out


def test_a_run_goes_on_where_it_stopped(tmp_path, capsys):
    path = tmp_path / "results.json"
    words = ["--workloads", "script", "--libraries", "kerasish", "--rounds", "1"]
    done = {"round": 0, "workload": "script", "library": "kerasish", "script_s": 1.5}
    Results(path).add(done)
    assert main([*words, "--resume", str(path)]) == 0
    assert Results.read(path).records == [done]


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="compares with a commit")
def test_a_version_beside_itself(capsys):
    assert versions.main(["HEAD", "mnist", "--rounds", "2"]) == 0
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[1].strip() for row in rows] == list(versions.ROWS.values())
    assert all(float(row[number]) > 0 for row in rows for number in (2, 3, 4))
