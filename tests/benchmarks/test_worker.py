"""One tiny run of the whole command, with kerasish alone."""

from benchmarks.__main__ import main
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
