"""What the measurements share: a server of their own, figures of processes, tables."""
import contextlib
import json
import math
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("BENCH_BIN", ROOT / "target" / "release"))
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
TICK = os.sysconf("SC_CLK_TCK")


def say(text):
    print(text, file=sys.stderr, flush=True)


def call(method, url, body=None, timeout=60):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    with DIRECT.open(request, timeout=timeout) as answer:
        return json.load(answer)


def until(what, seconds, ask, step=0.05):
    """The first true answer of `ask`, and how long it took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        found = ask()
        if found:
            return found, time.monotonic() - began
        time.sleep(step)
    raise SystemExit(f"{what}: not within {seconds} s")


def spawn(command, cores=None, **options):
    prefix = ["taskset", "-c", cores] if cores else []
    return subprocess.Popen(prefix + [str(part) for part in command], text=True, **options)


def first_url(process):
    """Reads the process's output up to the line that names its address."""
    for line in process.stdout:
        found = re.search(r"http://\S+", line)
        if found:
            return found.group(0).rstrip("/")
    raise SystemExit("the process ended before it named its address")


def children(pid, name):
    """Direct children of `pid` whose program is called `name`."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            comm, rest = (entry / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
            if comm == name[:15] and int(rest.split()[1]) == pid:
                found.append(int(entry.name))
    return sorted(found)


def resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Server:
    """`trafficlab-coordinator dev` with a data folder of its own."""

    def __init__(self, workers, cores=None, environment=None, flags=()):
        self.folder = tempfile.mkdtemp(prefix="trafficlab-bench-")
        command = [BIN / "trafficlab-coordinator", "dev", "--workers", workers, "--data-dir", self.folder, "--listen", "127.0.0.1:0", *flags]
        with tempfile.TemporaryFile("w+") as errors:
            self.process = spawn(command, cores, stdout=subprocess.PIPE, stderr=errors, env={**os.environ, **(environment or {})})
            try:
                self.url = first_url(self.process)
            except SystemExit:
                errors.seek(0)
                say(errors.read()[-2000:])
                shutil.rmtree(self.folder, ignore_errors=True)
                raise
        until("the workers join", 30, lambda: call("GET", f"{self.url}/health").get("workers", 0) >= workers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def workers(self):
        return children(self.process.pid, "trafficlab-worker")

    @property
    def broker(self):
        return children(self.process.pid, "nats-server")

    def start(self, rate, seconds, **fields):
        """Starts a run of `rate` requests a second and returns its campaign's id."""
        body = {"requests_per_minute": rate * 60, "duration_minutes": seconds / 60, **fields}
        campaign = call("POST", f"{self.url}/api/sessions/", body)["id"]
        call("PUT", f"{self.url}/api/traffic/campaigns/{campaign}/status", {"status": "running"})
        call("POST", f"{self.url}/api/traffic/generate", {"campaign_id": campaign})
        return campaign

    def stats(self, campaign):
        return call("GET", f"{self.url}/api/traffic/stats/{campaign}")["data"]

    def status(self, campaign):
        return call("GET", f"{self.url}/api/sessions/{campaign}")["status"]

    def finish(self, campaign, seconds):
        until("the run completes", seconds, lambda: self.status(campaign) == "completed", 0.2)
        return self.stats(campaign)


class Target:
    """The built-in test target."""

    def __init__(self, cores=None, *flags):
        self.process = spawn([BIN / "trafficlab-worker", "target", "--listen", "127.0.0.1:0", *flags], cores, stdout=subprocess.PIPE)
        self.url = first_url(self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


def median(values):
    return statistics.median(values) if values else 0.0


def nearest(ordered, share):
    """A percentile by nearest rank of values in order."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)
