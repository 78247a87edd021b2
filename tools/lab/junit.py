# SPDX-License-Identifier: MIT
"""Writes outcomes as JUnit XML, the form that CI systems display."""

import os
import re
import xml.etree.ElementTree as ET

NOT_XML = re.compile('[^\t\n\r\x20-\ud7ff\ue000-\ufffd]')


def clean(text):
    return NOT_XML.sub('?', text)


def suite_element(kind, o):
    e = ET.Element('testsuite', name=clean(f'{kind}: {o.name}'), tests=str(len(o.cases)),
                   failures=str(o.count('failed')), skipped=str(o.count('skipped')), errors='0',
                   time=f'{o.seconds:.3f}')
    properties = [(n, v) for n, v in (('command', o.command), ('seed', o.seed)) if v]
    if properties:
        p = ET.SubElement(e, 'properties')
        for n, v in properties:
            ET.SubElement(p, 'property', name=n, value=clean(v))
    for c in o.cases:
        t = ET.SubElement(e, 'testcase', classname=clean(f'{kind}.{o.name}.{c.suite}'),
                          name=clean(c.name), time=f'{c.ms / 1000:.6f}')
        if c.status == 'skipped':
            ET.SubElement(t, 'skipped', message=clean(c.why))
        if c.status == 'failed':
            text = '\n'.join(c.notes + o.details)
            f = ET.SubElement(t, 'failure', message=clean((c.notes or [o.reason])[0]))
            f.text = clean(text)
    return e


def write(path, outcomes):
    """outcomes: pairs of kind and Outcome."""
    root = ET.Element('testsuites', name='labyrinth',
                      tests=str(sum(len(o.cases) for _, o in outcomes)),
                      failures=str(sum(o.count('failed') for _, o in outcomes)),
                      skipped=str(sum(o.count('skipped') for _, o in outcomes)))
    for kind, o in outcomes:
        root.append(suite_element(kind, o))
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    ET.ElementTree(root).write(path, encoding='utf-8', xml_declaration=True)
