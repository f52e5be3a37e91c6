"""A headless Chromium without a network, driven by the Chrome DevTools Protocol over pipes.

It is the one that npm's `@sparticuz/chromium` ships, or that of the machine. Source of the protocol:
chromedevtools.github.io/devtools-protocol. With `--remote-debugging-pipe` Chromium takes commands on descriptor 3 and
answers on 4, each ended by a NUL.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

FOLDER: Final = Path(__file__).parent
_OF_MACHINE: Final = ("chromium", "chromium-browser", "google-chrome")
# As root, and where user namespaces are off, Chromium runs without its sandbox only. It loads our own pages alone.
_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
_PATIENCE_SECONDS: Final = 60.0


class MissingError(Exception):
    """There is no Chromium that starts. The message says why."""


def find_chromium(folder: Path) -> Path:
    """Return a Chromium: the one of npm, unpacked into `folder`, else that of the machine. Raises MissingError."""
    if (FOLDER / "node_modules" / "@sparticuz").is_dir() and (node := shutil.which("node")):
        program = "import c from '@sparticuz/chromium'; console.log(await c.executablePath());"
        done = subprocess.run(  # noqa: S603 -- our own program
            [node, "--input-type=module", "-e", program],
            cwd=FOLDER,
            env={**os.environ, "TMPDIR": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return Path(done.stdout.strip())
        raise MissingError(f"Chromium could not be unpacked: {done.stderr.strip()[-200:]}")
    if found := next(filter(None, map(shutil.which, _OF_MACHINE)), None):
        return Path(found)
    raise MissingError("no chromium is installed, and tests/browser has no node_modules: npm ci --prefix tests/browser")


class Chromium:
    """A running browser. `pages` are closed with it."""

    def __init__(self, program: Path, profile: Path) -> None:
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        script = f'exec "$0" "$@" 3<&{commands} 4>&{answers}'
        self._process = subprocess.Popen(  # noqa: S603 -- our own program
            ["/bin/bash", "-c", script, program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(commands, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []
        try:
            self.version = str(self.call("Browser.getVersion")["product"])
        except EOFError:
            said = self._process.stderr.read().decode(errors="replace") if self._process.stderr else ""
            raise MissingError(f"{program} does not start: {said.strip()[-200:]}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()
        os.close(self._commands)
        os.close(self._answers)

    def call(self, method: str, /, session: str | None = None, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the answer to a command. Raises AssertionError if it is an error."""
        self._number += 1
        number = self._number
        command = {"id": number, "method": method, "params": parameters}
        os.write(self._commands, json.dumps(command | ({"sessionId": session} if session else {})).encode() + b"\0")
        while (message := self._read()).get("id") != number:
            self.events.append(message)
        assert "error" not in message, f"{method}: {message['error']}"
        answer: dict[str, Any] = message["result"]
        return answer

    def wait(self, method: str, session: str) -> dict[str, Any]:
        """Return the parameters of the first event of this name that was not waited for yet."""
        seen = 0
        while True:
            for each in self.events[seen:]:
                seen += 1
                if each.get("method") == method and each.get("sessionId") == session:
                    self.events.remove(each)
                    found: dict[str, Any] = each["params"]
                    return found
            self.events.append(self._read())

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], _PATIENCE_SECONDS)
            assert ready, "Chromium does not answer"
            read = os.read(self._answers, 1 << 20)
            if not read:
                raise EOFError
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def open(
        self, file: Path, *, width: int = 1200, scheme: str = "light", media: str = "screen", script: bool = True
    ) -> Page:
        """Open a file in a new page, and return it once it is loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, file.as_uri())
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setScriptExecutionDisabled", value=not script)
        page.call("Emulation.setFocusEmulationEnabled", enabled=True)
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.call("Emulation.setEmulatedMedia", media=media, features=features)
        page.call("Page.navigate", url=page.url)
        self.wait("Page.loadEventFired", session)
        return page


@dataclass
class Page:
    """One open page."""

    browser: Chromium
    session: str
    url: str
    _known: list[dict[str, Any]] = field(default_factory=list)

    def call(self, method: str, /, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 -- as the protocol says
        return self.browser.call(method, self.session, **parameters)

    def run(self, program: str) -> Any:  # noqa: ANN401 -- any value of JSON
        """Return the value of an expression in the page, of a promise once it is kept."""
        answer = self.call("Runtime.evaluate", expression=program, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Click into the middle of an element, as a person does."""
        place = self.run(
            f"(() => {{ const found = document.querySelector({json.dumps(selector)});"
            " found.scrollIntoView({block: 'center'}); const r = found.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def _of(self, *methods: str) -> list[dict[str, Any]]:
        self.run("1")  # what came before is here now
        events = (each for each in self.browser.events if each.get("sessionId") == self.session)
        return [each["params"] for each in events if each.get("method") in methods]

    @property
    def problems(self) -> list[str]:
        """What the page wrote to the console, threw, or was refused by its policy."""
        found = self._of("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Audits.issueAdded")
        return [json.dumps(each) for each in found]

    @property
    def requests(self) -> list[str]:
        """The addresses that the page asked for, itself left out."""
        asked = (str(each["request"]["url"]) for each in self._of("Network.requestWillBeSent"))
        return [each for each in asked if each != self.url]

    def picture(self, file: Path, *, height: int | None = None) -> None:
        """Write what the page looks like, as PNG."""
        tall = height or self.run("document.documentElement.scrollHeight")
        width = self.run("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": tall, "scale": 1}
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(answer["data"]))
