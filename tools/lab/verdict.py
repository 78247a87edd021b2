# SPDX-License-Identifier: MIT
"""The verdict, tested: faults planted in emulators, kernels and programs must be named.

Each function gives what to try, as (name, function); the function returns None where the
verdict was right, otherwise what was wrong with it.
"""

import concurrent.futures
import dataclasses
import glob
import os
import re
import subprocess
import sys
import tempfile
from functools import partial

from lab.guest import Limits, run_guest, run_host
from lab.jobs import Job, Painter, Pool
from lab.ktap import Case
from lab.machine import Machine

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = 'tests/verdict'
FAKE = os.path.join(FOLDER, 'fake-qemu')
SOON = Limits(start=2, silence=1, total=10, panic=1)
# A real machine needs a moment more, most of all when another runs beside it.
BRISK = Limits(start=20, silence=2, total=30, panic=5)


def judge(outcome, expected, soon=None):
    """What is wrong with this outcome; None if it is as expected."""
    failed = outcome.count('failed')
    if expected == 'pass':
        return None if not outcome.reason and not failed else f'not a pass: {outcome.reason}'
    if not failed:
        return f'no failure counted; the reason: {outcome.reason or "none"}'
    text = '\n'.join([outcome.reason] + [n for c in outcome.cases for n in c.notes])
    if not re.search(expected, text):
        return f'wrong reason: {outcome.reason}; expected: {expected}'
    if soon and outcome.seconds > soon:
        return f'right, but only after {outcome.seconds:.1f} s'
    return None


def expected_of(path):
    with open(path, encoding='utf-8') as f:
        return f.readline().removeprefix('%expect ').rstrip('\n')


def pretended(scratch, name, machine, expected):
    o = run_guest(machine, 'none', 'none', 'test=*', os.path.join(scratch, name), SOON)
    return judge(o, expected, soon=SOON.scaled().start + 1)


def fakes(scratch):
    """Emulators that only pretend: every ending, in no time."""
    machine = Machine('direct', qemu=FAKE)
    for path in sorted(glob.glob(f'{FOLDER}/*.txt')):
        name = os.path.basename(path)[:-4]
        m = dataclasses.replace(machine, extra=('-scenario', path))
        yield name, partial(pretended, scratch, name, m, expected_of(path))
    for name, qemu, expected in (
            ('missing-emulator', './no-such-qemu', 'missing emulator: there is no ./no-such-qemu'),
            ('old-emulator', os.path.join(FOLDER, 'old-qemu'), 'old emulator: .* is 2.11'),
            ('broken-emulator', '/bin/false', 'broken emulator: /bin/false --version says')):
        yield name, partial(pretended, scratch, name, dataclasses.replace(machine, qemu=qemu),
                            expected)
    for name, field, value, expected in (
            ('too-little-memory', 'mem', '5', 'MEM=5: with BOOT=direct, 16M is the least'),
            ('too-many-cpus', 'smp', '256', 'SMP=256: a number of CPUs is wanted, 1 to 255')):
        m = dataclasses.replace(machine, **{field: value})
        yield name, partial(pretended, scratch, name, m, expected)


def driver(scratch, scenario, status, line, pattern='*'):
    """The last line and the exit status of tools/test itself, over a pretended emulator."""
    path = os.path.join(FOLDER, scenario + '.txt')
    env = {**os.environ, 'QEMU': FAKE, 'QEMU_EXTRA': f'-scenario {path}', 'BOOT': 'direct',
           'T': pattern, 'SILENCE_LIMIT': str(SOON.silence)}
    out = os.path.join(scratch, scenario + pattern.replace('*', ''))
    run = subprocess.run([sys.executable, 'tools/test', 'kernel', '--kernel', 'none', '--out', out],
                         env=env, text=True, stdin=subprocess.DEVNULL, capture_output=True)
    last = (run.stdout.splitlines() or ['nothing'])[-1]
    if run.returncode != status or last != line:
        return f'status {run.returncode}, and last: {last}; expected {status} and: {line}'
    if not os.path.exists(os.path.join(out, 'results.xml')):
        return 'no results.xml'
    return None


class Silent(Painter):
    def job(self, job): pass
    def status(self, jobs, start): pass
    def clear(self): pass


def driver_fault():
    """A job that raises must count as failed, not be forgotten."""
    def broken():
        raise ValueError('planted')
    job = Job('check', 'broken', broken)
    Pool([job], 1, Silent()).run()
    return None if job.outcome and judge(job.outcome, 'planted') is None else 'it was forgotten'


def whole(scratch):
    yield 'whole-driver-fault', driver_fault
    for scenario, status, line in (('pass', 0, '2 passed, 0 failed, 1 skipped'),
                                   ('lie', 1, '0 passed, 2 failed, 1 skipped'),
                                   ('hang', 1, '1 passed, 1 failed, 0 skipped'),
                                   ('no-match', 1, '0 passed, 1 failed, 0 skipped')):
        yield f'whole-{scenario}', partial(driver, scratch, scenario, status, line)


PLANTED = (('expectation', r'expected 6 \* 9 == 42, but left is 54'),
           ('panic', 'panic in planted.panic: PANIC.*planted, to see it reported'),
           ('hang', 'hang in planted.hang: nothing printed for'),
           ('truncated_plan', 'truncated plan: 0 of 1 tests of planted in planted.truncated_plan'),
           ('skipped', 'pass'))
IN_KERNEL = PLANTED + (('triple_fault', 'triple fault in planted.triple_fault'),
                       ('leak', 'leak: zone .* had'),
                       ('gp', 'panic in planted.gp'))
HOSTED = PLANTED + (('crash', 'killed by SIGKILL in planted.crash'),)
UNDER_ASAN = (('overrun', 'sanitizer in planted.overrun: .*'
                          '(heap-buffer-overflow|insufficient space)'),)


def in_kernel(scratch, elf, name, expected):
    machine = Machine('direct', 'microvm', 'qemu64', mem='64M')
    o = run_guest(machine, elf, 'none', f'test=planted.{name} seed=1',
                  os.path.join(scratch, name), BRISK)
    return judge(o, expected, soon=3 * BRISK.scaled().silence)


def kernel(scratch, elf):
    for name, expected in IN_KERNEL:
        yield f'kernel-{name}', partial(in_kernel, scratch, elf, name, expected)


def in_program(scratch, program, name, expected):
    o = run_host(name, [program, f'planted.{name}'], os.path.join(scratch, name), SOON)
    return judge(o, expected, soon=3 * SOON.scaled().start)


def hosted(scratch, program, sanitized):
    for prog, faults in ((program, HOSTED), (sanitized, UNDER_ASAN)):
        for name, expected in faults:
            yield f'host-{name}', partial(in_program, scratch, prog, name, expected)


def cases(selected, workers, group, *args):
    """Try a group, a few at a time; those whose full name selected() takes."""
    with tempfile.TemporaryDirectory(prefix='labyrinth-') as scratch:
        chosen = [(n, f) for n, f in group(scratch, *args) if selected(f'verdict.{n}')]
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            faults = list(pool.map(lambda pair: pair[1](), chosen))
    return [Case('verdict', name, 'failed' if fault else 'passed', notes=[fault] if fault else [])
            for (name, _), fault in zip(chosen, faults)]
