#!/usr/bin/env python3
"""A Patroni cluster under load, whose leader is switched over and killed again and again: no acknowledged write may be
lost, none doubled, none applied that was refused. See ../README.md.

    run.py --load <program> [--switchovers N] [--failovers N] [--crashes N] [--seed N] [--strict] [--timeout-ms N]
           [--logs <folder>]
"""

import argparse
import collections
import pathlib
import random
import re
import statistics
import subprocess
import sys
import time

import sandbox
from cluster import Cluster
from record import OUTCOMES, Record, verdicts
from sandbox import Failure, wait_until

ACCOUNTS = 64
OPENING_BALANCE = 1000

# Between two events: long enough that all threads have written, and the pools are warm.
WRITES_BETWEEN_EVENTS = 500
RESUME_SECONDS = 60
PROMOTION_SECONDS = 60
REPLAY_SECONDS = 60
# An operation under way when the load is told to stop may take its whole timeout.
STOP_SECONDS = 60
# A switchover may be refused where the cluster was unsettled a moment ago.
SWITCHOVER_TRIES = 5

SCHEMA = f"""
create table accounts (id bigint primary key, balance bigint not null);
-- No unique key on purpose: a write that is applied twice shall show as two rows.
create table journal (id uuid not null, source bigint not null, target bigint not null, amount bigint not null);
create index on journal (id);
insert into accounts select n, {OPENING_BALANCE} from generate_series(1, {ACCOUNTS}) n;
"""

# Accounts whose balance is not what the journal says.
UNBALANCED = f"""
select count(*) from accounts a where balance <> {OPENING_BALANCE}
  + coalesce((select sum(amount) from journal where target = a.id), 0)
  - coalesce((select sum(amount) from journal where source = a.id), 0)
"""
TOTAL = "select sum(balance) from accounts"
JOURNAL = "copy (select id, count(*) from journal group by id) to stdout"
# The same on every node that has the same rows.
FINGERPRINT = """
select (select count(*) || ' ' || coalesce(sum(hashtextextended(id::text, 0)), 0) from journal) || ' '
    || (select sum(hashtextextended(id || ' ' || balance, 0)) from accounts)
"""

# `pause`: the longest time without an acknowledged write. `late`: the part of it in which the new primary took writes
# already. Both in seconds.
Event = collections.namedtuple("Event", "kind begin end pause late")


class Load:
    """The load program."""

    def __init__(self, box, program, cluster, timeout_ms):
        path = box.logs / "record"
        path.touch()
        box.own(path)
        self.record = Record(path)
        command = [pathlib.Path(program).resolve(), "--record", path, "--accounts", ACCOUNTS]
        if timeout_ms:
            command += ["--timeout-ms", timeout_ms]
        # As ourselves, not as the servers' user, who may be unable to read the program.
        with open(box.logs / "load.log", "wb") as log:
            self.process = subprocess.Popen([str(word) for word in command + cluster.dsns("app")], cwd=box.folder,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                                            start_new_session=True)
        if self.process.stdout.readline() != "ready\n":
            raise Failure("the load program did not start: see load.log")

    def wait_for_writes(self, count):
        """So many acknowledged writes more than now."""
        wanted = self.record.read() + count

        def enough():
            if self.process.poll() is not None:
                raise Failure("the load program died: see load.log")
            return self.record.read() >= wanted
        wait_until("further acknowledged writes: the library does not go on", enough, RESUME_SECONDS)

    def stop(self):
        """Returns its counts."""
        try:
            out, _ = self.process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired as expired:
            raise Failure("the load program does not stop") from expired
        if self.process.returncode != 0:
            raise Failure(f"the load program ended with {self.process.returncode}: see load.log")
        self.record.read()
        return {name: int(value) for name, value in (line.split() for line in out.splitlines())}


def switch_over(cluster, leader):
    for _ in range(SWITCHOVER_TRIES):
        refused = cluster.switch_over(leader)
        now = cluster.wait_until_healthy()
        if now is not leader:
            return
    raise Failure(f"no switchover from {leader.name}: {refused}")


def fail_over(cluster, leader):
    cluster.kill_node(leader)
    cluster.wait_for_leader_other_than(leader)
    cluster.start_node(leader)


def crash(cluster, leader):
    began = time.monotonic()
    cluster.crash_server(leader)
    wait_until("promotion", lambda: any(at > began for at in cluster.promotions()), PROMOTION_SECONDS)


MAKERS = {"switchover": switch_over, "failover": fail_over, "crash": crash}


def make_event(cluster, load, kind, label):
    """One event, until the cluster is healthy again and writes go on."""
    leader = cluster.wait_until_healthy()
    load.wait_for_writes(WRITES_BETWEEN_EVENTS)
    begin = time.monotonic()
    MAKERS[kind](cluster, leader)
    now = cluster.wait_until_healthy()
    healthy = time.monotonic()
    load.wait_for_writes(1)
    end = time.monotonic()
    record = load.record
    promoted = max((at for at in cluster.promotions() if begin <= at <= end), default=begin)
    late = record.first_acknowledged_after(promoted) - promoted
    event = Event(kind, begin, end, record.longest_pause(begin, end), late)
    counts = "  ".join(f"{what} {len(record.facts(what, begin, end))}"
                       for what in ("refused", "unknown", "eventual_error", "stale"))
    print(f"{label:>6} {kind:<11} {leader.name} -> {now.name}  pause {event.pause * 1000:6.0f} ms  "
          f"late {event.late * 1000:4.0f} ms  healthy after {healthy - begin:5.1f} s  {counts}", flush=True)
    return event


