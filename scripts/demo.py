#!/usr/bin/env python3
"""Drives the demonstration of scripts/run through the public HTTP API, with the standard library alone.

usage: demo.py wait --url URL [--pid PID]           wait until the server is healthy
       demo.py run --url URL --target URL [--rate N] [--seconds N]
"""
import argparse
import json
import sys
import time
import urllib.error
import urllib.request

PERCENTILES = ("p50", "p90", "p95", "p99", "p99.9", "max")


# Requests to this machine go straight to it, whatever proxy the environment names.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """The server said no; the message is what a person needs."""


def call(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    try:
        with DIRECT.open(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise Refused(f"{method} {url} answered {error.code}: {error.read(2000).decode(errors='replace')}") from error
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise Refused(f"{method} {url} failed: {error}") from error


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_healthy(url, pid, seconds=120):
    deadline = time.monotonic() + seconds
    last = "no answer"
    while time.monotonic() < deadline:
        if pid and not alive(pid):
            raise Refused("the server process has ended")
        try:
            health = call("GET", f"{url}/health")
            if health.get("status") == "healthy" and health.get("workers", 1) > 0:
                return
            last = json.dumps(health)
        except Refused as refused:
            last = str(refused)
        time.sleep(0.2)
    raise Refused(f"the server is not healthy after {seconds} s: {last}")


def start(url, target, rate, seconds):
    campaign = call("POST", f"{url}/api/sessions/", {
        "name": "demonstration",
        "target_url": target,
        "requests_per_minute": rate * 60,
        "duration_minutes": seconds / 60,
        "geo_locations": ["United States", "Germany", "Japan"],
        "config": {"mode": "http"},
    })["id"]
    call("PUT", f"{url}/api/traffic/campaigns/{campaign}/status", {"status": "running"})
    call("POST", f"{url}/api/traffic/generate", {"campaign_id": campaign})
    return campaign


def follow(url, campaign, seconds):
    """Prints progress until the campaign is over; a minute beyond its duration is too long."""
    began = time.monotonic()
    while time.monotonic() - began < seconds + 60:
        time.sleep(3)
        data = call("GET", f"{url}/api/traffic/monitor/{campaign}")["data"]
        print(f"  {time.monotonic() - began:5.1f} s  {data['total_requests']:>8} requests  "
              f"{number(data.get('success_rate'))} % successful  "
              f"{number(data.get('average_response_time'))} ms on average", flush=True)
        if not data["is_running"]:
            return
    raise Refused("the campaign did not end in time")


def number(value):
    return "-" if value is None else f"{value:.2f}"


def percentiles(data):
    times = data["response_times"]["response"]
    return " · ".join(f"{name} {number(times[name])}" for name in PERCENTILES)


def summary(url, campaign, rate, seconds):
    data = call("GET", f"{url}/api/traffic/stats/{campaign}")["data"]
    stored = call("GET", f"{url}/api/traffic/generated/{campaign}?limit=1")["metadata"]["stored_entries"]
    asked = rate * seconds
    arrivals, codes = data["arrivals"], data["status_codes"]
    sent = arrivals["sent"]
    rows = [
        ("asked", asked),
        ("sent", sent),
        ("late, dropped, missed", ", ".join(str(arrivals[name]) for name in ("late", "dropped", "missed"))),
        ("achieved rate", f"{sent / seconds:.1f} of {rate} requests/s"),
        ("response time, ms", percentiles(data)),
        ("status codes", ", ".join(f"{code}: {count}" for code, count in sorted(codes.items())) or "-"),
        ("success rate", f"{number(data.get('success_rate'))} %"),
        ("stored entries", stored),
        ("look at it", f"{url}/api/traffic/stats/{campaign}"),
    ]
    print()
    for name, value in rows:
        print(f"  {name:<22} {value}")
    if sent < asked * 0.99 or stored != sent:
        raise Refused(f"{asked} requests were asked for, {sent} sent and {stored} stored")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    wait = commands.add_parser("wait")
    wait.add_argument("--url", required=True)
    wait.add_argument("--pid", type=int)
    run = commands.add_parser("run")
    run.add_argument("--url", required=True)
    run.add_argument("--target", required=True)
    run.add_argument("--rate", type=int, default=200)
    run.add_argument("--seconds", type=int, default=30)
    args = parser.parse_args()
    try:
        if args.command == "wait":
            wait_healthy(args.url, args.pid)
        else:
            campaign = start(args.url, args.target, args.rate, args.seconds)
            follow(args.url, campaign, args.seconds)
            summary(args.url, campaign, args.rate, args.seconds)
    except Refused as refused:
        print(f"demo: {refused}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
