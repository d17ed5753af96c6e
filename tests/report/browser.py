"""A real Chromium without a window, spoken to over pipes: no driver, no socket, no package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def found() -> str:
    """The browser of this machine, or an empty text."""
    return next((path for path in map(shutil.which, NAMES) if path), "")


class Page:
    """An open page: a window of some size, scripts that look at it, and a picture."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read, self._rest, self._number, self._session = write, read, b"", 0, ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def call(self, method: str, **params: object) -> Any:
        """A command of Chromium's protocol and its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> Any:
        while b"\0" not in self._rest:
            more = os.read(self._read, 1 << 20)
            assert more, "the browser has ended"
            self._rest += more
        first, _, self._rest = self._rest.partition(b"\0")
        return json.loads(first)

    def open(self, file: Path, width: int, height: int, *, script: bool = True) -> None:
        """Show a file in a window of that many CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.call("Page.navigate", url=file.as_uri())
        while self.look("document.readyState + location.pathname") != f"complete{file}":
            sleep(0.05)  # a page without scripts fires no event that a promise could wait for

    def look(self, expression: str) -> Any:
        """The value of an expression in the page."""
        done = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def picture(self, file: Path) -> None:
        """The window as PNG."""
        shot = self.call("Page.captureScreenshot", format="png")
        file.write_bytes(b64decode(shot["data"]))


@contextmanager
def page(home: Path) -> Iterator[Page]:
    """A browser with a profile of its own in a folder, ended afterwards."""
    to_child, write = os.pipe()
    read, from_child = os.pipe()

    def pipes() -> None:
        os.dup2(os.dup(to_child), 3)
        os.dup2(os.dup(from_child), 4)

    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--remote-debugging-pipe", f"--user-data-dir={home}")  # fmt: skip
    with subprocess.Popen(
        [found(), *flags], preexec_fn=pipes, pass_fds=(3, 4, to_child, from_child),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as browser:  # fmt: skip
        os.close(to_child)
        os.close(from_child)
        try:
            yield Page(write, read)
        finally:
            browser.kill()
            os.close(write)
            os.close(read)
