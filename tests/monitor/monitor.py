# SPDX-License-Identifier: Apache-2.0
"""A `deepxtrace serve` to talk to, and recordings to give it."""
import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
import time

COMMAND = os.path.join(os.environ["DXT_BUILD_DIR"], "bin", "deepxtrace")


def simulate(*arguments):
    """Lines of a simulated recording."""
    done = subprocess.run([COMMAND, "simulate", *map(str, arguments)], capture_output=True, check=True, text=True)
    return done.stdout.splitlines(keepends=True)


def analyze(path):
    """What analyze says of a file, a line per window."""
    done = subprocess.run([COMMAND, "analyze", "--json", str(path)], capture_output=True, check=True, text=True)
    return [line for line in done.stdout.splitlines() if '"verdict"' in line]


def serve_once(store, *arguments):
    """Store what is there; the finished process."""
    return subprocess.run([COMMAND, "serve", "--once", "--store", str(store), *map(str, arguments)],
                          capture_output=True, text=True, timeout=120)


def rows(store, sql):
    with sqlite3.connect("file:%s?mode=ro" % store, uri=True) as db:
        return db.execute(sql).fetchall()


def until(true, seconds=30):
    """Wait for something to become true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = true()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError("it did not become true in %d s" % seconds)


class Serve:
    """A running server, on a free port."""

    def __init__(self, store, *arguments, listen="127.0.0.1:0"):
        self.process = subprocess.Popen([COMMAND, "serve", "--store", str(store), "--listen", listen,
                                         *map(str, arguments)], stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.port = None
        line = until(lambda: re.search(r"\(port (\d+)\)", self.text()) or self.process.poll() is not None)
        if line is not True:
            self.port = int(line.group(1))

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def text(self):
        """What it has said so far."""
        return "".join(list(self.lines))

    def says(self, words):
        """Wait until it has said something."""
        until(lambda: words in self.text())

    def end(self):
        """Stop it. @return what it has said."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        self.reader.join(10)
        return self.text()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.end()
        self.process.stderr.close()

    def ask(self, path, method="GET", body=None, **headers):
        """(status, headers, text) of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def get(self, path, **headers):
        status, _, text = self.ask(path, **headers)
        assert status == 200, text
        return json.loads(text)
