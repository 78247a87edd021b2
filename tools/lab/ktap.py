# SPDX-License-Identifier: MIT
"""Reads KTAP version 1 as tests/runner.c prints it, line by line, while it runs."""

import dataclasses
import re

ESCAPE = re.compile(r'\x1b(\[[0-9;?=]*[A-Za-z]|[()][A-Z0-9]|[A-Za-z=>])')
RESULT = re.compile(r'(not )?ok (\d+)(?: - |\s|$)(.*)')
PLAN = re.compile(r'1\.\.(\d+)$')
PANIC = re.compile(r'\bPANIC\b')


@dataclasses.dataclass
class Case:
    """One test that ended."""
    suite: str
    name: str
    status: str                     # 'passed', 'failed', 'skipped'
    ms: float = 0.0
    notes: list = dataclasses.field(default_factory=list)
    why: str = ''                   # of a skip

    def full_name(self):
        return f'{self.suite}.{self.name}'


@dataclasses.dataclass
class Suite:
    name: str
    plan: int = -1                  # how many tests it announced; -1: not yet
    cases: list = dataclasses.field(default_factory=list)
    ended: bool = False


class Reader:
    """Feed it lines; then ask."""

    def __init__(self):
        self.started = False        # "KTAP version 1" seen at the left margin
        self.plan = -1              # suites announced
        self.suites = []
        self.seed = None
        self.running = None         # full name of the test that was announced last, if not ended
        self.broken = None          # why this cannot be KTAP
        self.panic = []             # from the line with PANIC on
        self.last_line = ''
        self._notes, self._ms = [], 0.0

    # --- reading

    def line(self, raw):
        text = ESCAPE.sub('', raw.replace('\r', '')).rstrip()
        if text:
            self.last_line = text.strip()
        if self.panic or PANIC.search(text):
            self.panic.append(text)
        elif text.startswith('KTAP version 1') and not self.started:
            self.started = True
        elif self.started:
            self._ktap(text)

    def _ktap(self, text):
        inner = text.startswith('  ')
        body = text.strip()
        result, plan = RESULT.match(body), PLAN.match(body)
        if body.startswith('#'):
            self._note(body[1:].strip())
        elif plan and inner and self.suites:
            self.suites[-1].plan = int(plan[1])
        elif plan and not inner:
            self.plan = int(plan[1])
        elif result and inner:
            self._case(*result.groups())
        elif result:
            self._suite_end(*result.groups())
        elif body and self.running:
            self._notes.append(body)

    def _note(self, note):
        if note.startswith('Subtest: '):
            self.suites.append(Suite(note[9:]))
        elif note.startswith('run '):
            self.running, self._notes, self._ms = note[4:], [], 0.0
        elif note.startswith('seed ') and self.seed is None:
            self.seed = note[5:]
        elif re.fullmatch(r'time [\d.]+ ms', note):
            self._ms = float(note[5:-3])
        elif self.running:
            self._notes.append(note)

    def _case(self, bad, number, rest):
        name, _, directive = rest.partition(' # ')
        if not self.suites:
            self.broken = 'a result before any suite'
            return
        suite = self.suites[-1]
        case = Case(suite.name, name.strip(), 'failed' if bad else 'passed', self._ms, self._notes)
        if directive.startswith('SKIP') and not bad:
            case.status, case.why = 'skipped', directive[4:].strip()
        suite.cases.append(case)
        if int(number) != len(suite.cases):
            self.broken = f'test number {number} where {len(suite.cases)} was due, in {suite.name}'
        self.running, self._notes, self._ms = None, [], 0.0

    def _suite_end(self, bad, number, rest):
        ended = sum(s.ended for s in self.suites)
        if ended == len(self.suites) or int(number) != ended + 1:
            self.broken = f'suite number {number} where {ended + 1} was due'
            return
        suite = self.suites[ended]
        suite.ended = True
        if bad and not any(c.status == 'failed' for c in suite.cases):
            self.broken = f'suite {suite.name} failed though none of its tests did'

    # --- asking

    def cases(self):
        return [c for s in self.suites for c in s.cases]

    def failed(self):
        return [c for c in self.cases() if c.status == 'failed']

    def planned(self):
        """Tests announced so far."""
        return sum(max(s.plan, 0) for s in self.suites)

    def missing(self):
        """What the plan promised and did not come, in words; None if it is complete."""
        if not self.started:
            return 'no test output at all'
        if self.plan < 0:
            return 'no plan'
        for s in self.suites:
            if len(s.cases) != s.plan:
                return f'{len(s.cases)} of {max(s.plan, 0)} tests of {s.name}'
        ended = sum(s.ended for s in self.suites)
        if ended != self.plan:
            return f'{ended} of {self.plan} suites'
        return None
