"""Drives headless Chromium by its own protocol over two pipes: real key presses, no package needed."""

import itertools
import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
KEYS = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "Tab": 9, "Enter": 13}


class Browser:
    """One page in a browser of its own; what the page logs or throws is collected in `complaints`."""

    def __init__(self, program: str, page: Path, profile: Path, width: int) -> None:
        self.complaints: list[str] = []
        self._ids = itertools.count(1)
        commands, self._out = os.pipe()
        self._in, answers = os.pipe()
        # The protocol's pipes are file descriptors 3 (commands) and 4 (answers).
        shell = f'exec "$0" "$@" 3<&{commands} 4>&{answers}'
        flags = [*FLAGS.split(), "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(
            ["bash", "-c", shell, program, *flags, f"--window-size={width},900", "about:blank"],
            pass_fds=(commands, answers),
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._answers = os.fdopen(self._in, "rb")
        self._rest = b""
        self._session: str | None = None
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for part in ("Page", "Runtime", "Log"):
            self._send(f"{part}.enable")
        self._send("Page.navigate", url=page.as_uri())
        loaded = "document.readyState === 'complete' ? done() : addEventListener('load', done)"
        self.run(f"new Promise((done) => {loaded})")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._out)  # the browser ends with its pipe
        self._answers.close()
        self._process.wait(timeout=30)

    def run(self, code: str) -> Any:
        """Give the value of an expression in the page."""
        answer = self._send("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str, times: int = 1) -> None:
        """Press and release a key, as a keyboard does."""
        code: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        if key == "Enter":
            code["text"] = "\r"  # what makes a button take it for a click
        for _ in range(times):
            self._send("Input.dispatchKeyEvent", type="keyDown", **code)
            self._send("Input.dispatchKeyEvent", type="keyUp", **code)

    def _send(self, method: str, **parameters: Any) -> Any:
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            if answer.get("method") in (
                "Runtime.consoleAPICalled",
                "Runtime.exceptionThrown",
                "Log.entryAdded",
            ):
                self.complaints.append(json.dumps(answer["params"]))

    def _receive(self) -> Any:
        while b"\0" not in self._rest:
            part = os.read(self._in, 1 << 16)
            assert part, "the browser ended"
            self._rest += part
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)
