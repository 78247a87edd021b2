# SPDX-License-Identifier: MIT
"""Jobs that need one another, a few at a time, with progress on the terminal."""

import dataclasses
import os
import shutil
import sys
import threading
import time
import traceback
import typing

from lab.guest import Outcome
from lab.ktap import Case


# Without V=1: of a job, and of each of its tests.
FAILURES_SHOWN, NOTES_SHOWN = 6, 12


@dataclasses.dataclass
class Job:
    """One line of the report; run() returns its Outcome."""
    kind: str                       # the first column: check, build, host, kernel
    name: str
    run: typing.Callable
    needs: tuple = ()               # jobs; this one is dropped if one of these failed
    probe: typing.Any = None        # a job; this one is dropped if no test of that one matched
    outcome: Outcome = None
    state: str = 'waiting'          # then running, done, dropped


class Painter:
    """Lines as jobs end, and on a terminal one line below of what is going on."""

    def __init__(self, verbose=False):
        self.verbose = verbose
        self.live = sys.stdout.isatty() and os.environ.get('TERM') != 'dumb'
        self.colour = sys.stdout.isatty() and not os.environ.get('NO_COLOR')

    def paint(self, text, code):
        return f'\x1b[{code}m{text}\x1b[0m' if self.colour else text

    def clear(self):
        if self.live:
            print('\r\x1b[K', end='')

    def status(self, jobs, start):
        if not self.live:
            return
        running = ', '.join(f'{j.kind} {j.name}' for j in jobs if j.state == 'running')
        done = sum(j.state in ('done', 'dropped') for j in jobs)
        text = f'  {done}/{len(jobs)}  {time.monotonic() - start:.0f} s  {running}'
        print('\r\x1b[K' + text[:shutil.get_terminal_size().columns - 1], end='', flush=True)

    def job(self, job):
        o = job.outcome
        self.clear()
        if not o.cases and not o.reason and not self.verbose:
            return                  # nothing of it matched the pattern
        passed, failed, skipped = (o.count(s) for s in ('passed', 'failed', 'skipped'))
        if len(o.cases) == 1 and not failed:
            result = 'skipped' if skipped else 'ok'
        else:
            result = ', '.join(f'{n} {word}' for n, word in (
                (passed, 'passed'), (failed, 'FAILED'), (skipped, 'skipped')) if n) or 'none match'
        result = f'{result:>27}'
        result = self.paint(result, '1;31') if failed or o.reason else self.paint(result, '32')
        print(f'  {job.kind:7} {job.name:34} {result} {o.seconds:5.1f} s')
        self.details(o)
        sys.stdout.flush()

    def case(self, c):
        word = {'failed': 'not ok', 'passed': 'ok', 'skipped': 'skip'}[c.status]
        print(f'    {word:7} {c.full_name()}' + (f' ({c.why})' if c.why else ''))
        notes = c.notes if c.status == 'failed' else []
        for note in notes if self.verbose else notes[:NOTES_SHOWN]:
            print(f'            {note}')
        if len(notes) > NOTES_SHOWN and not self.verbose:
            print(f'            and {len(notes) - NOTES_SHOWN} lines more')

    def details(self, o):
        shown = o.cases if self.verbose else [c for c in o.cases if c.status == 'failed']
        for c in shown if self.verbose else shown[:FAILURES_SHOWN]:
            self.case(c)
        if len(shown) > FAILURES_SHOWN and not self.verbose:
            print(f'    and     {len(shown) - FAILURES_SHOWN} failures more; V=1 shows all')
        if not o.reason:
            return
        shown = {n for c in o.cases for n in c.notes}
        if o.reason not in shown:
            print(f'    reason  {o.reason}')
        for line in o.details:
            print(f'            {line}')
        for word, text in (('log', o.log), ('again', o.again), ('or', o.command)):
            if text:
                print(f'    {word:7} {text}')


class Pool:
    """Runs jobs whose needs are met, in order, on so many threads."""

    def __init__(self, jobs, workers, painter):
        self.jobs, self.workers, self.painter = jobs, workers, painter
        self.changed = threading.Condition()
        self.start = time.monotonic()

    def run(self):
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.workers)]
        for t in threads:
            t.start()
        while any(t.is_alive() for t in threads):
            with self.changed:
                self.painter.status(self.jobs, self.start)
                self.changed.wait(0.2)
        self.painter.clear()

    def _next(self):
        """A job to run; None when all is done.  Waits while others may yet enable one."""
        while True:
            for job in self.jobs:
                if job.state == 'waiting' and self._pointless(job):
                    job.state = 'dropped'
            waiting = [j for j in self.jobs if j.state == 'waiting']
            ready = [j for j in waiting if all(n.state == 'done' for n in j.needs)
                     and (not j.probe or j.probe.state == 'done')]
            if ready:
                ready[0].state = 'running'
                return ready[0]
            if not waiting:
                return None
            self.changed.wait()

    @staticmethod
    def _pointless(job):
        if any(n.state == 'dropped' or n.state == 'done' and n.outcome.reason for n in job.needs):
            return True
        return bool(job.probe) and (job.probe.state == 'dropped' or job.probe.state == 'done'
                                    and not job.probe.outcome.cases)

    def _work(self):
        while True:
            with self.changed:
                job = self._next()
                self.changed.notify_all()
            if not job:
                return
            start = time.monotonic()
            try:
                outcome = job.run()
            except Exception:       # our own fault, and no reason to leave the job out
                notes = traceback.format_exc().splitlines()
                outcome = Outcome(job.name, [Case(job.kind, 'error', 'failed', notes=notes)],
                                  'the test driver itself failed')
            outcome.seconds = time.monotonic() - start
            with self.changed:
                job.outcome = outcome
                job.state = 'done'
                try:
                    self.painter.job(job)
                except BrokenPipeError:
                    pass            # nobody reads any more; main() will notice
                self.changed.notify_all()
