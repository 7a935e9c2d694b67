"""RemoteMonitor: the values of each epoch, sent to a server."""

import json
import warnings

import numpy as np

from kerasish.callbacks.callback import Callback


class RemoteMonitor(Callback):
    """Sends the values of each epoch to a server by HTTP POST. Needs the package `requests`.

    Args:
        root: Address of the server.
        path: Path on it.
        field: Name of the form field with the JSON text, unless it is sent as JSON.
        headers: HTTP headers.
        send_as_json: Whether the body is JSON rather than a form.

    Raises:
        ImportError: If `requests` is not installed, when the first epoch ends.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict | None = None,
        send_as_json: bool = False,
    ):
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch, logs=None):
        requests = _requests()
        send = {"epoch": epoch, **{key: _plain(value) for key, value in (logs or {}).items()}}
        body = {"json": send} if self.send_as_json else {"data": {self.field: json.dumps(send)}}
        try:
            requests.post(self.root + self.path, headers=self.headers, **body)
        except requests.exceptions.RequestException:
            warnings.warn(f"Could not reach RemoteMonitor root server at {self.root}", stacklevel=2)


def _plain(value):
    """NumPy's numbers, and arrays of one, as Python's."""
    if not isinstance(value, (np.ndarray, np.generic)):
        return value
    return value.item() if value.size == 1 else value.tolist()


def _requests():
    try:
        import requests
    except ImportError:
        raise ImportError("RemoteMonitor requires the `requests` library; pip install requests") from None
    return requests
