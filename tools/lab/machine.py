# SPDX-License-Identifier: MIT
"""An emulated machine: from what the user chose to a QEMU command line."""

import dataclasses
import os
import re
import shlex
import shutil
import subprocess

WAYS = ('bios', 'uefi', 'direct')
MACHINES = ('q35', 'pc', 'microvm')
CPUS_MOST = 255                     # emulated; more need x2APIC in QEMU
MEM_MOST = 8                        # TiB; frame numbers end below 16
MEM_LEAST = {'bios': 16, 'direct': 16, 'uefi': 64}      # MiB; OVMF starts on no less
QEMU_OLDEST = (6, 1)                # the first with memory that is not reserved ahead

# The kernel writes 0x10 or 0x11 to isa-debug-exit; QEMU ends with twice that plus one.
EXIT_OK, EXIT_FAILED = 33, 35

# Code and variables, as Debian and Ubuntu, Arch, and Fedora place them.
OVMF = (
    ('/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd'),
    ('/usr/share/edk2/x64/OVMF_CODE.4m.fd', '/usr/share/edk2/x64/OVMF_VARS.4m.fd'),
    ('/usr/share/edk2/ovmf/OVMF_CODE.fd', '/usr/share/edk2/ovmf/OVMF_VARS.fd'),
)


class Unusable(Exception):
    """Nothing was booted; the text says why and what to do."""


def size_in_bytes(text):
    m = re.fullmatch(r'(\d+)([KMGT]?)B?', text.strip().upper())
    if not m or not int(m[1]):
        raise Unusable(f'MEM={text}: a size such as 16M, 2G or 1T is wanted')
    unit = m[2] or 'M'              # as QEMU reads it
    return int(m[1]) << {'K': 10, 'M': 20, 'G': 30, 'T': 40}[unit]


@dataclasses.dataclass
class Machine:
    """All that the user may choose; as_named_in() reads it from make's variables."""
    way: str = 'bios'
    machine: str = 'q35'
    cpu: str = ''
    smp: str = '1'
    mem: str = '256M'
    media: str = 'cdrom'            # or 'disk': the same image as a stick would hold it
    accel: str = 'tcg'
    one_thread: bool = False        # of QEMU's for all CPUs: they take turns, without delay
    gui: bool = False
    extra: tuple = ()
    qemu: str = 'qemu-system-x86_64'

    VARIABLES = ('BOOT', 'MACHINE', 'CPU', 'MEM', 'SMP', 'QEMU_EXTRA')

    @classmethod
    def as_named_in(cls, env, **defaults):
        m = cls(**defaults)
        for field, name in (('way', 'BOOT'), ('machine', 'MACHINE'), ('cpu', 'CPU'),
                            ('smp', 'SMP'), ('mem', 'MEM'), ('accel', 'ACCEL'),
                            ('qemu', 'QEMU')):
            if env.get(name):
                setattr(m, field, env[name])
        m.gui = bool(env.get('GUI'))
        m.extra = tuple(shlex.split(env.get('QEMU_EXTRA', '')))
        if m.machine == 'microvm' and not env.get('BOOT'):
            m.way = 'direct'
        return m

    def __post_init__(self):
        self.cpu = self.cpu or 'max'

    def variables(self):
        """make's variables that choose this machine."""
        values = (self.way, self.machine, self.cpu, self.mem, self.smp, shlex.join(self.extra))
        return ' '.join(f'{n}={shlex.quote(v)}' for n, v in zip(self.VARIABLES, values)
                        if v and (n, v) != ('SMP', '1'))

    def name(self):
        parts = [self.way, self.machine, self.cpu, self.mem]
        if self.media != 'cdrom':
            parts.insert(1, self.media)
        if self.smp != '1':
            parts.append(f'{self.smp}cpus')
        return ' '.join(parts + list(self.extra))

    def describe(self):
        """The same as a sentence."""
        way = {'bios': 'BIOS and GRUB', 'uefi': 'UEFI and GRUB', 'direct': 'direct boot'}
        return (f'{way.get(self.way, self.way)}, {self.machine}, CPU {self.cpu}'
                f'{"" if self.smp == "1" else " x " + self.smp}, '
                f'{self.mem}{"M" if self.mem.isdigit() else ""} of memory')

    def check(self):
        """Refuse what cannot work, before anything is started."""
        for field, value, known in (('BOOT', self.way, WAYS), ('MACHINE', self.machine, MACHINES),
                                    ('ACCEL', self.accel, ('tcg', 'kvm'))):
            if value not in known:
                raise Unusable(f'{field}={value}: one of {", ".join(known)} is wanted')
        if not re.fullmatch(r'[1-9]\d*', self.smp) or int(self.smp) > CPUS_MOST:
            raise Unusable(f'SMP={self.smp}: a number of CPUs is wanted, 1 to {CPUS_MOST}')
        if self.machine == 'microvm' and self.way != 'direct':
            raise Unusable('MACHINE=microvm has no firmware to boot an image: use BOOT=direct')
        least = MEM_LEAST[self.way]
        if size_in_bytes(self.mem) < least << 20:
            raise Unusable(f'MEM={self.mem}: with BOOT={self.way}, {least}M is the least')
        if size_in_bytes(self.mem) > MEM_MOST << 40:
            raise Unusable(f'MEM={self.mem}: {MEM_MOST}T is the most that has been tried; from '
                           '16T on there are no frame numbers')
        if self.accel == 'kvm' and not os.access('/dev/kvm', os.R_OK | os.W_OK):
            raise Unusable('ACCEL=kvm: /dev/kvm is absent or closed to you; leave ACCEL unset')
        if self.gui and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
            raise Unusable('GUI=1: there is no display for a window here; leave GUI unset')
        check_qemu(self.qemu)
        if self.way == 'uefi':
            find_ovmf()

    def command(self, kernel, image, cmdline, scratch, window=False):
        """The command line; scratch is a directory for what must be fresh at each boot."""
        mem = size_in_bytes(self.mem)
        machine, cpu = self.machine, self.cpu
        memory = ['-m', self.mem]
        if mem > 1 << 30:           # as much as it wants, and none of it taken before it is touched
            memory += ['-object', f'memory-backend-ram,id=ram,size={mem},reserve=off']
            machine += ',memory-backend=ram'
        if mem > 512 << 30 and 'phys-bits' not in cpu and self.accel == 'tcg':
            cpu += ',phys-bits=46'
        accel = self.accel + (',thread=single' if self.one_thread else '')
        args = [self.qemu, '-machine', machine, '-accel', accel, '-cpu', cpu,
                '-smp', self.smp, *memory, '-nic', 'none',
                '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']
        if not window:
            args += ['-display', 'none']
        if self.way == 'direct':
            args += ['-kernel', kernel] + (['-append', cmdline] if cmdline else [])
        elif self.media == 'disk':
            args += ['-drive', f'file={image},format=raw,if=ide,readonly=off,snapshot=on']
        else:
            args += ['-drive', f'file={image},format=raw,media=cdrom,readonly=on']
        if self.way == 'uefi':
            code, template = find_ovmf()
            variables = os.path.join(scratch, 'uefi-variables.fd')
            shutil.copyfile(template, variables)
            args += ['-drive', f'if=pflash,unit=0,format=raw,readonly=on,file={code}',
                     '-drive', f'if=pflash,unit=1,format=raw,file={variables}']
        return args + list(self.extra)


