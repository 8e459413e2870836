"""A Patroni cluster of three PostgreSQL nodes with etcd, all on the loopback interface."""

import datetime
import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request

from sandbox import Failure, free_ports, kill_all_in, wait_until

# etcd has one node: that its majority is lost is no case of ours.
NODES = ("node1", "node2", "node3")

# loop_wait + 2 * retry_timeout must not be more than ttl. A leader that was killed is missed after up to ttl seconds,
# which is most of a failover's pause; shorter ones make busy machines fail over by themselves.
TTL = 5
LOOP_WAIT = 1
RETRY_TIMEOUT = 2

START_SECONDS = 120
HEALTHY_SECONDS = 120
NEW_LEADER_SECONDS = 60
REQUEST_SECONDS = 5
# Patroni answers when the switchover is done, or was given up.
SWITCHOVER_SECONDS = 90

# What a server writes right before it takes writes.
PROMOTED = re.compile(r"^(\S+ \S+) UTC \[\d+\] LOG:  archive recovery complete$", re.MULTILINE)


def program(name, *folders):
    found = shutil.which(name, path=os.pathsep.join([*folders, os.environ["PATH"]]))
    if not found:
        raise Failure(f"there is no program {name}: run scripts/bootstrap.sh build test e2e")
    return found


def postgres_folder():
    """Where the newest installed server's programs are."""
    base = "/usr/lib/postgresql"
    versions = sorted((each for each in os.listdir(base) if each.isdigit()), key=int) if os.path.isdir(base) else []
    if versions:
        return f"{base}/{versions[-1]}/bin"
    return os.path.dirname(program("postgres"))


class Node:
    def __init__(self, name, box, ports):
        self.name = name
        self.port, self.rest_port = ports
        self.folder = box.make_folder(name)
        self.settings = self.folder / "patroni.yml"
        self.process = None

    def ask(self, path, body=None, seconds=REQUEST_SECONDS):
        """Status and text of Patroni's answer; (None, why) where there is none."""
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.rest_port}{path}", data, seconds) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError as error:
            return None, str(error)


