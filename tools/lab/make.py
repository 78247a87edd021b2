# SPDX-License-Identifier: MIT
"""make, called by a test: quiet, in a build folder of its own, two jobs at a time."""

import os
import re
import subprocess


STEP = re.compile(r'^  [A-Z]+ +\S+$')


def complaints(output):
    """What make and the compiler said, without the line that each step prints."""
    return [line for line in output.splitlines() if line.strip() and not STEP.match(line)]


def make(directory, *goals, options=(), **variables):
    """Return: the finished process, its output as text in stdout."""
    env = {k: v for k, v in os.environ.items()
           if k not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL', 'MAKEOVERRIDES', 'V')}
    named = [f'{k}={v}' for k, v in {'B': directory, 'HAVE_TOOLS': 1, **variables}.items()]
    return subprocess.run(['make', '--no-print-directory', '-j2', *options, *named, *goals],
                          env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
