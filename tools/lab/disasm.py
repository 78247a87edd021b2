# SPDX-License-Identifier: MIT
"""The instructions of a linked kernel: functions, where control goes, which source lines."""

import dataclasses
import os
import re
import subprocess

HEAD = re.compile(r'^([0-9a-f]+) <(.+)>:$')
TARGET = re.compile(r'^([0-9a-f]+) <([^>+]+)(\+0x[0-9a-f]+)?>')
NEVER_RETURN = {'panic', 'panic_at'}
KEEPS_FLAGS = ('mov', 'lea', 'nop', 'push', 'pop')
ALWAYS_TRUE = {'retry_count', 'retry_count_for'}         # for the end of a loop's condition


@dataclasses.dataclass
class Instruction:
    address: int
    name: str                       # the mnemonic
    operands: str
    function: 'Function'
    doomed: bool = False            # whatever it does ends in a panic
    padding: bool = False           # between functions and loops; nothing leads to it
    dead: bool = False              # where a test goes that never turns out so

    def target(self):
        m = TARGET.match(self.operands)
        return (int(m[1], 16), m[2]) if m else (None, None)


@dataclasses.dataclass
class Function:
    name: str
    start: int
    file: str = ''
    code: list = dataclasses.field(default_factory=list)

    def plain(self):
        """Without what the compiler adds: .part.0, .isra.0, .cold, ..."""
        return self.name.split('.')[0]


def tool(name, *args, **more):
    command = os.environ.get(name.upper()) or os.environ.get('CROSS', '') + name
    return subprocess.run([command, *args], check=True, capture_output=True, text=True,
                          **more).stdout


def symbols(elf):
    return {name: int(value, 16) for value, _, name in
            (line.split() for line in tool('nm', elf).splitlines() if len(line.split()) == 3)}


def functions(elf, start, end):
    """All functions between two addresses, with their instructions."""
    found, here = [], None
    text = tool('objdump', '-d', '--no-show-raw-insn', f'--start-address={start:#x}',
                f'--stop-address={end:#x}', elf)
    for line in text.splitlines():
        head = HEAD.match(line)
        if head:
            here = Function(head[2], int(head[1], 16))
            found.append(here)
            continue
        m = re.match(r'^\s*([0-9a-f]+):\t(.*)$', line)
        if m and here:
            words = m[2].split(None, 1)
            name, rest = words[0], words[1] if len(words) > 1 else ''
            while name.split()[-1] in ('lock', 'rep', 'repz', 'repnz', 'data16', 'cs') and rest:
                more = rest.split(None, 1)
                name, rest = f'{name} {more[0]}', more[1] if len(more) > 1 else ''
            here.code.append(Instruction(int(m[1], 16), name, rest, here))
    mark_padding(found, mark_doomed(found))
    mark_dead(found)
    return found


def is_jump(i):
    return i.name.startswith('j')


def ends(i):
    return i.name in ('jmp', 'ret', 'retq', 'ud2', 'hlt', 'iretq', 'jmpq')


def mark_padding(found, never):
    """nops that nothing falls into or jumps to."""
    targets = {i.target()[0] for f in found for i in f.code if is_jump(i)}
    for f in found:
        after_end = False
        for i in f.code:
            nop = i.name.split()[-1] in ('nop', 'nopw', 'nopl') or i.name == 'xchg' and \
                i.operands == '%ax,%ax' or i.name.startswith(('nop', 'data16', 'cs nop'))
            i.padding = nop and after_end and i.address not in targets
            after_end = i.padding or ends(i) or i.name == 'call' and i.target()[1] in never


def mark_doomed(found):
    """Instructions from which every path leads to a call that does not return; such callees."""
    never = set(NEVER_RETURN)
    at = {i.address: i for f in found for i in f.code}
    changed = True
    while changed:
        changed = False
        for f in found:
            for n in range(len(f.code) - 1, -1, -1):
                i = f.code[n]
                if i.doomed or i.padding or not leads_to_doom(i, f, n, at, never):
                    continue
                i.doomed = changed = True
            if f.code and f.code[0].doomed and f.name not in never:
                never.add(f.name)
                changed = True
    return never


def mark_dead(found):
    """Behind calls of what is always true: the way on if it were not, up to where others come."""
    jumps = [i.target()[0] for f in found for i in f.code if is_jump(i)]
    targets = set(jumps)
    for f in found:
        for n, i in enumerate(f.code):
            if not i.name.startswith('call') or i.target()[1] not in ALWAYS_TRUE:
                continue
            m = n + 1
            while m < len(f.code) - 1 and (f.code[m].name.startswith(KEEPS_FLAGS) or
                                           tests_answer(f.code[m])):
                m += 1
            if f.code[m].name == 'jne' and any(map(tests_answer, f.code[n:m])):
                mark_until_others(f.code[m + 1:], targets)
            if f.code[m].name == 'je' and any(map(tests_answer, f.code[n:m])):
                mark_only_way(f, f.code[m].target()[0], jumps)


def tests_answer(i):
    return i.name == 'test' and i.operands == '%al,%al'


def mark_only_way(f, address, jumps):
    """From @address on, if only one jump leads there, and nothing comes from above."""
    at = next((n for n, i in enumerate(f.code) if i.address == address), 0)
    if at and jumps.count(address) == 1 and ends(f.code[at - 1]):
        mark_until_others(f.code[at:], set(jumps) - {address})


def mark_until_others(code, targets):
    for i in code:
        if i.address in targets:
            return
        i.dead = True
        if ends(i):
            return


def leads_to_doom(i, f, n, at, never):
    target, name = i.target()
    if i.name in ('call', 'callq') and name in never:
        return True
    if is_jump(i):
        there = name in never and target == at.get(target, i).function.start or \
            target in at and at[target].doomed or target not in at and name in never
        if i.name in ('jmp', 'jmpq'):
            return there
        return there and n + 1 < len(f.code) and f.code[n + 1].doomed
    if ends(i) or n + 1 == len(f.code):
        return False
    return f.code[n + 1].doomed


class Lines:
    """Source lines of addresses, inlined callers included; asked for all at once."""

    def __init__(self, elf, addresses):
        self.frames, self.sources = {}, {}
        if not addresses:
            return
        out = tool('addr2line', '-a', '-i', '-f', '-e', elf,
                   input='\n'.join(f'{a:#x}' for a in addresses) + '\n').splitlines()
        here, top = None, os.getcwd() + '/'
        n = 0
        while n < len(out):
            if out[n].startswith('0x'):
                here = self.frames.setdefault(int(out[n], 16), [])
                n += 1
                continue
            path, _, line = out[n + 1].partition(' ')[0].rpartition(':')
            here.append((out[n].split('.')[0], path.replace(top, ''),
                         int(line) if line.isdigit() else 0))
            n += 2

    def of(self, address):
        """[(function, file, line)], the innermost first."""
        return self.frames.get(address, [])

    def statement(self, path, line):
        """The source text around a line, from the end of the statement before."""
        if path not in self.sources:
            try:
                with open(path, encoding='utf-8') as f:
                    self.sources[path] = f.read().splitlines()
            except OSError:
                self.sources[path] = []
        text = self.sources[path]
        if not 0 < line <= len(text):
            return ''
        first = last = line - 1
        while first > 0 and not text[first - 1].rstrip().endswith((';', '{', '}', '*/', ':')) \
                and text[first - 1].strip():
            first -= 1
        while last + 1 < len(text) and not re.search(r'[;{}](\s*/\*.*)?$', text[last].rstrip()):
            last += 1
        return ' '.join(t.strip() for t in text[first:last + 1])
