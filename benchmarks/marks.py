"""Text between two marks of a Markdown file, which programs write."""

from pathlib import Path


def put_between(path: str, start: str, end: str, text: str) -> None:
    """Replace what stands between the file's marks by a text.

    Raises:
        ValueError: if the file has no marks.
    """
    file = Path(path)
    old = file.read_text(encoding="utf-8")
    if start not in old or end not in old:
        raise ValueError(f"{path} has no marks {start} ... {end}")
    before, _, rest = old.partition(start)
    _, _, after = rest.partition(end)
    file.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")
