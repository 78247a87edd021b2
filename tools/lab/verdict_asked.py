# SPDX-License-Identifier: MIT
"""The programs, tested from without: numbers that are none, and an end before the end."""

import os
import re
import signal
import subprocess
import time
from functools import partial

from lab.verdict import ROOT

PATIENCE = 30
STEP = ('tools/check-step', '--replay')

# Name, command, variables, what it must say; its status is 2, make's too.
REFUSED = (
    ('replay-seed', ('tools/replay', '--record', 'x', 'none'), {'SEED': 'zz'}, 'SEED=zz: a number'),
    ('test-seed', ('tools/test', 'kernel'), {'SEED': '-1'}, 'SEED=-1: a number'),
    ('test-scale', ('tools/test', 'kernel'), {'LIMIT_SCALE': 'x'}, 'LIMIT_SCALE=x: a positive'),
    ('run-memory', ('make', 'HAVE_TOOLS=1', 'machine-named'), {'MEM': '16T'},
     'MEM=16T: 8T is the most'),
    ('run-scale', ('tools/run', '--check'), {'LIMIT_SCALE': '0'}, 'LIMIT_SCALE=0: a positive'),
    ('torture-seconds', ('tools/torture', 'none'), {'SECONDS': '1h'}, 'SECONDS=1h: a number'),
    ('nmis-none', ('tools/check-nmi', '--nmis', '0', 'none'), {}, 'NMIS=0: a number from 20000'),
    ('nmis-few', ('tools/check-nmi', '--nmis', '19999', 'none'), {}, 'NMIS=19999: a number from 2'),
    ('nmis-word', ('tools/check-nmi', '--nmis', 'x', 'none'), {}, 'NMIS=x: a number from 20000'),
    ('screenshot', ('tools/screenshot', 'none', 'none', 'none'), {'BOOT': 'direct'},
     'screen dark: use BOOT=bios'),
    ('fuzz-word', ('make', 'HAVE_TOOLS=1', 'fuzz-memmap', 'SECONDS=x'), {}, 'SECONDS=x: a whole'),
    ('fuzz-without-end', ('make', 'HAVE_TOOLS=1', 'fuzz-memmap', 'SECONDS=0'), {}, 'SECONDS=0: a'),
    ('explore-word', ('make', 'HAVE_TOOLS=1', 'explore', 'SECONDS=x'), {}, 'SECONDS=x: a whole'),
    ('step-steps', (*STEP[:1], '--steps', '0', 'none'), {}, 'STEPS=0: a number from 1'),
    ('step-seed', (*STEP[:1], '--seed', 'x', 'none'), {}, 'SEED=x: a number from 0'),
    ('step-script', (*STEP, 'script=hot_pai mode=once', 'none'), {}, 'script=hot_pai: .*hot_pair'),
    ('step-world', (*STEP, 'script=hot_pair world=two', 'none'), {}, 'world=two: .*three'),
    ('step-key', (*STEP, 'wrld=one', 'none'), {}, 'wrld=one: .*world='),
    ('step-no-mode', (*STEP, 'script=hot_pair', 'none'), {}, 'mode= is missing; one of never'),
    ('step-planted', ('tools/check-step-planted', 'nosuch'), {}, 'nosuch; there are take-store'),
)

# A schedule, the status of its replay, and what it must say.
SCHEDULES = (
    ('empty-way-round', 'a1+', 2, 'bad schedule: nothing follows the [+]'),
    ('nothing-but-a-way-round', '+', 2, 'bad schedule: nothing follows the [+]'),
    ('way-round-of-no-steps', 'a+b0', 2, 'bad schedule: nothing follows the [+]'),
    ('no-such-decision', 'ae', 2, 'bad schedule: it does not fit at decision 2'),
    ('no-such-interrupt', 'w', 2, 'bad schedule: it does not fit at decision 1'),
    ('leads-elsewhere', 'a+b', 0, 'nothing failed'),
)

# These start an emulator that says a word and no more.
STOPPED = (
    ('tools/replay', '--record', '{scratch}/recording', 'none'),
    ('tools/check-nmi', 'none'),
    ('tools/torture', 'none'),
    ('tools/bench', 'none'),
    (*STEP, 'script=hot_pair mode=once', 'none'),
    ('tools/test', 'kernel', '--kernel', 'none', '--out', '{scratch}/out'),
    ('tools/run', 'none', 'none'),
    ('tools/debug', '{scratch}/none', 'none'),
    ('tests/fail-check', 'none'),
)
FAKE = '''#!/bin/sh
case $1 in --version) echo 'QEMU emulator version 9.9.9'; exit;; esac
echo $$ >>{pids}
echo begun
exec sleep 600
'''


