"""The table and the run, without measuring."""

import json

import pytest

from benchmarks.__main__ import main
from benchmarks.libraries import LIBRARIES, environment_of
from benchmarks.report import disagreements, table, write_table
from benchmarks.run import Job, Plan, Results

MACHINE = {
    "processor": "Testarossa",
    "vectors": "AVX2",
    "cores": 2,
    "memory_gb": 8,
    "system": "Linux",
    "python": "3.13.0",
    "versions": {"numpy": "2.0"},
}


def record(round, workload, library, **found):
    return {"round": round, "workload": workload, "library": library, "batch": 128, **found}


@pytest.fixture
def results(tmp_path):
    records = [
        record(0, "mnist", "kerasish", fit_ms=10.0, memory_mb=200.0, import_s=0.5, outputs=[0.5, 0.25]),
        record(1, "mnist", "kerasish", fit_ms=14.0, memory_mb=200.0, import_s=0.5, outputs=[0.5, 0.25]),
        record(2, "mnist", "kerasish", fit_ms=99.0, memory_mb=200.0, import_s=0.5, outputs=[0.5, 0.25]),
        record(0, "vgg", "kerasish", fit_ms=100.0, memory_mb=800.0),
        record(0, "mnist", "keras-jax", fit_ms=140.0, memory_mb=400.0, import_s=2.0, outputs=[0.5, 0.2501]),
        record(0, "mnist", "torch", fit_ms=28.0, memory_mb=300.0, import_s=1.0, outputs=[0.5, 0.3]),
        record(0, "vgg", "torch", fit_ms=50.0, memory_mb=1200.0),
        record(0, "script", "kerasish", script_s=2.0),
        record(0, "script", "torch", script_s=5.0),
        record(0, "script-cold", "kerasish", script_s=10.0),
        record(0, "vgg", "keras-jax", error="status 1: no memory"),
    ]
    return Results(tmp_path / "results.json", MACHINE, "2026-01-01", 0.1, records)


def cells(text, title):
    line = next(line for line in text.splitlines() if line.startswith(f"| {title}"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


@pytest.mark.parametrize(
    ("title", "want"),
    [
        ("mnist, 128 images", ["**14.0**", "140", "28.0", "2.00x"]),
        ("vgg, 128 images", ["100", "", "**50.0**", "0.50x"]),
        ("*geometric mean, as multiple of kerasish*", ["1.00x", "10.00x", "1.00x", "1.00x"]),
        ("import, s", ["**0.50**", "2.00", "1.00", "2.00x"]),
        ("peak memory", ["**400**", "", "600", "1.50x"]),
        ("whole script", ["**2.00**", "", "5.00", "2.50x"]),
        ("the same, nothing compiled", ["10.0", "", "**5.00**", "0.50x"]),
    ],
)
def test_the_rows(results, title, want):
    assert cells(table(results), title) == want


def test_the_table_says_where_and_when(results):
    assert "3 rounds" in table(results)
    assert "2026-01-01: Testarossa (AVX2), 2 cores, 8 GB, Linux; Python 3.13.0, numpy 2.0." in table(results)


def test_a_table_of_nothing_is_still_a_table(tmp_path):
    assert table(Results(tmp_path / "none.json", MACHINE)).startswith(
        "|  | best peer / kerasish |\n|---|--:|\n\nMedians"
    )


def test_the_table_goes_between_the_marks(results, tmp_path):
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- speed:start -->\nold\n<!-- speed:end -->\nafter\n", encoding="utf-8")
    write_table(str(path), results)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- speed:start -->\n|  |")
    assert text.endswith("\n<!-- speed:end -->\nafter\n")
    assert "old" not in text


def test_a_file_without_marks_is_refused(results, tmp_path):
    path = tmp_path / "README.md"
    path.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no marks <!-- speed:start -->"):
        write_table(str(path), results)


def test_a_wrong_answer_is_told(results):
    assert disagreements(results) == ["torch differs from kerasish on mnist by 1.0e-01 of the largest output"]


def test_results_are_kept_and_a_failed_job_is_done_again(results):
    results.add(record(1, "mnist", "torch", fit_ms=30.0))
    again = Results.read(results.path)
    assert vars(again) == vars(results)
    assert again.has(Job(1, "mnist", "torch"))
    assert not again.has(Job(0, "vgg", "keras-jax"))
    assert not again.has(Job(2, "vgg", "torch"))


def test_the_libraries_take_turns():
    plan = Plan(2, ["mnist", "script", "script-cold"], ["kerasish", "torch", "onnxruntime"], "full", 24)
    assert [job[1:] for job in plan.jobs(0)] == [
        ("mnist", "kerasish"),
        ("mnist", "torch"),
        ("mnist", "onnxruntime"),
        ("script", "kerasish"),
        ("script", "torch"),
        ("script-cold", "kerasish"),
    ]


def test_a_backend_is_chosen_for_its_process_only(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert environment_of(LIBRARIES["keras-jax"])["KERAS_BACKEND"] == "jax"
    assert "KERAS_BACKEND" not in environment_of(LIBRARIES["kerasish"])


def test_the_command_makes_the_table_of_a_file(results, capsys):
    results.add(record(0, "resnet20", "kerasish", fit_ms=1.0))
    assert main(["--from", str(results.path)]) == 1
    printed = capsys.readouterr()
    assert "| resnet20, 128 images |" in printed.out
    assert "keras-jax failed on vgg: status 1: no memory" in printed.err
    assert json.loads(results.path.read_text(encoding="utf-8"))["date"] == "2026-01-01"


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--workloads", "mnist,alexnet"])
    assert "alexnet: not among script, script-cold, mnist" in capsys.readouterr().err
