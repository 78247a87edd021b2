# SPDX-License-Identifier: MIT
"""Runs of one CPU that can be repeated exactly: QEMU's record and replay (docs/replay.txt there).

Under -icount time passes with the instructions; what else comes from outside is written to
a file.  Beside FILE lie FILE.json, which tells what was run, and FILE.out, the serial line.
"""

import hashlib
import json
import os
import select
import subprocess
import tempfile
import time

from lab.asked import SCALE, seconds
from lab.ending import running
from lab.machine import EXIT_FAILED, EXIT_OK, Machine, Unusable

QUIET = ['-monitor', 'none', '-no-reboot', '-serial', 'stdio']
ICOUNT_SHIFT = 7                    # 128 ns an instruction, about what a machine needs
PATIENCE = 1200 * SCALE             # seconds a run
SILENCE = seconds('SILENCE_LIMIT', 120) * SCALE         # and between two lines of it
LARGEST = 2 << 30                   # bytes of a recording; a run of all tests has 11 MB


def digest(path):
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def icount(mode, path, shift):
    return ['-icount', f'shift={shift},rr={mode},rrfile={path}']


def pieces(process, growing):
    """What the process prints, as it comes, while there is patience for it."""
    end, heard = time.monotonic() + PATIENCE, time.monotonic()
    while True:
        ready = select.select([process.stdout], [], [], 1)[0]
        if ready:
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                return
            heard = time.monotonic()
            yield data
        now = time.monotonic()
        if growing and os.path.exists(growing) and os.path.getsize(growing) > LARGEST:
            raise Unusable(f'{growing} has grown to {LARGEST >> 20} MiB, the most that is recorded')
        if now > heard + SILENCE:
            raise Unusable(f'nothing printed for {SILENCE:.3g} s (LIMIT_SCALE=2 waits twice as '
                           'long)')
        if now > end:
            raise Unusable(f'not done after {PATIENCE:.0f} s (LIMIT_SCALE=2 waits twice as long)')


def follow(command, out, line=None, growing=None):
    """Run it; its output goes to the file out, and each line to the function.  Its status.
    Ended when the file growing, if one is named, gets too large."""
    rest = b''
    with tempfile.TemporaryFile() as errors, open(out, 'wb') as log, \
            running(command, stdout=subprocess.PIPE, stderr=errors) as process:
        try:
            for data in pieces(process, growing):
                log.write(data)
                *lines, rest = (rest + data).split(b'\n')
                for raw in lines if line else ():
                    line(raw.decode(errors='replace').rstrip('\r'))
        except Unusable as e:
            raise Unusable(f'hang: {e}; its last words are in {out}') from e
        status = process.wait()
        errors.seek(0)
        said = errors.read().decode(errors='replace').strip()
    if said and status not in (0, 33, 35):
        raise Unusable('QEMU: ' + said.splitlines()[-1])
    return status


def record(machine, kernel, cmdline, path, line=None, shift=ICOUNT_SHIFT):
    """Boot and record into path.  QEMU's exit status."""
    if machine.way != 'direct' or machine.smp != '1' or machine.accel != 'tcg':
        raise Unusable('only one emulated CPU, booted directly, can be recorded: '
                       'leave SMP and ACCEL unset, BOOT=direct')
    machine.check()
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    command = machine.command(kernel, None, cmdline, None) + QUIET
    status = follow(command + icount('record', path, shift), path + '.out', line, path)
    with open(path + '.json', 'w', encoding='utf-8') as f:
        json.dump({'command': command, 'shift': shift, 'kernel': kernel,
                   'digest': digest(kernel), 'status': status}, f, indent=1)
    return status


class Recording:
    """What record() left."""

    def __init__(self, path):
        self.path = path
        try:
            with open(path + '.json', encoding='utf-8') as f:
                self.what = json.load(f)
        except OSError as e:
            raise Unusable(f'{path} is no recording: {e.strerror}: {path}.json') from e
        if digest(self.what['kernel']) != self.what['digest']:
            raise Unusable(f'{self.what["kernel"]} has been built anew since; a recording is of '
                           'one kernel')

    def command(self):
        return self.what['command'] + icount('replay', self.path, self.what['shift'])

    def replay(self, line=None):
        """Run it again.  What differs, in words; '' if nothing does."""
        again = self.path + '.again'
        status = follow(self.command(), again, line)
        with open(self.path + '.out', 'rb') as a, open(again, 'rb') as b:
            first, second = a.read(), b.read()
        if first != second:
            at = next((i for i, (x, y) in enumerate(zip(first, second)) if x != y),
                      min(len(first), len(second)))
            return f'the serial line differs from byte {at} on: compare {self.path}.out and {again}'
        # Newer QEMUs (10.0) replay the end as a plain shutdown, and lose the kernel's status.
        lost = status == 0 and self.what['status'] in (EXIT_OK, EXIT_FAILED)
        if status != self.what['status'] and not lost:
            return f'QEMU ended with {status}, and with {self.what["status"]} when recorded'
        return ''


def one_cpu(env):
    """The machine that the caller's variables name, as far as it can be recorded."""
    return Machine.as_named_in(env, way='direct', mem='128M')
