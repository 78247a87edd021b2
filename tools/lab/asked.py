# SPDX-License-Identifier: MIT
"""What the user asks for, read: a number that is none is refused in a sentence, with status 2."""

import os
import re
import sys

SEED_MOST = (1 << 64) - 1


def program_name():
    """tools/test, for instance."""
    return '/'.join(os.path.abspath(sys.argv[0]).split('/')[-2:])


def refuse(text):
    """Does not return."""
    print(f'{program_name()}: {text}', file=sys.stderr)
    sys.exit(2)


def number(name, text, most, least=1):
    """As the kernel reads it: decimal, or hexadecimal after 0x."""
    if not re.fullmatch(r'[0-9]+|0[xX][0-9a-fA-F]+', text, re.ASCII) or \
            not least <= int(text, 16 if text[:2] in ('0x', '0X') else 10) <= most:
        refuse(f'{name}={text}: a number from {least} to {most} is wanted')
    return int(text, 16 if text[:2] in ('0x', '0X') else 10)


def seed(text, name='SEED'):
    return number(name, text, SEED_MOST, 0)


def seconds(name, default):
    """The variable, as a positive number that need not be whole."""
    text = os.environ.get(name) or str(default)
    if not re.fullmatch(r'[0-9]{0,6}\.?[0-9]{0,6}', text, re.ASCII) or not re.search('[1-9]', text):
        refuse(f'{name}={text}: a positive number such as 2 or 0.5 is wanted')
    return float(text)


SCALE = seconds('LIMIT_SCALE', 1)       # of all patience
