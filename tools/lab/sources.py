# SPDX-License-Identifier: MIT
"""What the checks know of the source tree: its files and their #include lines."""

import os
import re
import subprocess

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
SEARCHED = ('include', '.', 'arch/x86_64/include', 'arch/host/include',
            'arch/explore/include')
# What a world does not see.
OTHER = {'kernel': ('arch/host/', 'arch/explore/'), 'host': ('arch/x86_64/', 'arch/explore/')}


def files(*suffixes):
    """Paths of the project's own files with one of these endings, sorted."""
    try:
        out = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], check=True,
                             capture_output=True, text=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):      # an unpacked archive has no git
        out = [os.path.normpath(os.path.join(d, f)) for d, _, names in os.walk('.')
               if not re.match(r'\./(build|\.git)\b', d) for f in names]
    return sorted(p for p in out if p.endswith(suffixes) and os.path.isfile(p))


def read(path):
    with open(path, encoding='utf-8', errors='replace') as f:
        return f.read()


def includes(path):
    """(line number, '<' or '"', name) for each #include."""
    text = read(path)
    return [(text.count('\n', 0, m.start()) + 1, m[1], m[2]) for m in INCLUDE.finditer(text)]


def resolve(path, quote, name):
    """The project's files that this #include of path may mean; empty: not ours."""
    places = list(SEARCHED)
    if quote == '"':
        beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
        if os.path.isfile(beside):
            return [beside]
    found = [os.path.normpath(os.path.join(d, name)) for d in places
             if os.path.isfile(os.path.join(d, name))]
    return found


def includers(world):
    """For each header of ours, the sources that reach it, in this world, by any chain."""
    direct = {p: {r for _, q, n in includes(p) for r in resolve(p, q, n)
                  if not r.startswith(OTHER[world])} for p in files('.c', '.h', '.S')}
    reach = {}
    for source in direct:
        seen, todo = set(), [source]
        while todo:
            for header in direct.get(todo.pop(), ()):
                if header not in seen:
                    seen.add(header)
                    todo.append(header)
        for header in seen:
            reach.setdefault(header, set()).add(source)
    return reach