def refused(command, variables, expected, status=2):
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=PATIENCE)
    if done.returncode != status or not re.search(expected, done.stdout) or \
            'Traceback' in done.stdout:
        return f'status {done.returncode}, and it said: {done.stdout[-300:]}'
    return None


def emulators(pids):
    try:
        with open(pids, encoding='utf-8') as f:
            return [int(line) for line in f]
    except FileNotFoundError:
        return []


def wait_until(condition, patience=PATIENCE):
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def exists(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


def left_alive(pids):
    """Those that were not killed; what was is gone once its new parent has noticed."""
    if wait_until(lambda: not any(map(exists, emulators(pids))), 5):
        return []
    alive = [pid for pid in emulators(pids) if exists(pid)]
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    return alive


def stopped(scratch, command, number):
    """By a signal, once its emulator runs."""
    folder = os.path.join(scratch, f'{os.path.basename(command[0])}-{number.name}')
    os.makedirs(folder)
    qemu, pids = os.path.join(folder, 'qemu-system-x86_64'), os.path.join(folder, 'pids')
    with open(qemu, 'w', encoding='utf-8') as f:
        f.write(FAKE.format(pids=pids))
    os.chmod(qemu, 0o755)
    # A background job ignores the signals, and so would all that it starts.
    process = subprocess.Popen(
        ['env', '--default-signal=INT,TERM', *(word.format(scratch=folder) for word in command)],
        cwd=ROOT, stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, 'BOOT': 'direct', 'B': folder,
             'PATH': f'{folder}:{os.environ["PATH"]}'})
    begun = wait_until(lambda: emulators(pids))
    process.send_signal(number)
    try:
        said = process.communicate(timeout=PATIENCE)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        said = 'nothing: it did not end'
    alive = left_alive(pids)
    if not begun or process.returncode != 130 or alive or \
            not re.fullmatch(r'\n\S+: interrupted(; nothing is decided)?\n', said):
        return f'status {process.returncode}, emulators left: {alive}, and it said: {said[-300:]}'
    return None


def recorded_too_long(scratch, script, expected):
    """An emulator whose recording never ends must be ended."""
    folder = os.path.join(scratch, script.split()[0])
    os.makedirs(folder)
    qemu = os.path.join(folder, 'qemu-system-x86_64')
    with open(qemu, 'w', encoding='utf-8') as f:
        f.write("#!/bin/sh\ncase $1 in --version) echo 'QEMU emulator version 9.9.9'; exit;; esac\n"
                f'{script.format(file=os.path.join(folder, "r"))}\n')
    os.chmod(qemu, 0o755)
    done = subprocess.run(['tools/replay', '--record', os.path.join(folder, 'r'), 'none'],
                          cwd=ROOT, stdin=subprocess.DEVNULL, text=True, capture_output=True,
                          timeout=PATIENCE, env={**os.environ, 'QEMU': qemu, 'BOOT': 'direct',
                                                 'SILENCE_LIMIT': '2'})
    if done.returncode != 1 or not re.search(expected, done.stderr):
        return f'status {done.returncode}, and it said: {done.stderr[-300:]}'
    return None


def goes_round(explorer):
    """Found, and found again by the command that is printed."""
    found = subprocess.run([explorer, '--short', 'planted-round'], cwd=ROOT, text=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=PATIENCE)
    again = re.search(r'--replay (\S+[+]\S+)\n', found.stdout)
    if found.returncode != 1 or not again or not found.stdout.endswith('\nFAILURE\n'):
        return f'status {found.returncode}, and it said: {found.stdout[-300:]}'
    return refused((explorer, 'planted-round', '--replay', again[1]), {},
                   '\nI10: it comes back to where it was', 1)


def schedules(_scratch, explorer):
    yield 'schedule-way-round', partial(goes_round, explorer)
    for name, schedule, status, expected in SCHEDULES:
        yield f'schedule-{name}', partial(refused, (explorer, 'late', '--replay', schedule), {},
                                          expected, status)


def asked(scratch):
    for name, command, variables, expected in REFUSED:
        yield f'refused-{name}', partial(refused, command, variables, expected)
    for command in STOPPED:
        for number in signal.SIGINT, signal.SIGTERM:
            yield (f'stopped-{os.path.basename(command[0])}-{number.name}',
                   partial(stopped, scratch, command, number))
    for name, script, expected in (
            ('silent', 'exec sleep 600', 'hang: nothing printed for 2 s'),
            ('large', 'truncate -s 3G {file}; while echo x; do sleep 1; done',
             'has grown to 2048 MiB')):
        yield f'recording-{name}', partial(recorded_too_long, scratch, script, expected)
