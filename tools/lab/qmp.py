# SPDX-License-Identifier: MIT
"""QEMU's monitor, for programs (QEMU's docs/interop/qmp-spec)."""

import json
import socket

from lab.machine import Unusable


def monitor(path, command, **arguments):
    """Runs one command; returns its answer."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        stream = s.makefile('rw', encoding='utf-8')
        stream.readline()                                       # the greeting
        for request in ({'execute': 'qmp_capabilities'},
                        {'execute': command, 'arguments': arguments}):
            stream.write(json.dumps(request) + '\n')
            stream.flush()
            answer = json.loads(stream.readline())
            while 'event' in answer:
                answer = json.loads(stream.readline())
        if 'error' in answer:
            raise Unusable('QEMU: ' + answer['error']['desc'])
        return answer['return']
