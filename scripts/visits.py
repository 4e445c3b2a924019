"""Visits for the tracker's measurements: thirty days of a busy site, clients that repeat themselves, and what is stored of them."""
import bisect
import datetime
import http.client
import itertools
import json
import os
import queue
import random
import threading
import time
import urllib.parse

KEY = "an-ingest-key-of-the-measurements"
SITE = "shop.example"
DAYS = 30
VISITORS_A_DAY = 55_000  # about 50 000 of whom are drawn at least once
PAGES = 5_000
SOURCES = 200
AGENTS = 300
LINES = 3_000
# When people come, by hour.
HOURS = [2, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 9, 10, 10, 9, 6, 4]


FIRST_DAY = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=DAYS)


def period():
    """The `date` of a question over all of them: thirty days up to yesterday."""
    return f"{FIRST_DAY},{FIRST_DAY + datetime.timedelta(days=DAYS - 1)}"


def weighted(count, power):
    """Sums of weights that fall with a power of the rank, as those of pages and sources do."""
    return list(itertools.accumulate(1 / (rank + 1) ** power for rank in range(count)))


def agents():
    """User agents of common browsers in their last versions."""
    shapes = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{}.0 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36 Edg/{0}.0.0.0",
    ]
    return [shapes[number % len(shapes)].format(144 - number // len(shapes)) for number in range(AGENTS)]


def day_of(nth, count):
    """One day's visits as lines in the order of their times."""
    draw = random.Random(1000 + nth)
    pages, sources, browsers = weighted(PAGES, 0.9), weighted(SOURCES, 1.1), weighted(AGENTS, 0.8)
    paths = [f"/{('blog', 'shop', 'help')[number % 3]}/page-{number}" for number in range(PAGES)]
    names = agents()
    hours = list(itertools.accumulate(HOURS))
    date = FIRST_DAY + datetime.timedelta(days=nth)
    found, today = [], draw.sample(range(VISITORS_A_DAY * 10), VISITORS_A_DAY)

    def pick(sums):
        return bisect.bisect(sums, draw.random() * sums[-1])

    own = [names[pick(browsers)] for _ in range(4096)]
    while len(found) < count:
        person = today[int(VISITORS_A_DAY * draw.random())]
        agent = own[person % len(own)]
        source = pick(sources)
        at = pick(hours) * 3600 + draw.random() * 3600
        referrer = f"https://www.source-{source}.example/" if source else ""
        for _ in range(1 + int(draw.expovariate(0.45))):
            if at >= 86_400 or len(found) >= count:
                break
            found.append((at, person, paths[pick(pages)], agent, referrer))
            referrer = ""
            at += 1 + draw.expovariate(1 / 45)
    found.sort()
    return [
        f'{{"user_id":"user-{person}","page_url":"https://{SITE}{path}","user_agent":"{agent}","referrer":"{referrer}",'
        f'"timestamp":"{date}T{int(at) // 3600:02}:{int(at) // 60 % 60:02}:{at % 60:06.3f}Z"}}'
        for at, person, path, agent, referrer in found
    ]


def load(url, count, core):
    """Stores so many visits of thirty days, each with a time of its own, drawn on the given core."""
    os.sched_setaffinity(0, {int(core)} & os.sched_getaffinity(0) or os.sched_getaffinity(0))
    bodies = queue.Queue(maxsize=8)
    sender = Sender(url, bodies)
    sender.start()
    for nth in range(DAYS):
        lines = day_of(nth, count // DAYS + (nth < count % DAYS))
        for start in range(0, len(lines), LINES):
            bodies.put(("\n".join(lines[start:start + LINES]).encode(), len(lines[start:start + LINES])))
            if sender.fault:
                raise SystemExit(sender.fault)
    bodies.put(None)
    sender.join()
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    if sender.fault:
        raise SystemExit(sender.fault)
    return sender.accepted


class Sender(threading.Thread):
    """Sends bodies one after the other over one connection."""

    def __init__(self, url, bodies):
        super().__init__(daemon=True)
        self.address, self.bodies, self.accepted, self.fault = url.removeprefix("http://"), bodies, 0, None

    def run(self):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        headers = {"content-type": "application/x-ndjson", "authorization": f"Bearer {KEY}"}
        while (item := self.bodies.get()) is not None:
            body, lines = item
            while True:
                connection.request("POST", "/visit/batch", body, headers)
                answer = connection.getresponse()
                said = answer.read()
                if answer.status != 503:
                    break
                time.sleep(0.05)
            if answer.status != 200 or json.loads(said)["accepted"] != lines:
                self.fault = f"/visit/batch answered {answer.status}: {said[:1000].decode(errors='replace')}"
                while self.bodies.get() is not None:
                    pass
                return
            self.accepted += lines


class Clients:
    """Clients that send visits with event ids, each until it is answered, through every death of the server."""

    def __init__(self, url, count):
        self.address, self.over, self.sent = url.removeprefix("http://"), threading.Event(), []
        self.threads = [threading.Thread(target=self.run, args=(number,), daemon=True) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        connection, pages = http.client.HTTPConnection(self.address, timeout=10), set()
        for nth in itertools.count():
            if self.over.is_set():
                break
            page = f"/{number}/{nth}"
            body = json.dumps({"user_id": f"user-{number}", "page_url": f"https://repeated.example{page}", "event_id": page})
            while not self.answered(connection, body):
                time.sleep(0.005)
            pages.add(page)
            # Fewer pages than a site may have in a day.
            time.sleep(0.005)
        self.sent.append(pages)

    def answered(self, connection, body):
        try:
            connection.request("POST", "/visit", body, {"content-type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            return answer.status == 200
        except (OSError, http.client.HTTPException):
            connection.close()
            return False

    def finish(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
        if len(self.sent) != len(self.threads):
            raise SystemExit("a client was never answered")
        return set().union(*self.sent)


def views(server, site):
    """How many page views of a site are stored, bots included."""
    return server.ask("aggregate", site_id=site, period="all", metrics="pageviews", bots="include")["results"]["pageviews"]["value"]


def pages(server, site):
    """How often each page of a site is stored."""
    found = {}
    for number in itertools.count(1):
        rows = server.ask("breakdown", site_id=site, period="all", property=urllib.parse.quote("event:page"), metrics="pageviews",
                          bots="include", limit=1000, page=number)["results"]
        if not rows:
            return found
        found.update((row["page"], row["pageviews"]) for row in rows)
