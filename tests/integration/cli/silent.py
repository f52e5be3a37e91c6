"""An AWS that takes every request and answers none."""

from __future__ import annotations

import socket
import threading


class Silent:
    """A server that takes every request and answers none."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._taken: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                taken, _ = self._listening.accept()
            except OSError:
                return
            self._taken.append(taken)
            taken.recv(1)
            self.asked.set()

    def close(self) -> None:
        for each in (self._listening, *self._taken):
            each.close()
