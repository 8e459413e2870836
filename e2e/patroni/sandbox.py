"""A temporary folder, and processes that live no longer than it does.

    sys.exit(sandbox.run(lambda box: ...))

The work is done in a child of this process. Whatever ends the child (its own end, Ctrl-C, a kill), everything that
runs in the folder is killed and the folder removed; should this process be killed, the child does the same. A process
belongs to the folder when its working directory is in it, which holds for servers that left their starter as well.
"""

import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

POLL_SECONDS = 0.02
# What was sent SIGKILL is gone sooner, unless it hangs in the kernel.
KILL_SECONDS = 20


class Failure(Exception):
    """The run can not go on; the text says why."""


def wait_until(what, condition, seconds):
    """Calls condition until it returns something true, and returns that."""
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            raise Failure(f"after {seconds} s still no {what}")
        time.sleep(POLL_SECONDS)


def processes_in(folder):
    """The processes whose working directory is the folder or below."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            at = os.readlink(entry / "cwd")
        except OSError:  # gone, a zombie, or somebody else's
            continue
        if at == str(folder) or at.startswith(f"{folder}/"):
            found.append(int(entry.name))
    return found


def kill_all_in(folder):
    """Kills until nobody is left, since some start others while we look."""

    def nobody_is_left():
        found = processes_in(folder)
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not found

    wait_until(f"end of all processes in {folder}", nobody_is_left, KILL_SECONDS)


def free_ports(count):
    """Ports of the loopback interface that nobody uses at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Box:
    """The folder. Servers in it run as `user`: they refuse to be root's."""

    def __init__(self, logs):
        self.logs = pathlib.Path(logs).resolve()
        self.user = "postgres" if os.geteuid() == 0 else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="breakwater-e2e."))
        self.own(self.folder)

    def own(self, path):
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(path, account.pw_uid, account.pw_gid)

    def make_folder(self, name):
        path = self.folder / name
        path.mkdir(mode=0o700)
        self.own(path)
        return path

    def start(self, command, cwd, log):
        """A server, in a session of its own, so that Ctrl-C is ours alone. Its log is appended to."""
        identity = {}
        if self.user:
            identity = {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []}
        environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8"}
        with open(self.logs / log, "ab") as out:
            return subprocess.Popen([str(word) for word in command], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                                    stdout=out, stderr=out, start_new_session=True, **identity)

    def remove(self):
        kill_all_in(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)


def prctl(option, value):
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise Failure("prctl: " + os.strerror(ctypes.get_errno()))


def interrupt(*_):
    raise KeyboardInterrupt


def work(box, body, parent):
    """The child: returns its exit code."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, interrupt)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    try:
        if os.getppid() != parent:
            return 1
        return body(box)
    except Failure as failure:
        print(f"FAILED: {failure}; the logs are in {box.logs}", flush=True)
        return 1
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        return 130
    finally:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        box.remove()


def reap(child):
    """Waits for whoever ends, until this child does, or nobody is left. Returns the child's exit code."""
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return 1
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def run(logs, body):
    """Calls body(box) in a child and returns its exit code, when everything it started is gone."""
    shutil.rmtree(logs, ignore_errors=True)
    pathlib.Path(logs).mkdir(parents=True)
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # what servers leave behind becomes ours, to be waited for
    box = Box(logs)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = work(box, body, parent)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child has it too
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda number, _: os.kill(child, number))
    code = reap(child)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    box.remove()
    reap(None)
    return code if code >= 0 else 128 - code
