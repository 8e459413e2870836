"""What the load program wrote down while it ran, and what follows from it."""

import bisect
import collections

# The verdicts on a write, by the load program's words.
OUTCOMES = ("acknowledged", "refused", "unknown")

Fact = collections.namedtuple("Fact", "at what id more")  # `at` in seconds of the monotonic clock


class Record:
    def __init__(self, path):
        self.path = path
        self.offset = 0
        self.writes = {}  # id: "sent" or one of OUTCOMES
        self.acknowledged_at = []
        self.others = []  # everything but sent and acknowledged

    def read(self):
        """What was added since the last time; returns how many writes are acknowledged."""
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            text = file.read()
        whole = text[:text.rfind(b"\n") + 1]
        self.offset += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            self.add(line)
        return len(self.acknowledged_at)

    def add(self, line):
        at, what, identifier, more = line.split(" ", 3)
        fact = Fact(int(at) / 1e6, what, identifier, more)
        if what == "sent":
            self.writes[identifier] = what
        elif what in OUTCOMES:
            self.writes[identifier] = what
        if what == "acknowledged":
            bisect.insort(self.acknowledged_at, fact.at)
        elif what != "sent":
            self.others.append(fact)

    def count(self, what):
        return sum(outcome == what for outcome in self.writes.values())

    def facts(self, what, begin=None, end=None):
        return [fact for fact in self.others
                if fact.what == what and (begin is None or begin <= fact.at <= end)]

    def longest_pause(self, begin, end):
        """The longest time without an acknowledged write that overlaps the interval, in seconds."""
        first = max(bisect.bisect_left(self.acknowledged_at, begin) - 1, 0)
        last = bisect.bisect_right(self.acknowledged_at, end)
        times = self.acknowledged_at[first:last + 1]
        return max((after - before for before, after in zip(times, times[1:])), default=0.0)

    def first_acknowledged_after(self, moment):
        at = bisect.bisect_right(self.acknowledged_at, moment)
        return self.acknowledged_at[at] if at < len(self.acknowledged_at) else None


def verdicts(record, found):
    """Compares the record with the journal ({id: how often}) of the database: what must not be."""
    wrong = {"lost": [], "doubled": [], "applied although refused": [], "never sent": []}
    for identifier, outcome in record.writes.items():
        times = found.get(identifier, 0)
        if outcome == "acknowledged" and times == 0:
            wrong["lost"].append(identifier)
        if outcome == "refused" and times > 0:
            wrong["applied although refused"].append(identifier)
        if times > 1:
            wrong["doubled"].append(identifier)
    wrong["never sent"] = [identifier for identifier in found if identifier not in record.writes]
    return wrong
