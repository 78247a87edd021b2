# SPDX-License-Identifier: MIT
"""The serial line as a program sees it: waits for prompts, types lines."""

import os
import re
import select
import subprocess
import sys
import tempfile
import time

from lab.asked import SCALE
from lab.ending import kill, start

# The line editor writes the prompt again when it redraws a line, but not at the start of one.
PROMPT = b'labyrinth> '
NEW_PROMPT = b'\n' + PROMPT, b'\x1b[2J' + PROMPT
PATIENCE = 60 * SCALE             # seconds for one prompt


class Plain:
    """Takes colours (ECMA-48, SGR) out of a stream, also out of one that comes in pieces."""
    COLOUR = re.compile(rb'\x1b\[[\d;]*m')
    BEGUN = re.compile(rb'\x1b(\[[\d;]*)?\Z')

    def __init__(self):
        self.kept = b''

    def __call__(self, data):
        data = self.COLOUR.sub(b'', self.kept + data)
        begun = self.BEGUN.search(data)
        self.kept = begun[0] if begun else b''
        return data[:begun.start()] if begun else data


def wants_colour():
    return sys.stdout.isatty() and not os.environ.get('NO_COLOR')


class Console:
    """QEMU with its serial line on a pipe; what it prints is copied to standard output."""

    def __init__(self, command, quiet=False):
        self.errors = tempfile.TemporaryFile()
        self.quiet, self.tail, self.prompts, self.ended = quiet, b'', 0, False
        self.shown = (lambda data: data) if wants_colour() else Plain()
        self.said = b''                 # everything, for whoever wants to look
        self.qemu = start(command + ['-serial', 'stdio', '-monitor', 'none'],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        kill(self.qemu)
        self.qemu.communicate()
        self.errors.close()

    def wait_for_prompt(self, patience=PATIENCE):
        """True at a prompt; False when the machine has ended (then .ended) or time is up."""
        deadline = time.monotonic() + patience
        while not self.tail.endswith(NEW_PROMPT):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.qemu.stdout], [], [], left)[0]:
                return False
            data = os.read(self.qemu.stdout.fileno(), 65536)
            if not data:
                self.ended = True
                return False
            if not self.quiet:
                sys.stdout.buffer.write(self.shown(data))
                sys.stdout.buffer.flush()
            self.said += data
            self.tail = (self.tail + data)[-200:]
        self.prompts += 1
        return True

    def type(self, line):
        self.tail = b''
        try:
            self.qemu.stdin.write(line.rstrip(b'\r\n') + b'\r')
            self.qemu.stdin.flush()
        except BrokenPipeError:
            pass                    # it has ended; the next wait_for_prompt() tells

    def feed(self, lines):
        """Type the lines, each at a prompt of its own.  True at the prompt after the last."""
        for line in lines:
            if not self.wait_for_prompt():
                return False
            self.type(line)
        return self.wait_for_prompt()

    def status(self):
        """After it has ended: QEMU's exit status, and what it said itself."""
        status = self.qemu.wait()
        self.errors.seek(0)
        return status, self.errors.read().decode(errors='replace').rstrip()
