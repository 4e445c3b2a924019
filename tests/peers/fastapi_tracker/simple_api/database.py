"""A database that is a list in a manager's process, behind a lock."""
import time
from multiprocessing import Manager


class MockedDB:
    def __init__(self):
        self._manager = Manager()
        self._visits = self._manager.list()
        self._lock = self._manager.Lock()

    def add(self, visit):
        """Stores a visit; returns how many there are."""
        with self._lock:
            self._visits.append({**visit, "timestamp": time.time()})
            return len(self._visits)

    def count(self, hours):
        """How many visits there are, and how many of them in the last hours."""
        with self._lock:
            visits = self._visits[:]
        since = time.time() - hours * 3600
        return len(visits), sum(visit["timestamp"] >= since for visit in visits)

    def close(self):
        self._manager.shutdown()