def find_ovmf():
    for pair in OVMF:
        if all(map(os.path.exists, pair)):
            return pair
    raise Unusable('BOOT=uefi: no UEFI firmware for QEMU (OVMF) found; `make deps` installs it')


def check_qemu(qemu, seen={}):
    """It must be there, run, and be new enough; asked once a program."""
    if qemu in seen:
        return
    if not shutil.which(qemu):
        raise Unusable(f'missing emulator: there is no {qemu}; `make deps` installs QEMU')
    try:
        out = subprocess.run([qemu, '--version'], stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Unusable(f'broken emulator: {qemu} --version: {e}') from e
    m = re.search(r'version (\d+)\.(\d+)', out.stdout)
    if not m:
        said = (out.stderr or out.stdout).strip().splitlines() or ['nothing']
        raise Unusable(f'broken emulator: {qemu} --version says: {said[0]}')
    if (int(m[1]), int(m[2])) < QEMU_OLDEST:
        raise Unusable(f'old emulator: {qemu} is {m[1]}.{m[2]}, and Labyrinth needs '
                       f'{QEMU_OLDEST[0]}.{QEMU_OLDEST[1]} or later')
    seen[qemu] = True


def make_image(kernel, image, cmdline=None):
    """tools/mkiso, unless the image is newer than the kernel and of the same command line."""
    mkiso = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'mkiso')
    note = image + '.cmdline'
    wanted = cmdline or ''
    if all(map(os.path.exists, (image, note))):
        with open(note, encoding='utf-8') as f:
            newer = os.path.getmtime(image) > max(os.path.getmtime(kernel), os.path.getmtime(mkiso))
            if newer and f.read() == wanted:
                return
    run = subprocess.run([mkiso, *(['-c', cmdline] if cmdline else []), kernel, image],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if run.returncode:
        raise Unusable(run.stderr.strip() or 'tools/mkiso failed')
    with open(note, 'w', encoding='utf-8') as f:
        f.write(wanted)
