"""Verdicts and tables, from records without a card."""

import json
from pathlib import Path

import pytest

from benchmarks.gpu import __main__ as command
from benchmarks.gpu import card as card_module
from benchmarks.gpu.report import END, START, all_rows, summary, write
from benchmarks.gpu.verdicts import verdicts

ROOT = Path(__file__).resolve().parents[3]
CARD = {"name": "Testarossa 100", "multiprocessors": 100, "clock_ghz": 2.0, "peak_tflops": 51.2}


def conv(name, precision, **more):
    record = {"group": "kernels", "name": f"{name} [{precision}]", "precision": precision, "large": True}
    record |= {"error": 1e-6, "right": True, "launched": ["a"], "ours_us": 100.0, "torch_us": 120.0}
    return {**record, "tflops": 30.0, "ratio": 1.2, **more}


def step(contestant, ms, network="ResNet-50 224x224, 64 images"):
    record = {"group": "steps", "name": f"{network}: {contestant}", "network": network, "contestant": contestant}
    return {**record, "ms": ms, "memory_mb": 2048.0, "right": True}


def good(group, name, **more):
    return {"group": group, "name": name, "right": True, **more}


COPIES = {"asked, data on the card": {"up": 0.0, "down": 0.0, "bytes_up": 0.0}, "driver, data on the card": {}}


@pytest.fixture
def records():
    return [
        {"group": "compile", "name": "a", "seconds": 1.5, "kept": False},
        {"group": "compile", "name": "b", "seconds": 0.1, "kept": True},
        conv("conv2d", "float32", peak_share=0.61),
        conv("conv2d", "tf32", launched=["b"]),
        {
            "group": "kernels",
            "name": "softmax 8x9",
            "precision": "float32",
            "large": False,
            "error": 1e-7,
            "right": True,
        }
        | {"ours_us": 10.0, "gbs_read": 900.0, "launched": []},
        step("kerasish", 100.0),
        step("Keras on PyTorch", 110.0),
        step("PyTorch", 90.0),
        good("steps", "MNIST epoch"),
        good("steps", "MNIST script"),
        good("steps", "MNIST copies", **COPIES),
        good("agreement", "dropout masks"),
        good("agreement", "initial weights: mnist"),
        good("agreement", "saved on gpu, opened on cpu: mnist", error=1e-7),
        good("parity", "layers: Dense", error=2e-6),
    ]


def changed(records, name, **more):
    return [{**r, **more} if r["name"] == name else r for r in records]


def told(records):
    return {v.claim: v for v in verdicts(records)}


def test_all_is_met(records):
    assert [v.word for v in verdicts(records)] == ["met"] * 12


def test_nothing_is_measured():
    assert {v.word for v in verdicts([])} == {"not measured"}


@pytest.mark.parametrize(
    ("name", "change", "claim", "figures"),
    [
        ("conv2d [float32]", {"right": False}, "Every kernel gives", "2 of 3; not: conv2d [float32]"),
        ("conv2d [float32]", {"launched": []}, "Every kernel was launched", "1 of 2; not: a"),
        ("conv2d [float32]", {"peak_share": 0.59}, "60% of", "0.59 (conv2d [float32])"),
        ("conv2d [float32]", {"ratio": 0.99}, "cuDNN's speed", "0.99"),
        ("conv2d [tf32]", {"ratio": 0.49}, "half of cuDNN's", "0.49"),
        ("ResNet-50 224x224, 64 images: kerasish", {"ms": 111.0}, "ResNet-50", "111.0 ms, Keras on PyTorch 110.0"),
        ("MNIST script", {"right": False}, "MNIST script", "not: MNIST script"),
        ("MNIST copies", {"right": False}, "No copies", "asked 0 up, 0 down of 0 bytes; driver unknown"),
        ("dropout masks", {"right": False}, "dropout masks", "1 of 2"),
        ("saved on gpu, opened on cpu: mnist", {"right": False}, "A model saved", "0 of 1"),
        ("layers: Dense", {"right": False}, "parity", "0 of 1"),
    ],
)
def test_what_is_not_met(records, name, change, claim, figures):
    found = [v for v in verdicts(changed(records, name, **change)) if v.met is False]
    assert any(claim in v.claim and figures in v.figures for v in found), found


def test_what_was_skipped_is_not_met_in_silence(records):
    records = [*records, {"group": "parity", "name": "layers: Flatten", "skipped": "no time"}]
    verdict = told(records)["Every parity case holds on the card"]
    assert verdict.word == "not measured" and verdict.figures.startswith("1 of 1, 1 skipped")


def test_a_part_of_the_jobs_says_nothing_of_kernels_that_were_not_launched(records):
    records = changed(records, "conv2d [float32]", launched=[])
    assert [v.met for v in verdicts(records, partial=True) if v.claim == "Every kernel was launched"] == [None]


def test_tables(records):
    text = summary({"card": CARD, "date": "2026-01-01", "versions": {"torch": "2.0"}, "records": records})
    assert "| ResNet-50 224x224, 64 images | 100.0 (2.0) | 110.0 (2.0) | 90.0 (2.0) |" in text
    assert "| conv2d | float32 | 100 | 120 | 30.0 | 61% |" in text
    assert "Testarossa 100, 100 multiprocessors at 2.00 GHz, 51.2 TFLOP/s" in text and "2026-01-01" in text
    more = [{"name": "x", "failed": "ValueError: no"}, {"name": "y", "skipped": "no time"}]
    rows = all_rows([*records, *({"group": "kernels", **record} for record in more)])
    assert "| softmax 8x9 | 1e-07 | 10 |  | 900 GB/s read |" in rows and "kernels: x: ValueError: no" in rows
    assert rows.endswith("kernels: 1 skipped")


def test_write_puts_the_summary_between_the_marks(records, tmp_path, capsys):
    source, page = tmp_path / "gpu.json", tmp_path / "README.md"
    source.write_text(json.dumps({"card": CARD, "date": "2026-01-01", "versions": {}, "records": records}))
    page.write_text(f"before\n{START}\nof yore\n{END}\nafter\n")
    assert command.main(["--write", str(page), str(source)]) == 0
    text = page.read_text()
    assert (
        text.startswith(f"before\n{START}\n| on the card") and text.endswith(f"{END}\nafter\n") and "yore" not in text
    )
    assert "softmax" in capsys.readouterr().out
    page.write_text("no marks")
    with pytest.raises(ValueError, match="no marks"):
        write(str(page), {"card": CARD, "date": "", "versions": {}, "records": []})


def test_the_readme_has_the_marks():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count(START) == text.count(END) == 1
    assert "python -m benchmarks.gpu" in text


def test_the_peak_of_a_card():
    assert card_module.peak(132, (9, 0), 1.98) == pytest.approx(66.9, abs=0.1)  # an H100's data sheet: 67
    assert card_module.peak(68, (8, 6), 1.71) == pytest.approx(29.8, abs=0.1)  # an RTX 3080's: 29.8
    assert card_module.peak(40, (7, 5), 1.59) == pytest.approx(8.1, abs=0.1)  # a T4's: 8.1
    assert card_module.peak(10, (3, 5), 1.0) is None
