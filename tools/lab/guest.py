# SPDX-License-Identifier: MIT
"""Runs tests in a program or an emulated machine, and decides.

Success is: the right exit status, a complete plan, no "not ok".  Every other ending
has a reason in words.
"""

import dataclasses
import os
import re
import select
import shlex
import signal
import subprocess
import tempfile
import time

from lab.asked import SCALE, seconds
from lab.ending import running
from lab.ktap import Case, Reader
from lab.machine import EXIT_FAILED, EXIT_OK, Unusable


@dataclasses.dataclass
class Limits:
    """Seconds, before LIMIT_SCALE."""
    start: float = 90               # to the first line of KTAP
    silence: float = seconds('SILENCE_LIMIT', 60)   # between lines, from then on
    total: float = 400
    panic: float = 20                # for the report of a panic

    def scaled(self):
        return Limits(*(SCALE * v for v in dataclasses.astuple(self)))


@dataclasses.dataclass
class Outcome:
    name: str
    cases: list
    reason: str = ''                # empty: it went as it should
    details: list = dataclasses.field(default_factory=list)
    command: str = ''
    again: str = ''                 # the same by make
    log: str = ''
    seed: str = ''
    seconds: float = 0.0

    def count(self, status):
        return sum(c.status == status for c in self.cases)


class Run:
    """One process whose standard output is read as KTAP until it ends or must be ended."""

    def __init__(self, command, log, limits, env=None):
        self.command, self.log, self.limits = command, log, limits.scaled()
        self.env = env
        self.reader = Reader()
        self.stopped = None         # why we ended it
        self.status, self.errors = None, ''

    def go(self):
        os.makedirs(os.path.dirname(self.log) or '.', exist_ok=True)
        with tempfile.TemporaryFile() as errors, open(self.log, 'wb') as log:
            with running(self.command, env=self.env, stdout=subprocess.PIPE,
                         stderr=errors) as process:
                self._watch(process, log)
            self.status = process.returncode
            errors.seek(0)
            self.errors = errors.read().decode(errors='replace').strip()
        return self

    def _watch(self, process, log):
        start = heard = time.monotonic()
        rest = b''
        while True:
            limit, why = self._limit(start, heard)
            left = limit - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                self.stopped = why
                break
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                self._wait_for_end(process)
                break
            heard = time.monotonic()
            log.write(data)
            *lines, rest = (rest + data).split(b'\n')
            for line in lines:
                self.reader.line(line.decode(errors='replace'))
        if rest:
            self.reader.line(rest.decode(errors='replace'))

    def _wait_for_end(self, process):
        try:
            process.wait(self.limits.panic)
        except subprocess.TimeoutExpired:
            self.stopped = 'it closed its output but did not end'

    def _limit(self, start, heard):
        """The next moment to lose patience, and what to say then."""
        l, r = self.limits, self.reader
        if r.panic:
            return heard + l.panic, 'the panic did not end the machine'
        limits = [(start + l.total, f'not done after {l.total:.0f} s in all')]
        if r.started:
            limits.append((heard + l.silence, f'nothing printed for {l.silence:.3g} s'))
        else:
            limits.append((start + l.start, f'no test output for {l.start:.3g} s after the start'))
        return min(limits)


def where(reader):
    if reader.running:
        return f' in {reader.running}'
    return ' before the first test' if not reader.cases() else ' between tests'


def reason_common(run):
    """Endings that do not depend on the kind of process; None if there is no such fault."""
    r = run.reader
    if r.panic:
        return 'panic' + where(r) + ': ' + r.panic[0].strip()
    if run.stopped:
        last = f'; its last line: {r.last_line[:120]}' if r.last_line else ''
        return f'hang{where(r)}: {run.stopped}{last}'
    return None


def reason_results(run):
    """Faults in what was reported; None if the report is complete and good."""
    r = run.reader
    if r.broken:
        return f'garbled output: {r.broken}'
    if r.missing():
        return f'truncated plan: {r.missing()}{where(r) if r.started else ""}'
    if r.failed():
        return f'{len(r.failed())} of {len(r.cases())} tests failed'
    return None


def first_line(text):
    return (text.splitlines() or [''])[0]


def finish(run, name, reason, seconds):
    r = run.reader
    cases = r.cases()
    # A test that the machine died in has failed, although it could not say so.
    if reason and (r.running or not r.failed()):
        suite, _, test = (r.running or 'run.ending').partition('.')
        cases.append(Case(suite, test, 'failed', notes=[reason]))
    details = r.panic[:60]
    if run.errors and reason:
        details = details + [line for line in run.errors.splitlines()[:40]]
    return Outcome(name, cases, reason or '', details, shlex.join(run.command), log=run.log,
                   seed=r.seed or '', seconds=seconds)


def unusable(name, error):
    return Outcome(name, [Case('run', 'start', 'failed', notes=[str(error)])], str(error))


# --- a Linux process

