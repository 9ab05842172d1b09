"""Stands in for manage.py in the tests of bin/dev: the same commands, none of their weight."""

import http.server
import os
import signal
import sys
import time
from pathlib import Path


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"healthy")

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


def demo() -> None:
    seen = Path(__file__).with_name("demo-was-here")
    if not seen.exists():
        seen.touch()
        print("Login     ann@example.com / secret")
        print("API key   key")


def main(command: str, *words: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("begins", os.getpid(), flush=True)
    if command == os.environ.get("BROKEN"):
        sys.exit("It is broken.")
    elif command == "demo":
        demo()
    elif command == "serve":
        http.server.HTTPServer(("127.0.0.1", int(words[1])), Health).serve_forever()
    elif command in ("worker", "clock"):
        while True:
            time.sleep(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
