# SPDX-License-Identifier: MIT
"""The words that repeat one run of the step gate, as a failure prints them: script=... mode=...

The kernel takes no notice of a name that it does not know, and would run something else.
"""

import glob
import re

from lab.asked import SEED_MOST, number, refuse

# Where the names stand: a table's first line, to its end.
TABLES = {'script': r'step_scripts\[\] = \{\n.*?^\};',
          'world': r'step_world_names\[\w+\] = \{.*?\};',
          'mode': r'step_mode_names\[\w+\] = \{.*?\};',
          'program': r'step_program_names\[\w+\] = \{.*?\};'}
NUMBERS = {'cpus': (1, 255), 'at': (0, SEED_MOST), 'seed': (0, SEED_MOST)}
WANTED = ('script', 'mode')             # without these it is no single run


def names(key):
    text = ''
    for path in sorted(glob.glob('tests/step/*.c')):
        with open(path, encoding='utf-8') as f:
            text += f.read()
    table = re.search(TABLES[key], text, re.DOTALL | re.MULTILINE)
    return re.findall(r'"(\w+)"', table[0]) if table else []


def known(text):
    """{key: value} of the words; refuses what the gate would take no notice of."""
    found = {}
    for word in text.split():
        key, is_pair, value = word.partition('=')
        if not is_pair or key not in TABLES and key not in NUMBERS:
            refuse(f'--replay: {word}: one of '
                   + ', '.join(f'{k}=' for k in (*TABLES, *NUMBERS)) + ' is wanted')
        if key in NUMBERS:
            least, most = NUMBERS[key]
            value = str(number(f'--replay: {key}', value, most, least))
        elif value not in names(key):
            refuse(f'--replay: {key}={value}: one of {", ".join(names(key))} is wanted')
        found[key] = value
    for key in WANTED:
        if key not in found:
            refuse(f'--replay: {key}= is missing; one of {", ".join(names(key))} is wanted')
    return found
