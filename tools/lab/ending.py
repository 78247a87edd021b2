# SPDX-License-Identifier: MIT
"""How a program ends that starts machines: when it is interrupted, too, none is left running."""

import contextlib
import os
import signal
import subprocess
import sys
import threading

from lab.asked import program_name

LIVE = set()                        # processes to be ended if we are


class Signals:
    """A signal that comes while the main thread starts a process waits: nobody would know of the
    process.  Other threads, whose machines are killed, end without a word when they start one."""
    starting = came = False

    @classmethod
    def take(cls, *_):
        again, cls.came = cls.came, True
        if not cls.starting and not again:
            kill_all()
            raise KeyboardInterrupt

    @classmethod
    def hold(cls, starting):
        main = threading.current_thread() is threading.main_thread()
        if main:
            cls.starting = starting
        if cls.came:
            kill_all()
            raise KeyboardInterrupt if main else SystemExit


STARTING = threading.Lock()         # held by who starts a process that LIVE has not yet


def start(command, **how):
    """In a session of its own: nothing of it survives us, and Ctrl-C reaches us first."""
    Signals.hold(True)
    try:
        with STARTING:
            process = subprocess.Popen(command, start_new_session=True,
                                       **{'stdin': subprocess.DEVNULL, **how})
            LIVE.add(process)
    finally:
        Signals.hold(False)
    return process


def kill(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    LIVE.discard(process)


def kill_all():
    for process in list(LIVE):
        kill(process)


@contextlib.contextmanager
def running(command, **how):
    """The process; what of it is there still at the end of the block is killed."""
    process = start(command, **how)
    try:
        yield process
    finally:
        kill(process)
        for pipe in process.stdout, process.stderr:
            if pipe:
                pipe.close()
        process.wait()


def output_of(command, timeout=None, **how):
    """The process, ended, and what it printed, as subprocess.run() has it."""
    pipe = subprocess.PIPE
    with running(command, **{'stdout': pipe, 'stderr': pipe, **how}) as process:
        said = process.communicate(timeout=timeout)
        return subprocess.CompletedProcess(command, process.returncode, *said)


def program(main, undecided='; nothing is decided'):
    """Run main() and end with its status; with 130 and a line when a signal came before."""
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, Signals.take)
    try:
        sys.exit(main())
    except (KeyboardInterrupt, BrokenPipeError) as e:
        why = 'interrupted' if isinstance(e, KeyboardInterrupt) else 'nobody reads the output'
        print(f'\n{program_name()}: {why}{undecided}', file=sys.stderr)
        STARTING.acquire(timeout=5)     # no thread starts another, from here on
        kill_all()
        os._exit(130)
