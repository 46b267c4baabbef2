# SPDX-License-Identifier: Apache-2.0
"""What `deepxtrace serve` does with much of everything (docs/monitoring.md has the figures):

    python3 bench/monitor.py cost       processor time a window, in turns with `analyze`; and idle
    python3 bench/monitor.py clients    200 clients and one that scrapes: how late a window is
    python3 bench/monitor.py day        24 h of windows of 1 s, as fast as they are judged: memory
    python3 bench/monitor.py million    a store of a million windows: how long it takes to answer

All on this machine, over loopback, in a folder that is removed. It prints one line of JSON for each
figure."""
import argparse
import contextlib
import http.client
import json
import os
import re
import resource
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time


class Bench:
    def __init__(self, command, folder):
        self.command, self.folder = command, folder
        self.store = os.path.join(folder, "s.db")
        self.recording = os.path.join(folder, "r.jsonl")

    def simulate(self, *arguments):
        """Lines of a recording."""
        done = subprocess.run([self.command, "simulate", *map(str, arguments)], check=True,
                              capture_output=True, text=True)
        return done.stdout.splitlines(keepends=True)

    def serve(self, *arguments):
        """A server on a free port: (process, port)."""
        process = subprocess.Popen(
            [self.command, "serve", "--listen", "127.0.0.1:0", "--store", self.store, *arguments,
             self.recording], stderr=subprocess.PIPE, text=True)
        found = re.search(r"\(port (\d+)\)", process.stderr.readline())
        threading.Thread(target=process.stderr.read, daemon=True).start()
        return process, int(found.group(1))

    def count(self):
        """Windows in the store."""
        with sqlite3.connect("file:%s?mode=ro" % self.store, uri=True) as db:
            return db.execute("SELECT count(*) FROM window").fetchone()[0]

    def judged(self):
        """Windows judged, also those that are forgotten."""
        with sqlite3.connect("file:%s?mode=ro" % self.store, uri=True) as db:
            return db.execute("SELECT total(windows) FROM grp").fetchone()[0]


def ask(port, path):
    """(seconds, bytes) of one request."""
    begin = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    size = len(connection.getresponse().read())
    connection.close()
    return time.monotonic() - begin, size


def memory_kib(process):
    """Resident memory now."""
    with open("/proc/%d/status" % process.pid) as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def ticks_s(process):
    """Processor time so far, in seconds."""
    with open("/proc/%d/stat" % process.pid) as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def used_s(*command):
    """Processor time of a command, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def middle(values):
    return sorted(values)[len(values) // 2]


def cost_of(bench, ranks, windows, rounds):
    """Reading, judging and storing; `analyze --json` reads and judges the same in each round."""
    lines = bench.simulate("-n", ranks, "--windows", windows, "--from", windows // 3,
                           "--slow", "dispatch:5:60us")
    with open(bench.recording, "w") as out:
        out.writelines(lines)
    serves, analyses = [], []
    for _ in range(rounds):
        for name in ("s.db", "s.db-wal", "s.db-shm"):
            if os.path.exists(os.path.join(bench.folder, name)):
                os.unlink(os.path.join(bench.folder, name))
        serves.append(used_s(bench.command, "serve", "--once", "--store", bench.store,
                             bench.recording))
        analyses.append(used_s(bench.command, "analyze", "--json", bench.recording))
    tell("cost", ranks=ranks, windows=windows,
         ms_a_window=round(1000 * middle(serves) / windows, 2),
         analyze_ms_a_window=round(1000 * middle(analyses) / windows, 2),
         ratio=round(middle([s / a for s, a in zip(serves, analyses)]), 2),
         store_mib=round(os.path.getsize(bench.store) / 2**20, 1))
    os.unlink(bench.store)


def cost(bench, options):
    cost_of(bench, 64, 300, 5)
    cost_of(bench, 2048, 4, 3)
    lines = bench.simulate("-n", 64, "--windows", 2 * options.seconds, "--slow", "dispatch:5:60us")
    with open(bench.recording, "w") as out:
        out.write(lines.pop(0) + lines.pop(0))
    process, port = bench.serve()
    stop = threading.Event()
    scraper = threading.Thread(target=scrape, args=(port, stop, []))
    scraper.start()
    for what in ("live, a window and a scrape a second", "idle, a scrape a second"):
        begin, before = time.monotonic(), ticks_s(process)
        for _ in range(options.seconds):
            if what.startswith("live"):
                with open(bench.recording, "a") as out:
                    out.write(lines.pop(0) + lines.pop(0))
            time.sleep(1)
        part = (ticks_s(process) - before) / (time.monotonic() - begin)
        tell(what, ranks=64, percent_of_a_core=round(100 * part, 2), memory_kib=memory_kib(process))
    stop.set()
    scraper.join()
    process.terminate()
    process.wait()


def tell(what, **figures):
    print(json.dumps({"what": what, **figures}), flush=True)


def lags(bench, lines, seconds, count):
    """A window of both operators a second; how long after it was written each is in the store."""
    result = []
    with open(bench.recording, "a") as out:
        for _ in range(seconds):
            out.write(lines.pop(0) + lines.pop(0))
            out.flush()
            begin, count = time.monotonic(), count + 2
            while bench.count() < count and time.monotonic() - begin < 20:
                time.sleep(0.02)
            result.append(time.monotonic() - begin)
            time.sleep(max(0, 1 - result[-1]))
    return sorted(result), count


def scrape(port, stop, times):
    while not stop.is_set():
        times.append(ask(port, "/metrics")[0])
        stop.wait(1)


def swallow(peer):
    """Read what comes until the end, which may be that the socket is closed."""
    with contextlib.suppress(OSError):
        while peer.recv(4096):
            pass


def poll(port, stop, times):
    """Ask for the newest windows each second, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not stop.is_set():
        begin = time.monotonic()
        connection.request("GET", "/api/v1/windows?limit=100")
        connection.getresponse().read()
        times.append(time.monotonic() - begin)
        stop.wait(1)
    connection.close()


