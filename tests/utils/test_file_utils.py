import hashlib
import http.server
import io
import os
import stat
import tarfile
import threading
import zipfile

import pytest

from kerasish.utils import file_utils
from kerasish.utils.file_utils import get_file, hash_file, validate_file

CONTENT = b"some data" * 1000


@pytest.fixture
def origin(tmp_path):
    path = tmp_path / "source" / "data.bin"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path.as_uri()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "datasets"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_download_then_cache(origin, cache, capsys):
    path = get_file(origin=origin, file_hash=sha256(CONTENT))
    assert path == str(cache / "data.bin")
    assert (cache / "data.bin").read_bytes() == CONTENT
    assert "Downloading data from file:" in capsys.readouterr().out
    os.remove(origin.removeprefix("file://"))
    assert get_file(origin=origin, file_hash=sha256(CONTENT)) == path
    assert capsys.readouterr().out == ""


def test_md5_and_directories(origin, tmp_path):
    digest = hashlib.md5(CONTENT).hexdigest()
    path = get_file("x.bin", origin, md5_hash=digest, cache_dir=tmp_path / "a", cache_subdir="b/c")
    assert path == str(tmp_path / "a/b/c/x.bin")
    assert validate_file(path, digest) and validate_file(path, sha256(CONTENT).upper())
    assert hash_file(path, "md5") == digest and hash_file(path) == sha256(CONTENT)


def test_damaged_file_is_fetched_again(origin, cache, capsys):
    cache.mkdir(parents=True)
    (cache / "data.bin").write_bytes(b"half")
    get_file(origin=origin, file_hash=sha256(CONTENT))
    assert (cache / "data.bin").read_bytes() == CONTENT
    assert "incomplete or outdated" in capsys.readouterr().out


def test_wrong_checksum_leaves_nothing(origin, cache):
    with pytest.raises(ValueError, match="Incomplete or corrupted file detected"):
        get_file(origin=origin, file_hash="0" * 64)
    assert os.listdir(cache) == []


def test_unreachable_says_what_to_do(cache):
    with pytest.raises(OSError, match="URL fetch failure on file:///nowhere/x.bin(.|\n)*save it as .*x.bin"):
        get_file(origin="file:///nowhere/x.bin")
    assert os.listdir(cache) == []


def test_good_file_survives_a_failed_refresh(origin, cache):
    path = get_file(origin=origin)
    os.remove(origin.removeprefix("file://"))
    with pytest.raises(OSError, match="URL fetch failure"):
        get_file(origin=origin, force_download=True)
    with open(path, "rb") as file:
        assert file.read() == CONTENT


class CutShort(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404 if "absent" in self.path else 200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 10)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.HTTPServer(("127.0.0.1", 0), CutShort) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "name, reason", [("short.bin", "ended after 10 of 1000 bytes"), ("absent.bin", "404 -- Not Found")]
)
def test_http_failures(server, cache, name, reason):
    with pytest.raises(OSError, match=reason):
        get_file(origin=f"{server}/{name}")
    assert os.listdir(cache) == []


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({}, 'Please specify the "origin" argument'),
        ({"origin": "http://x/y", "fname": "a/b"}, "Paths are no longer accepted as the `fname` argument"),
        ({"origin": "http://x/"}, "Can't parse the file name from the origin provided: 'http://x/'"),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        get_file(**kwargs)


def test_cache_that_cannot_be_written(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    monkeypatch.setattr(file_utils.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    assert file_utils.cache_directory("datasets", str(blocked)) == str(tmp_path / "tmp" / ".keras" / "datasets")


def make_tar(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))


def make_zip(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("make, name", [(make_tar, "a.tar.gz"), (make_zip, "a.zip")])
@pytest.mark.parametrize("fname, folder", [(None, None), ("sub", "sub"), ("sub.tgz", "sub_extracted")])
def test_extraction(make, name, fname, folder, tmp_path, cache):
    make(tmp_path / name, {"dir/one.txt": b"1"})
    path = get_file(fname, (tmp_path / name).as_uri(), extract=True)
    assert path == str(cache / (folder or name))
    assert (cache / (folder or name) / "dir" / "one.txt").read_bytes() == b"1"
    (cache / (folder or name) / "mine.txt").write_text("kept")
    assert get_file(fname, (tmp_path / name).as_uri(), extract=True) == path
    assert "mine.txt" in os.listdir(path)
    get_file(fname, (tmp_path / name).as_uri(), extract=True, force_download=True)
    assert os.listdir(path) == ["dir"]


@pytest.mark.parametrize("make, name", [(make_tar, "a.tar.gz"), (make_zip, "a.zip")])
def test_members_outside_are_left_out(make, name, tmp_path, cache):
    make(tmp_path / name, {"good.txt": b"1", "../../evil.txt": b"2"})
    with pytest.warns(UserWarning, match=r"Skipping invalid path .*evil.txt"):
        path = get_file("sub", (tmp_path / name).as_uri(), extract=True)
    assert os.listdir(path) == ["good.txt"]
    assert not list(tmp_path.rglob("evil.txt"))


def test_links_outside_are_left_out(tmp_path, cache):
    make_tar(tmp_path / "a.tar", {"link": "/etc", "inside": "good.txt", "good.txt": b"1"})
    with pytest.warns(UserWarning, match="Skipping invalid path .*link"):
        path = get_file("sub", (tmp_path / "a.tar").as_uri(), extract=True)
    assert sorted(os.listdir(path)) == ["good.txt", "inside"]


def test_no_archive(origin, cache):
    with pytest.warns(UserWarning, match="Could not extract archive"):
        get_file("sub", origin, untar=True)
    with pytest.raises(NotImplementedError, match="archive_format='rar' is unknown"):
        get_file("sub", origin, extract=True, archive_format="rar")


def test_downloads_are_readable_by_others(origin, cache):
    os.umask(mask := os.umask(0))
    assert stat.S_IMODE(os.stat(get_file(origin=origin)).st_mode) == 0o666 & ~mask
