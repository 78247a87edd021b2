# SPDX-License-Identifier: MIT
"""The static checks, tested: small trees with one fault each, that must be named."""

import os
import re
import shlex
import subprocess
from functools import partial

from lab.verdict import ROOT

HEAD = '/* SPDX-License-Identifier: MIT */\n/* Planted. */\n'

# Check, name, files beside docs/, what it must say; empty: it must be content.
PLANTED = (
    ('layers', 'clean', {'mm/a.c': '#include <labyrinth/l.h>\n#include "b.h"\n', 'mm/b.h': '',
                         'include/labyrinth/l.h': '#include <stdint.h>\n'}, ''),
    ('layers', 'mm-sees-kernel', {'mm/a.c': '#include "../kernel/k.h"\n', 'kernel/k.h': ''},
     r'mm/a.c:3: mm/ may not include "../kernel/k.h"'),
    ('layers', 'kernel-sees-mm', {'kernel/k.c': '#include <mm/m.h>\n', 'mm/m.h': ''},
     r'kernel/k.c:3: kernel/ may not include <mm/m.h>'),
    ('layers', 'kernel-sees-port', {'kernel/k.c': '#include <port/io.h>\n'}, 'kernel/k.c:3'),
    ('layers', 'libc-in-kernel', {'kernel/k.c': '#include <stdio.h>\n'}, 'kernel/k.c:3'),
    ('layers', 'nobody-sees-tests', {'boot/b.c': '#include "../tests/t.h"\n', 'tests/t.h': ''},
     'boot/b.c:3'),
    ('layers', 'circle', {'mm/a.h': '#include "b.h"\n', 'mm/b.h': '#include "a.h"\n'},
     'circle of includes: mm/a.h -> mm/b.h -> mm/a.h'),
    ('layers', 'folder-without-rule', {'new/n.c': ''}, 'no rule for this folder'),
    ('style', 'clean', {'mm/a.c': 'int f(int x)\n{\n\treturn x;\n}\n'}, ''),
    ('style', 'long-function', {'mm/a.c': 'int f(int x)\n{\n' + '\tx++;\n' * 69 + '}\n'},
     r'mm/a.c:4: f\(\) has 71 lines'),
    ('style', 'long-file', {'mm/a.c': '\n' * 499}, '501 lines; a file has up to 500'),
    ('style', 'long-line', {'mm/a.c': '\t/*' + 'x' * 89 + '*/\n'}, 'mm/a.c:3: 101 columns'),
    ('style', 'if-in-mm', {'mm/a.c': '#ifdef HOSTED\n#endif\n'}, 'mm/a.c:3: mm/ has no #if'),
    ('style', 'to-be-done', {'mm/a.c': '/* TO' 'DO: all of it */\n'}, 'mm/a.c:3: TO' 'DO'),
    ('docs', 'clean', {'docs/d.md': 'See [c](../mm/c.c), mm/c.c:/^int f/ and `s.t`.\n',
                       'mm/c.c': 'int f(void);\n',
                       'tests/t.c': '#define SUITE "s"\nTEST(t)\n'}, ''),
    ('docs', 'stale-citation', {'docs/d.md': 'mm/c.c:/^int g/\n', 'mm/c.c': 'int f(void);\n'},
     r'docs/d.md:3: no line of mm/c.c matches /\^int g/'),
    ('docs', 'dead-link', {'docs/d.md': '[c](c.md)\n'}, 'docs/d.md:3: c.md does not exist'),
    ('docs', 'no-such-path', {'docs/d.md': 'In mm/c.c.\n'}, 'docs/d.md:3: mm/c.c does not exist'),
    ('docs', 'no-such-test', {'docs/d.md': '`s.u`\n',
                              'tests/t.c': '#define SUITE "s"\nTEST(t)\n'},
     'there is no test s.u'),
    ('seam', 'clean', {'mm/a.c': 'void panic_at(void);\nvoid f(void);\n'
                                 'void f(void) { panic_at(); }\n'}, ''),
    ('seam', 'undeclared-symbol', {'mm/a.c': 'int getpid(void);\nint f(void);\n'
                                             'int f(void) { return getpid(); }\n'},
     'mm/ needs getpid, .* used by: a'),
)


def plant(folder, files):
    os.makedirs(os.path.join(folder, 'docs'))
    for name in ('layers.txt', 'seam.txt'):
        os.symlink(os.path.join(ROOT, 'docs', name), os.path.join(folder, 'docs', name))
    for path, text in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        with open(os.path.join(folder, path), 'w', encoding='utf-8') as f:
            f.write(HEAD + text)


def try_one(scratch, check, name, files, expected):
    folder = os.path.join(scratch, f'{check}-{name}')
    plant(folder, files)
    command = [os.path.join(ROOT, 'tools', f'check-{check}')]
    if check == 'seam':
        compiler = shlex.split(os.environ.get('CC') or 'cc')
        subprocess.run([*compiler, '-c', 'mm/a.c', '-o', 'a.o'], cwd=folder, check=True)
        command.append('a.o')
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if bool(done.returncode) != bool(expected):
        return f'status {done.returncode}, and it said: {done.stdout or "nothing"}'
    if expected and not re.search(expected, done.stdout):
        return f'it said: {done.stdout}; expected: {expected}'
    return None


def checks(scratch):
    for check, name, files, expected in PLANTED:
        yield f'check-{check}-{name}', partial(try_one, scratch, check, name, files, expected)