def same_everywhere(cluster):
    """Whether all nodes come to have the same rows."""
    def equal():
        try:
            return len({cluster.sql(node, FINGERPRINT) for node in cluster.nodes}) == 1
        except Failure:  # what it asks for is not there yet
            return False
    try:
        return wait_until("equal nodes", equal, REPLAY_SECONDS)
    except Failure:
        return False


def print_errors(record):
    """Every kind of error, how often, and one of them in full."""
    kinds = {}
    for fact in record.others:
        if fact.what in ("refused", "unknown", "unread", "eventual_error"):
            kinds.setdefault((fact.what, fact.more.split(" ", 1)[0]), []).append(fact.more.split(" ", 1)[-1])
    for (what, code), messages in sorted(kinds.items()):
        print(f"  {what:<15} {code:<28} {len(messages):>6}  {messages[0][:300]}")


def spread(seconds):
    values = sorted(seconds)
    return f"median {statistics.median(values) * 1000:.0f} ms, worst {values[-1] * 1000:.0f} ms"


def print_pauses(events):
    for kind in MAKERS:
        of_kind = [event for event in events if event.kind == kind]
        if of_kind:
            print(f"  {kind:<11} {len(of_kind):>3}   pause: {spread(event.pause for event in of_kind)}; "
                  f"of it since the promotion: {spread(event.late for event in of_kind)}")


def judge(cluster, record, events, counts):
    """Prints the closing table; true where everything holds."""
    leader = cluster.wait_until_healthy()
    found = {identifier: int(times) for identifier, times in
             (line.split("\t") for line in cluster.sql(leader, JOURNAL).splitlines())}
    wrong = {what: len(which) for what, which in verdicts(record, found).items()}
    for what, which in verdicts(record, found).items():
        for identifier in which[:5]:
            print(f"  {what}: {identifier}")
    wrong["accounts that the journal contradicts"] = int(cluster.sql(leader, UNBALANCED))
    wrong["money made or lost"] = int(cluster.sql(leader, TOTAL)) - ACCOUNTS * OPENING_BALANCE
    wrong["nodes that differ"] = 0 if same_everywhere(cluster) else 1
    wrong["errors of eventual reads"] = len(record.facts("eventual_error"))

    def in_event(fact):
        return any(event.begin <= fact.at <= event.end for event in events)
    stale = record.facts("stale")
    wrong["stale reads while nothing failed"] = sum(not in_event(fact) for fact in stale)
    calm_errors = [fact for what in ("refused", "unknown") for fact in record.facts(what) if not in_event(fact)]

    print("\nevents")
    print_pauses(events)
    print("writes")
    for outcome in OUTCOMES:
        print(f"  {outcome:<38} {record.count(outcome):>8}")
    print(f"  {'of these not acknowledged in calm':<38} {len(calm_errors):>8}")
    guard = collections.Counter(re.split(" ", fact.more)[0] for fact in record.facts("guard"))
    for resolution in ("applied", "not_applied", "unresolved"):
        print(f"  {'answer lost, found out: ' + resolution:<38} {guard[resolution]:>8}")
    print(f"  {'further attempts':<38} {counts['retries']:>8}")
    print("reads")
    print(f"  {'of what the session had written':<38} {counts['fresh_reads']:>8}")
    print(f"  {'  answered by replicas':<38} {counts['fresh_reads_on_replicas']:>8}")
    print(f"  {'  stale during events':<38} {len(stale) - wrong['stale reads while nothing failed']:>8}")
    print(f"  {'  failed':<38} {len(record.facts('unread')):>8}")
    print(f"  {'eventual':<38} {counts['eventual_reads']:>8}")
    print("errors")
    print_errors(record)
    print("must be zero")
    for what, value in wrong.items():
        print(f"  {what:<38} {value:>8}{'   <-- WRONG' if value else ''}")
    return not any(wrong.values())


def run(box, settings):
    cluster = Cluster(box, settings.strict)
    print(f"starting etcd and {len(cluster.nodes)} nodes (seed {settings.seed}) ...", flush=True)
    leader = cluster.start()
    # With pg_read_all_stats a replica may show a session its own writes.
    cluster.sql(leader, "create role app login in role pg_read_all_stats", "postgres")
    cluster.sql(leader, "create database bank owner app", "postgres")
    cluster.sql(leader, SCHEMA, user="app")
    if not same_everywhere(cluster):
        raise Failure("the standbys do not follow")

    load = Load(box, settings.load, cluster, settings.timeout_ms)
    kinds = ["switchover"] * settings.switchovers + ["failover"] * settings.failovers + ["crash"] * settings.crashes
    random.Random(settings.seed).shuffle(kinds)
    events = [make_event(cluster, load, kind, f"{i}/{len(kinds)}") for i, kind in enumerate(kinds, 1)]
    load.wait_for_writes(WRITES_BETWEEN_EVENTS)
    counts = load.stop()
    holds = judge(cluster, load.record, events, counts)
    print("everything holds" if holds else f"FAILED; the logs are in {box.logs}", flush=True)
    return 0 if holds else 1


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--load", required=True)
    arguments.add_argument("--switchovers", type=int, default=20)
    arguments.add_argument("--failovers", type=int, default=10)
    arguments.add_argument("--crashes", type=int, default=0)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--strict", action="store_true", help="synchronous_mode_strict")
    arguments.add_argument("--timeout-ms", type=int, default=0, help="of each operation; 0: the library's default")
    arguments.add_argument("--logs", default="build/e2e-patroni")
    settings = arguments.parse_args()
    return sandbox.run(settings.logs, lambda box: run(box, settings))


if __name__ == "__main__":
    sys.exit(main())