def run_host(name, command, log, limits=None):
    start = time.monotonic()
    try:
        run = Run(command, log, limits or Limits()).go()
    except OSError as e:
        return unusable(name, f'cannot run {command[0]}: {e.strerror}')
    return finish(run, name, reason_common(run) or host_reason(run), time.monotonic() - start)


def host_reason(run):
    for line in run.errors.splitlines():
        if 'ERROR: AddressSanitizer' in line or 'runtime error:' in line \
                or 'ERROR: LeakSanitizer' in line or 'WARNING: ThreadSanitizer' in line:
            return f'sanitizer{where(run.reader)}: {line.strip()}'
    if run.status < 0:
        return f'killed by {signal.Signals(-run.status).name}{where(run.reader)}'
    if run.reader.plan == 0:
        return None if run.status == 1 else 'no test ran, and yet it reported success'
    fault = reason_results(run)
    if fault or run.status == 0:
        return fault or None
    return f'exit status {run.status} though no test failed'


TAP = re.compile(r'(not )?ok\b *\d* *-? *(.*?)(?: # SKIP *(.*))?$')


class Tap:
    """Flat TAP: the plan first or last, diagnostics before a result or after it."""

    def __init__(self, name, text):
        self.name, self.cases, self.plan, self.seed = name, [], -1, ''
        self.notes, self.following = [], False    # of the next result; or of the last
        for line in text.splitlines():
            self._line(line)

    def _line(self, line):
        result = TAP.match(line)
        if re.fullmatch(r'1\.\.\d+', line):
            self.plan = int(line[3:])
        elif line.startswith('# seed '):
            self.seed = line[7:]
        elif result:
            self._result(*result.groups())
        elif not line.startswith('TAP version'):
            self._note(line.removeprefix('# '))

    def _result(self, bad, full, why):
        suite, dot, test = full.partition('.')
        status = 'failed' if bad else 'passed' if why is None else 'skipped'
        self.cases.append(Case(suite if dot else self.name, test if dot else suite, status,
                               notes=self.notes, why=why or ''))
        self.notes, self.following = [], False

    def _note(self, note):
        last = self.cases[-1] if self.cases else None
        if last and last.status == 'failed' and (self.following or not last.notes):
            self.following = True
            last.notes.append(note)
        else:
            self.notes.append(note)


def run_tap(name, command, limit=100):
    """A program that checks from outside and reports TAP."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=limit * SCALE)
    except (OSError, subprocess.TimeoutExpired) as e:
        return unusable(name, e)
    tap = Tap(name, done.stdout)
    failed, reason = [c for c in tap.cases if c.status == 'failed'], ''
    if tap.plan != len(tap.cases):
        reason = f'truncated plan: {len(tap.cases)} of {max(tap.plan, 0)} results'
    elif bool(failed) != bool(done.returncode):
        reason = f'exit status {done.returncode}, and {len(failed)} failed'
    if reason and not failed:
        tap.cases.append(Case(name, 'ending', 'failed', notes=[reason] + tap.notes))
    return Outcome(name, tap.cases, reason, command=shlex.join(command), seed=tap.seed)


# --- an emulated machine

def run_guest(machine, kernel, image, cmdline, log, limits=None, name=None):
    """Boot it with cmdline (which asks for tests) and decide."""
    name = name or machine.name()
    start = time.monotonic()
    try:
        machine.check()
        # Beside the log, so that the command line works once more when we are gone.
        state, trace = log + '.state', log + '.resets'
        os.makedirs(state, exist_ok=True)
        command = machine.command(kernel, image, cmdline, state)
        command += ['-serial', 'stdio', '-monitor', 'none', '-no-reboot']
        run = Run(command + ['-d', 'cpu_reset', '-D', trace], log, limits or Limits()).go()
        reason = reason_common(run) or guest_reason(run, trace)
        outcome = finish(run, name, reason, time.monotonic() - start)
        outcome.command = shlex.join(command)
        return outcome
    except Unusable as e:
        return unusable(name, e)
    except OSError as e:
        return unusable(name, f'missing emulator: {machine.qemu}: {e.strerror}')


def triple_fault(trace):
    try:
        with open(trace, encoding='utf-8', errors='replace') as f:
            return any('Triple fault' in line for line in f)
    except OSError:
        return False


def guest_reason(run, trace):
    r, status = run.reader, run.status
    if status == 0:
        if triple_fault(trace):
            return f'triple fault{where(r)}: the CPU could not even report the fault'
        return f'reset or power-off{where(r)} without a verdict'
    if status not in (EXIT_OK, EXIT_FAILED):
        how = signal.Signals(-status).name if status < 0 else f'status {status}'
        return f'emulator failed ({how}): {first_line(run.errors) or "it said nothing"}'
    if r.plan == 0 and not r.suites:
        return None if status == EXIT_FAILED else 'no test ran, and yet it reported success'
    fault = reason_results(run)
    if fault or status == EXIT_OK:
        return fault
    return 'the kernel reported failure though no test of it failed'