class Cluster:
    def __init__(self, box, strict):
        self.box = box
        self.strict = strict
        self.bin = postgres_folder()
        self.wall_minus_monotonic = time.time() - time.monotonic()
        ports = free_ports(2 + 2 * len(NODES))
        self.etcd_ports = ports[:2]
        self.nodes = [Node(name, box, ports[2 + 2 * i:4 + 2 * i]) for i, name in enumerate(NODES)]

    def start(self):
        client, peer = (f"http://127.0.0.1:{port}" for port in self.etcd_ports)
        folder = self.box.make_folder("etcd")
        self.box.start([program("etcd"), "--name", "etcd", "--data-dir", folder / "data",
                        "--listen-client-urls", client, "--advertise-client-urls", client,
                        "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                        "--initial-cluster", f"etcd={peer}"], folder, "etcd.log")
        wait_until("answer of etcd", lambda: self.etcd_is_healthy(client), START_SECONDS)
        for node in self.nodes:
            node.settings.write_text(json.dumps(self.patroni_settings(node), indent=2))  # JSON is YAML
            self.box.own(node.settings)
            self.start_node(node)
        return self.wait_until_healthy(START_SECONDS)

    @staticmethod
    def etcd_is_healthy(address):
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=REQUEST_SECONDS) as answer:
                return json.load(answer).get("health") == "true"
        except OSError:
            return False

    def patroni_settings(self, node):
        return {
            "scope": "e2e",
            "name": node.name,
            "restapi": {"listen": f"127.0.0.1:{node.rest_port}", "connect_address": f"127.0.0.1:{node.rest_port}"},
            "etcd3": {"host": f"127.0.0.1:{self.etcd_ports[0]}"},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL,
                    "loop_wait": LOOP_WAIT,
                    "retry_timeout": RETRY_TIMEOUT,
                    # One of the two standbys has every commit before it is acknowledged, and Patroni promotes no other.
                    "synchronous_mode": True,
                    "synchronous_mode_strict": self.strict,
                    "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": {
                        "max_connections": 100,
                        "wal_log_hints": "on",
                        # We kill processes, never the kernel: what was written is there.
                        "fsync": "off",
                        "shared_buffers": "32MB",
                        # A standby that asked a new leader too soon asks again, not 5 s later.
                        "wal_retrieve_retry_interval": "500ms",
                    }},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{node.port}",
                "connect_address": f"127.0.0.1:{node.port}",
                "data_dir": str(node.folder / "data"),
                "bin_dir": self.bin,
                "pgpass": str(node.folder / "pgpass"),
                "parameters": {"unix_socket_directories": "", "log_line_prefix": "%m [%p] ", "log_timezone": "UTC"},
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
                "basebackup": {"checkpoint": "fast"},
                "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "replicator"}},
            },
            "watchdog": {"mode": "off"},
        }

    def start_node(self, node):
        node.process = self.box.start([program("patroni"), node.settings], node.folder, f"{node.name}.log")

    def kill_node(self, node):
        """Patroni and PostgreSQL at once, without a word."""
        kill_all_in(node.folder)
        node.process.wait()

    def crash_server(self, node):
        """PostgreSQL alone: Patroni sees it, and starts it again or gives the lead away."""
        kill_all_in(node.folder / "data")

    def find(self, name):
        return next(node for node in self.nodes if node.name == name)

    def leader(self):
        """The node that Patroni says is the primary, or None."""
        return next((node for node in self.nodes if node.ask("/primary")[0] == 200), None)

    def wait_for_leader_other_than(self, node):
        def found():
            leader = self.leader()
            return leader if leader is not node else None
        return wait_until(f"leader other than {node.name}", found, NEW_LEADER_SECONDS)

    def healthy_leader(self):
        """The leader, if there is one, all others follow its timeline, and one of them is synchronous."""
        answers = (node.ask("/cluster") for node in self.nodes)
        status, text = next((answer for answer in answers if answer[0]), (None, ""))
        if status != 200:
            return None
        members = json.loads(text).get("members", [])
        leaders = [each for each in members if each["role"] == "leader" and each["state"] == "running"]
        followers = [each for each in members if each["role"] in ("replica", "sync_standby")
                     and each["state"] in ("running", "streaming")]
        if len(leaders) != 1 or len(followers) != len(self.nodes) - 1:
            return None
        if any(each.get("timeline") != leaders[0].get("timeline") for each in followers):
            return None
        if not any(each["role"] == "sync_standby" for each in followers):
            return None
        leader = self.find(leaders[0]["name"])
        return leader if leader.ask("/primary")[0] == 200 else None

    def wait_until_healthy(self, seconds=HEALTHY_SECONDS):
        return wait_until("healthy cluster", self.healthy_leader, seconds)

    def switch_over(self, leader):
        """Asks for another leader; an error's text where Patroni would not."""
        status, text = leader.ask("/switchover", {"leader": leader.name}, SWITCHOVER_SECONDS)
        return None if status == 200 else f"{status}: {text}"

    def promotions(self):
        """When a standby became a primary and took writes, by its own log, in seconds of the monotonic clock."""
        found = []
        for node in self.nodes:
            text = (self.box.logs / f"{node.name}.log").read_text(errors="replace")
            for stamp in PROMOTED.findall(text):
                at = datetime.datetime.fromisoformat(stamp).replace(tzinfo=datetime.timezone.utc).timestamp()
                found.append(at - self.wall_minus_monotonic)
        return sorted(found)

    def sql(self, node, statement, database="bank", user="postgres"):
        """What psql prints, unaligned."""
        done = subprocess.run([program("psql", self.bin), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1",
                               "-p", str(node.port), "-U", user, "-d", database, "-c", statement],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"psql on {node.name}: {done.stderr.strip()}")
        return done.stdout

    def dsns(self, user):
        return [f"postgresql://{user}@127.0.0.1:{node.port}/bank" for node in self.nodes]