def crowd_of(port, count, stop, times):
    """Of four clients one never ends its request, one never reads, one hears events, one polls;
    the sockets, and the threads that end once `stop` is set."""
    peers, threads, hearers = [], [], []
    for number in range(count):
        if number % 4 == 3:
            threads.append(threading.Thread(target=poll, args=(port, stop, times), daemon=True))
            continue
        peer = socket.create_connection(("127.0.0.1", port))
        peer.sendall(b"GET /api/v1/windows HTTP" if number % 4 == 0 else
                     b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if number % 4 == 2:
            hearers.append(threading.Thread(target=swallow, args=(peer,), daemon=True))
        peers.append(peer)
    for thread in threads + hearers:
        thread.start()
    return peers, threads


def clients(bench, options):
    lines = bench.simulate("-n", 64, "--windows", 2 * options.seconds + 1,
                           "--slow", "dispatch:5:60us")
    with open(bench.recording, "w") as out:
        out.write(lines.pop(0) + lines.pop(0))
    process, port = bench.serve()
    while not os.path.exists(bench.store) or bench.count() < 2:
        time.sleep(0.1)
    alone, count = lags(bench, lines, options.seconds, 2)
    tell("alone", windows=len(alone), median_s=round(alone[len(alone) // 2], 2),
         longest_s=round(alone[-1], 2))
    stop, times, polls = threading.Event(), [], []
    peers, threads = crowd_of(port, options.clients, stop, polls)
    threads.append(threading.Thread(target=scrape, args=(port, stop, times), daemon=True))
    threads[-1].start()
    crowd, _ = lags(bench, lines, options.seconds, count)
    stop.set()
    for thread in threads:
        thread.join()
    polled = {"median_poll_s": round(sorted(polls)[len(polls) // 2], 3),
              "longest_poll_s": round(max(polls), 2)} if polls else {}
    tell("with clients", clients=options.clients, windows=len(crowd),
         median_s=round(crowd[len(crowd) // 2], 2), longest_s=round(crowd[-1], 2),
         scrapes=len(times), longest_scrape_s=round(max(times), 2), polls=len(polls),
         memory_kib=memory_kib(process), **polled)
    for peer in peers:
        peer.close()
    process.terminate()
    process.wait()


def day(bench, options):
    windows = options.hours * 3600
    process = None
    with open(bench.recording, "w") as out:
        source = subprocess.Popen(
            [bench.command, "simulate", "-n", "8", "--windows", str(windows), "--from", "1000",
             "--slow", "dispatch:5:60us"], stdout=subprocess.PIPE, text=True)
        for number, line in enumerate(source.stdout, 1):
            out.write(line)
            if number % (2 * windows // 24):
                continue
            out.flush()
            process = process or bench.serve("--keep-size", "64MiB")[0]
            while bench.judged() < number - 1:
                time.sleep(0.2)
            tell("replayed", hours=round(number / 7200, 1), memory_kib=memory_kib(process),
                 store_kib=os.path.getsize(bench.store) // 1024)
    process.terminate()
    process.wait()


#: The windows of the store again, `copies` times, each time a second earlier.
MULTIPLY = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO window (file, ordinal, grp, operator, number, begin_ns, begin_read, elapsed_ns, verdict,
                    share, findings, diagnosis, measure, sums)
SELECT file, -ordinal - 1000000 * i, grp, operator, number, begin_ns - 1000000000 * i, begin_read,
       elapsed_ns, verdict, share, findings, diagnosis, measure, sums FROM window, n
"""


def million(bench, options):
    lines = bench.simulate("-n", 8, "--windows", 110, "--from", 40, "--slow", "dispatch:5:60us")
    with open(bench.recording, "w") as out:
        out.writelines(lines[:200])
    subprocess.run([bench.command, "serve", "--once", "--store", bench.store, bench.recording],
                   check=True)
    with sqlite3.connect(bench.store) as db:
        db.execute(MULTIPLY, (options.windows // 200,))
    db.close()
    tell("store", windows=bench.count(), mib=os.path.getsize(bench.store) >> 20)
    begin = time.monotonic()
    process, port = bench.serve("--keep", "9999d", "--keep-size", "1TiB")
    tell("start", s=round(time.monotonic() - begin, 2))
    newest = bench.count()
    for path in ("/metrics", "/api/v1/windows",
                 "/api/v1/windows?operator=combine&limit=1000&after=%d" % (newest - 3000),
                 "/api/v1/findings", "/api/v1/incidents", "/api/v1/groups",
                 "/api/v1/view?group=1&operator=dispatch"):
        took, size = min(ask(port, path) for _ in range(3))
        tell("answer", path=path, ms=round(1000 * took, 1), kib=size >> 10)
    with open(bench.recording, "a") as out:
        out.writelines(lines[200:])
    begin = time.monotonic()
    while bench.count() < newest + len(lines) - 200:
        time.sleep(0.1)
    tell("new windows", windows=len(lines) - 200, s=round(time.monotonic() - begin, 2),
         memory_kib=memory_kib(process))
    process.terminate()
    process.wait()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=["cost", "clients", "day", "million"])
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--windows", type=int, default=1000000)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="deepxtrace-bench-")
    try:
        bench = Bench(os.path.join(options.build, "bin", "deepxtrace"), folder)
        benches = {"cost": cost, "clients": clients, "day": day, "million": million}
        benches[options.what](bench, options)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
