# SPDX-License-Identifier: Apache-2.0
"""demo_live.py [BUILD-FOLDER] [--stay]: a job on this machine in which a rank turns late after 20 s and is
well again after 40 s, and `deepxtrace serve` beside it. Fails unless the incident, and its end, are in the
metrics, in the API and in the messages of the webhook. It ends after a minute (with --stay: the server goes
on), or by Ctrl-C, and leaves nothing behind."""
import argparse
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

RANK, OPERATOR, DELAY = 5, "dispatch", "10ms"
FROM_S, UNTIL_S = 20, 40
#: How long it may take until what has happened is told, beyond the two windows: on a busy machine.
PATIENCE_S = 20
PORT = 8899


class Hook(http.server.BaseHTTPRequestHandler):
    """Receives what a pager would."""
    events = []

    def do_POST(self):
        Hook.events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Watch:
    """What the server says now."""

    def __init__(self, port):
        self.root = "http://127.0.0.1:%d" % port

    def get(self, path):
        try:
            with urllib.request.urlopen(self.root + path, timeout=10) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return ""

    def incident(self, state):
        """The incident of the late rank; None as long as there is none."""
        text = self.get("/api/v1/incidents?state=" + state)
        found = [i for i in json.loads(text)["incidents"] if (i["rank"], i["operator"]) == (RANK, OPERATOR)] if text else []
        return found[0] if found else None

    def is_in_metrics(self):
        lines = [line for line in self.get("/metrics").splitlines() if line.startswith("deepxtrace_incident_open{")]
        return any('rank="%d"' % RANK in line for line in lines)

    @staticmethod
    def is_in_webhook(event):
        return any(e["event"] == event and e["incident"]["rank"] == RANK for e in Hook.events)


def free_port():
    """The usual port, or another one if that is taken."""
    for port in (PORT, 0):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return s.getsockname()[1]
    raise SystemExit("demo_live.py: no port is free")


def windows_in(path):
    """Number of the newest window that the job has written; −1 before the first."""
    try:
        with open(path) as lines:
            numbers = [json.loads(line)["window"] for line in lines if line.endswith("\n")]
    except OSError:
        return -1
    return max(numbers, default=-1)


def wait_for(what, event, seen, recording, job, until):
    """Poll until all of `seen` are true, and say when each was. @return the window of the last."""
    left, newest = dict(seen), -1
    while left:
        if time.monotonic() > until or job.poll() is not None:
            raise SystemExit("The incident should have been %s; it is not in %s." % (what, ", ".join(left)))
        for name, is_seen in list(left.items()):
            if is_seen():
                newest = windows_in(recording)
                print("  %s in %s, when window %d was the newest" % (event, name, newest))
                del left[name]
        time.sleep(0.2)
    return newest


def follow(job, watch, recording, begin):
    """The two things that are to happen."""
    print("Nobody is late yet; rank %d will be, after %d s." % (RANK, FROM_S))
    newest = wait_for("open", "open", {
        "/metrics": watch.is_in_metrics,
        "/api/v1/incidents": lambda: watch.incident("open"),
        "the webhook": lambda: watch.is_in_webhook("opened")}, recording, job, begin + FROM_S + PATIENCE_S)
    found = watch.incident("open")
    print("%s\nWindow %d was the first to name it: told everywhere with window %d of it.\n"
          % (found["text"], found["first_window"], newest - found["first_window"] + 1))
    print("From %d s on it is well again." % UNTIL_S)
    newest = wait_for("closed", "closed", {
        "/api/v1/incidents": lambda: watch.incident("closed"),
        "/metrics": lambda: not watch.is_in_metrics(),
        "the webhook": lambda: watch.is_in_webhook("closed")}, recording, job, begin + UNTIL_S + PATIENCE_S)
    found = watch.incident("closed")
    print("Window %d was the last to name it: closed everywhere with window %d after it. It cost %.1f s.\n"
          % (found["last_window"], newest - found["last_window"], found["lost_s"]))


def end(process, number):
    """End a process that was started here."""
    if process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run(command, stay, folder, started):
    """Start both, look at what happens."""
    logs = os.path.join(folder, "logs")
    recording = os.path.join(logs, "job.jsonl")
    os.mkdir(logs)
    hook = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    with open(os.path.join(folder, "url"), "w") as out:
        out.write("http://127.0.0.1:%d/\n" % hook.server_port)
    port = free_port()
    serve = [command, "serve", "--listen", "127.0.0.1:%d" % port, "--store", os.path.join(folder, "serve.db"),
             "--webhook-file", os.path.join(folder, "url"), logs]
    job = [command, "job", "--ranks", "8", "--steps", "0", "--async", "1", "--slow", "%s:%d:%s" % (OPERATOR, RANK, DELAY),
           "--slow-from", "%ds" % FROM_S, "--slow-until", "%ds" % UNTIL_S, "--record", recording]
    print("$ deepxtrace %s\n$ deepxtrace serve logs/\n" % " ".join(job[1:-1] + ["logs/job.jsonl"]))
    server = subprocess.Popen(serve, stderr=subprocess.PIPE, text=True)
    started.append((server, signal.SIGTERM))
    said = server.stderr.readline()
    if "(port" not in said:
        raise SystemExit("demo_live.py: serve does not answer: " + said.strip())
    threading.Thread(target=lambda: [sys.stderr.write(line) for line in server.stderr], daemon=True).start()
    print("The page is http://127.0.0.1:%d/\n" % port)
    worker = subprocess.Popen(job, stdout=subprocess.DEVNULL)
    started.append((worker, signal.SIGINT))
    follow(worker, Watch(port), recording, time.monotonic())
    end(worker, signal.SIGINT)
    if stay:
        print("The job has ended; http://127.0.0.1:%d/ is there until Ctrl-C." % port)
        server.wait()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build", nargs="?", default="build")
    parser.add_argument("--stay", action="store_true")
    options = parser.parse_args()
    command = os.path.join(options.build, "bin", "deepxtrace")
    folder, started = tempfile.mkdtemp(prefix="deepxtrace-demo-"), []
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(command, options.stay, folder, started)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130
    finally:
        for process, number in reversed(started):
            end(process, number)
        shutil.rmtree(folder, ignore_errors=True)
    print("The incident was told where it should be, and so was its end.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
