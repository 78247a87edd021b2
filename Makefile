# SPDX-License-Identifier: MIT
# Labyrinth.  `make help` prints the lines below that carry "##" or begin with "#?".

B       ?= build
CROSS   ?=
PYTHON  ?= python3
ifeq ($(origin CC),default)
CC      := $(CROSS)gcc
endif
HOSTCC  ?= $(if $(CROSS),gcc,$(CC))

goals := $(or $(MAKECMDGOALS),all)

ifndef HAVE_TOOLS
# --- first pass: are the tools here?  What is missing is installed or named by
# tools/deps; then make starts again, because it changes what the second pass finds.

needs-help    := nothing
needs-clean   := nothing
needs-deps    := all
needs-iso     := iso
needs-run     := run
needs-debug   := debug
needs-screenshot := run
needs-test    := test
needs-test-host   := host
needs-test-kernel := run
needs-bench     := direct host
needs-bench-kernel := direct
needs-bench-host := host
needs-host-lib := host
needs-explore := host
needs-mutate  := host
needs-torture := direct
needs-check-step := direct
needs-check-nmi := direct
needs-check-fail := direct
needs-replay  := direct
needs-check-step-planted := direct
needs := $(sort $(foreach g,$(goals),$(or $(needs-$g),$(if $(filter $B/host%,$g),host),\
             $(if $(filter $B/fuzz% fuzz%,$g),fuzz),build)))

.PHONY: $(goals) second-pass
$(goals): second-pass ; @:
second-pass:
	@B='$B' CROSS='$(CROSS)' PYTHON='$(PYTHON)' tools/deps $(needs)
	@$(MAKE) --no-print-directory HAVE_TOOLS=1 $(goals)

else
# --- second pass

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
export B CC CROSS HOSTCC PYTHON

LD      := $(CROSS)ld
NM      := $(CROSS)nm
OBJCOPY := $(CROSS)objcopy
OBJDUMP := $(CROSS)objdump
export LD NM OBJCOPY OBJDUMP

Q   := $(if $(V),,@)
# Printed by make itself: a process for each line would cost more than some compilations.
say  = $(if $(V),,$(info $() $() $(1) $(2)))

WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        $(if $(WERROR),-Werror)
G    ?= -g
BASE := -std=c17 $(G) -Iinclude -MMD -MP $(WARN)

# What is built depends on a file of its flags, or of the list of its parts, which changes
# only when they do.  The + has it brought up to date by make -n too, which would otherwise
# believe that everything had to be built.  $(2): objects, whose folders are made, too.
define note
	+@mkdir -p $(sort $(@D) $(patsubst %/,%,$(dir $(2))))
	+@printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' > $@
endef

.PHONY: all help deps clean iso run debug screenshot test test-host test-kernel \
        host-lib bench bench-kernel bench-host fuzz explore mutate torture check-step \
        check-step-planted check-nmi check-fail replay machine-named seconds-named FORCE

all: $B/labyrinth.elf          ## the kernel (default)
	@:

# Objects in folder $(1) of tests whose speed nobody measures: compiled faster by a quarter.
quick = $(foreach d,unit kernel host conformance torture fuzz,$(1)/tests/$d/%.o)

# Allocators under test, in world $(1).
conform = $(wildcard $(addprefix tests/conformance/,*.c crew/*.c $(1)/*.c) tests/textbook/*.c)

# The step gate there: mm/ interrupted after every instruction.
step = $(wildcard tests/step/*.c tests/step/$(1)/*.[cS])

# --- the kernel: freestanding, higher half, no red zone, general registers only

KFLAGS := $(BASE) -O2 -ffreestanding -nostdinc \
          -isystem $(shell $(CC) -print-file-name=include) -Iarch/x86_64/include -I. \
          -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
          -fno-stack-protector -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
          -fno-strict-aliasing -fno-common -fcf-protection=none -fstack-clash-protection
KSRC   := $(wildcard boot/*.[cS] kernel/*.[cS] kernel/sched/*.c mm/*.c arch/x86_64/*.[cS] \
          tests/*.c tests/unit/*.c tests/kernel/*.c tests/bench/kernel/*.c tests/nmi/*.c \
          tests/torture/*.c tests/torture/kernel/*.c) $(call conform,kernel) \
          $(call step,kernel)
KOBJ   := $(patsubst %,$B/k/%.o,$(KSRC)) $B/k/gen/font.c.o

$(call quick,$B/k): KFLAGS += -O1

$B/k/flags: FORCE
	$(call note,$(CC) $(KFLAGS),$(KOBJ))

$B/k/%.c.o: %.c $B/k/flags
	$(call say,CC     ,$<)
	$Q$(CC) $(KFLAGS) -c $< -o $@

$B/k/gen/%.c.o: $B/gen/%.c $B/k/flags
	$(call say,CC     ,$<)
	$Q$(CC) $(KFLAGS) -c $< -o $@

$B/k/%.S.o: %.S $B/k/flags
	$(call say,AS     ,$<)
	$Q$(CC) $(KFLAGS) -c $< -o $@

# The screen's fonts, from the package console-setup-linux: smallest first.
FONTDIR ?= /usr/share/consolefonts
FONTS   := Uni2-Terminus16 Uni2-Terminus24x12 Uni2-Terminus32x16

$B/gen/font.c: tools/mkfont Makefile
	@mkdir -p $(@D)
	$(call say,FONT   ,$@)
	$Q$(PYTHON) tools/mkfont --dir '$(FONTDIR)' --out $@ $(FONTS)

# Linked twice: of the first link tools/ksyms makes the kernel's own symbol table.

KLINK = $(LD) -nostdlib -z max-page-size=4096 -z noexecstack --build-id=none -T linker.ld $(KOBJ)

$B/k/parts: FORCE
	$(call note,$(KOBJ))

$B/ksyms/first.elf: linker.ld $(KOBJ) $B/k/parts
	@mkdir -p $(@D)
	$(call say,LD     ,$@)
	$Q$(KLINK) -o $@

$B/ksyms/table.o: $B/ksyms/first.elf tools/ksyms
	$(call say,KSYMS  ,$@)
	$Q$(PYTHON) tools/ksyms make $< $B/ksyms/table.bin
	$Qprintf '.section .ksyms,"a"\n.balign 8\n.incbin "%s"\n' $B/ksyms/table.bin | \
		$(CC) -c -x assembler - -o $@

$B/labyrinth.elf: $B/ksyms/table.o
	$(call say,LD     ,$@)
	$Q$(KLINK) $< -o $@
	$Q$(PYTHON) tools/ksyms check $@

# --- hosted: the same mm/, a Linux process for a machine; SAN=address,undefined etc.

comma  := ,
SAN    ?=
HB     := $B/host$(if $(SAN),-$(firstword $(subst $(comma), ,$(SAN))))
HFLAGS := $(BASE) $(if $(SAN),-O1,-O2) -D_GNU_SOURCE -Iarch/host/include -I. -fno-strict-aliasing \
          $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
HKERNEL := print.c symtab.c term.c font.c fbcon.c vgatext.c cmdline.c \
          history.c line_edit.c size_text.c picture.c acpi_tables.c acpi_power.c \
          sched/runq.c sched/timerq.c madt.c
HBOOT  := multiboot2.c pvh.c claim.c
HCORE  := $(wildcard mm/*.c) $(addprefix kernel/,$(HKERNEL)) $(addprefix boot/,$(HBOOT)) \
          $(wildcard arch/host/*.c)
HTEST  := $(wildcard tests/*.c tests/unit/*.c tests/host/*.c) $(call conform,host) \
          $(addprefix tests/fuzz/,fuzz_alloc.c mirror.c replay_alloc.c) \
          $(wildcard tests/torture/*.c tests/torture/host/*.c)
HOBJ   := $(patsubst %,$(HB)/obj/%.o,$(HCORE) $(HTEST)) $(HB)/obj/gen/font.c.o

$(call quick,$(HB)/obj): HFLAGS += -O1

$(HB)/obj/flags: FORCE
	$(call note,$(HOSTCC) $(HFLAGS),$(HOBJ) $(CREW) $(STEPOBJ) $(MEMMAP) $(LOOKUP))

$(HB)/obj/%.c.o: %.c $(HB)/obj/flags
	$(call say,HOSTCC ,$<)
	$Q$(HOSTCC) $(HFLAGS) -c $< -o $@

$(HB)/obj/gen/%.c.o: $B/gen/%.c $(HB)/obj/flags
	$(call say,HOSTCC ,$<)
	$Q$(HOSTCC) $(HFLAGS) -c $< -o $@

$(HB)/obj/parts: FORCE
	$(call note,$(HOBJ))

$(HB)/tests: $(HOBJ) $(HB)/obj/parts
	$(call say,HOSTLD ,$@)
	$Q$(HOSTCC) $(if $(SAN),-fsanitize=$(SAN)) $(HOBJ) -pthread -o $@

# our own allocator's tests alone, for ThreadSanitizer: make SAN=thread build/host-thread/crew
CREWSRC := $(wildcard mm/*.c arch/host/*.c) kernel/print.c tests/runner.c tests/after_each.c \
          tests/host/main.c $(wildcard tests/torture/*.c tests/torture/host/*.c) \
          $(filter-out %/suite_threads_textbook.c,$(call conform,host))
CREW    := $(patsubst %,$(HB)/obj/%.o,$(CREWSRC))

$(HB)/crew: $(CREW)
	$(call say,HOSTLD ,$@)
	$Q$(HOSTCC) $(if $(SAN),-fsanitize=$(SAN)) $^ -pthread -o $@

# mm/ single-stepped in a process; all of its code in one section, whose bounds ld tells
STEPMM  := $(patsubst %,$(HB)/obj/%.o,$(wildcard mm/*.c))
STEPOBJ := $(patsubst %,$(HB)/obj/%.o,$(wildcard arch/host/*.c) kernel/print.c tests/runner.c \
          tests/after_each.c tests/host/main.c $(call step,host))

$(HB)/step.mm.o: $(STEPMM) $(HB)/obj/parts
	$(call say,LD     ,$@)
	$Q$(LD) -r $(STEPMM) -o $@
	$Q$(OBJCOPY) --rename-section .text=mm_text --rename-section .text.unlikely=mm_text $@

$(HB)/step: $(HB)/step.mm.o $(STEPOBJ)
	$(call say,HOSTLD ,$@)
	$Q$(HOSTCC) $^ -pthread -o $@

# what a firmware map means, on any machine: build/host/memmap FILE
MEMMAP := $(patsubst %,$(HB)/obj/%.o,$(wildcard tools/memmap/*.c mm/memmap*.c))

$(HB)/memmap: $(MEMMAP)
	$(call say,HOSTLD ,$@)
	$Q$(HOSTCC) $(if $(SAN),-fsanitize=$(SAN)) $^ -o $@

# the kernel's symbol lookups, for tests/ksyms-check
LOOKUP := $(patsubst %,$(HB)/obj/%.o,tests/ksyms/lookup.c kernel/symtab.c)

$(HB)/ksyms-lookup: $(LOOKUP)
	$(call say,HOSTLD ,$@)
	$Q$(HOSTCC) $(if $(SAN),-fsanitize=$(SAN)) $^ -o $@

# --- benchmarks in the kernel, counted in instructions

bench-kernel: $B/labyrinth.elf ## the allocator's cost; writes build/bench/kernel.csv
	@$(PYTHON) tools/bench --csv $B/bench/kernel.csv $<

bench: bench-kernel bench-host ## all benchmarks

torture: $B/labyrinth.elf      ## all CPUs at once: CPUS=2 SECONDS=10 SEED= MEM=
	@exec env SECONDS='$(if $(filter file,$(origin SECONDS)),,$(SECONDS))' \
		$(PYTHON) tools/torture $<

# --- mm/ as a library for programs elsewhere: docs/library.md.  Optimized as a whole, so that
# its functions cost what mm/'s own do; one object, all of whose names but lab_ are its own.

LIBLTO  := $(if $(findstring clang,$(HOSTCC)),,-flto)
LIBFLAGS := $(filter-out -I.,$(HFLAGS)) -fPIC -fvisibility=hidden -ftls-model=initial-exec \
           $(LIBLTO)
LIBONE  := $(if $(LIBLTO),-flto-partition=one -flinker-output=nolto-rel)
LIBOBJ  := $(patsubst %,$(HB)/lib/%.o,$(wildcard mm/*.c arch/host/lib/*.c) kernel/print.c)
HOSTLIB := $(HB)/liblabyrinth-mm.a $(HB)/include/labyrinth-mm.h

$(HB)/lib/flags: FORCE
	$(call note,$(HOSTCC) $(LIBFLAGS),$(LIBOBJ))

$(HB)/lib/%.c.o: %.c $(HB)/lib/flags
	$(call say,LIBCC  ,$<)
	$Q$(HOSTCC) $(LIBFLAGS) -c $< -o $@

$(HB)/lib/parts: FORCE
	$(call note,$(LIBOBJ))

$(HB)/lib/liblabyrinth-mm.o: $(LIBOBJ) $(HB)/lib/parts
	$(call say,LIBLD  ,$@)
	$Q$(HOSTCC) $(LIBFLAGS) -r $(LIBONE) $(LIBOBJ) -o $@
	$Q$(OBJCOPY) --localize-hidden $@

$(HB)/liblabyrinth-mm.a: $(HB)/lib/liblabyrinth-mm.o
	$(call say,AR     ,$@)
	$Qrm -f $@ && $(AR) rcs $@ $<

$(HB)/include/%.h: arch/host/lib/%.h
	@mkdir -p $(@D)
	$Qcp $< $@

host-lib: $(HOSTLIB)           ## mm/ as a library: build/host/liblabyrinth-mm.a
	@:

# --- hosted benchmarks: BENCHCC= and OPT= choose how they and mm/ are compiled

BENCHCC   ?= $(HOSTCC)
OPT       ?= -O2
BENCHSRC  := $(wildcard tests/bench/*.c tests/textbook/*.c mm/*.c arch/host/*.c) kernel/print.c \
             $(addprefix tests/conformance/,labyrinth.c textbook.c host/labyrinth.c host/machines.c)

$B/bench/flags: FORCE
	$(call note,$(BENCHCC) $(OPT))

$B/bench/host: $(BENCHSRC) $(wildcard include/*/*.h mm/*.h arch/host/*.h tests/*/*.h) \
               $B/bench/flags
	@mkdir -p $(@D)
	$(call say,BENCHCC,$@)
	$Q$(BENCHCC) $(filter-out -MMD -MP,$(BASE)) $(OPT) -D_GNU_SOURCE -Iarch/host/include \
		-fno-strict-aliasing $(BENCHSRC) -pthread -o $@

bench-host: $B/bench/host      ## in a Linux process; writes build/bench/host.csv
	@$< --csv $B/bench/host.csv

# --- the interleaving explorer: mm/ on a port that turns the schedule at every operation

EXFLAGS := $(filter-out -MMD -MP,$(BASE)) -O2 -D_GNU_SOURCE -Iarch/explore/include -I. \
           -fno-strict-aliasing -fno-optimize-sibling-calls -fno-stack-protector -fno-pie -no-pie
EXSRC   := $(wildcard mm/*.c arch/explore/*.[cS] tests/explore/*.c) kernel/print.c

$B/explore/flags: FORCE
	$(call note,$(HOSTCC) $(EXFLAGS) $(EXSRC))

$B/explore/explore: $(EXSRC) $(wildcard include/*/*.h mm/*.h arch/explore/*.h \
                    arch/explore/include/port/*.h tests/explore/*.h) $B/explore/flags
	$(call say,HOSTCC ,$@)
	$Q$(HOSTCC) $(EXFLAGS) $(EXSRC) -o $@

# A word is no number to libFuzzer, and 0 no end.
seconds-named:
	@case '$(SECONDS)' in ''|0*|*[!0-9]*) echo 'SECONDS=$(SECONDS): a whole number from' \
		'1 on is wanted' >&2; exit 2;; esac

explore: seconds-named $B/explore/explore ## mm/ under all schedules of its operations; 30 min
	@$B/explore/explore --progress $(if $(filter file,$(origin SECONDS)),,--seconds $(SECONDS))

check-step: $B/labyrinth.elf   ## interrupt mm/ after every instruction; 15 min
	@$(PYTHON) tools/check-step $(if $(STEPS),--steps $(STEPS)) $(if $(SEED),--seed $(SEED)) $<

check-step-planted: $B/labyrinth.elf ## plant a fault that this must find: FAULT=NAME, or all
	@exec env KFLAGS='$(KFLAGS)' KLINK='$(KLINK)' $(PYTHON) tools/check-step-planted \
		$(if $(filter all,$(FAULT)),--all,$(FAULT))

mutate:                        ## break the lock-free code at many places; who notices?
	@$(PYTHON) tools/mutate

# --- NMIs, and runs that can be repeated exactly

check-nmi: $B/labyrinth.elf    ## NMIs at every instruction of alloc and free; NMIS=, SEED=
	@$(PYTHON) tools/check-nmi $(if $(NMIS),--nmis $(NMIS)) $(if $(SEED),--seed $(SEED)) $<

check-fail: $B/labyrinth.elf   ## boot with each request for memory made to fail in turn
	@tests/fail-check $< all

replay: $B/labyrinth.elf       ## record tests T= on one CPU, SEED=; replay them exactly
	@$(PYTHON) tools/replay --record $B/replay/run $< $(if $(GDB),; \
		$(PYTHON) tools/replay --gdb $B/replay/run)

# --- fuzzing, with clang's libFuzzer; what it finds is kept in build/fuzz

FUZZCC    ?= clang
SECONDS   ?= 10
FUZZFLAGS := $(BASE) -O1 -D_GNU_SOURCE -Iarch/host/include -I. -fno-strict-aliasing \
             -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZERS   := memmap acpi alloc
fuzz-memmap-src := tests/fuzz/fuzz_memmap.c $(wildcard mm/memmap*.c) \
                   $(addprefix tools/memmap/,parse.c words.c show.c)
fuzz-acpi-src   := tests/fuzz/fuzz_acpi.c kernel/acpi_power.c kernel/acpi_tables.c
fuzz-alloc-src  := tests/fuzz/fuzz_alloc.c tests/fuzz/mirror.c $(wildcard tests/textbook/*.c) \
                   $(addprefix tests/conformance/,labyrinth.c textbook.c host/labyrinth.c \
                     host/machines.c) \
                   $(wildcard mm/*.c arch/host/*.c) kernel/print.c
FUZZOBJ   := $(patsubst %,$B/fuzz/obj/%.o,$(sort $(foreach f,$(FUZZERS),$(fuzz-$f-src))))

$B/fuzz/obj/%.c.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZCC ,$<)
	$Q$(FUZZCC) $(FUZZFLAGS) -c $< -o $@

define fuzzer
$B/fuzz/$(1): $(patsubst %,$B/fuzz/obj/%.o,$(fuzz-$(1)-src))
	$$(call say,FUZZLD ,$$@)
	$$Q$(FUZZCC) -fsanitize=fuzzer,address,undefined $$^ -pthread -o $$@

fuzz-$(1): seconds-named $B/fuzz/$(1)
	@mkdir -p $B/fuzz/$(1)-corpus
	$$Q$B/fuzz/$(1) -max_total_time=$(SECONDS) -max_len=4096 -artifact_prefix=$B/fuzz/$(1)- \
		$B/fuzz/$(1)-corpus $(wildcard tests/fuzz/corpus/$(1))
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzzer,$f)))

fuzz: $(addprefix fuzz-,$(FUZZERS)) ## all fuzzers, SECONDS=10 each; fuzz-memmap, ...: one

-include $(patsubst %.o,%.d,$(KOBJ) $(HOBJ) $(STEPOBJ) $(MEMMAP) $(LOOKUP) $(LIBOBJ) $(FUZZOBJ))

# --- what people type

# The image has the menu's command line; one for CMDLINE= is an image of its own.
IMAGE := $B/labyrinth$(if $(CMDLINE),-cmdline).iso

$B/labyrinth.iso: $B/labyrinth.elf tools/mkiso
	$(call say,ISO    ,$@)
	$Qtools/mkiso $< $@

$B/labyrinth-cmdline.iso: $B/labyrinth.elf tools/mkiso FORCE
	$(call say,ISO    ,$@)
	$Qtools/mkiso -c "$$CMDLINE" $< $@

BOOT    ?= $(if $(filter microvm,$(MACHINE)),direct,bios)
# What BOOT=, MEM= and the like ask for is looked at before anything is built for it.
machine-named:
	@$(PYTHON) tools/run --check

MEDIUM  := machine-named $B/labyrinth.elf $(if $(filter direct,$(BOOT)),,$(IMAGE))

iso: $B/labyrinth.iso          ## the bootable image: BIOS, UEFI, USB stick

run: $(MEDIUM)                 ## boot it in QEMU, at a prompt on this terminal
	@$(PYTHON) tools/run $B/labyrinth.elf $(IMAGE)

debug: $(MEDIUM)               ## the same, stopped, with gdb attached
	@$(PYTHON) tools/debug $B/labyrinth.elf $(IMAGE)

# Those that were given with the call: make test has a list of its own.
given = $(strip $(foreach v,BOOT MACHINE CPU MEM SMP,$(if $(filter command,$(origin $v)),$v)))

test:                          ## everything: checks, hosted tests, boots of many machines
	@$(if $(given),echo '  NOTE    $(given): for make test-kernel; this boots many machines')
	@$(PYTHON) tools/test all

test-host:                     ## the hosted half
	@$(PYTHON) tools/test host

test-kernel:                   ## the other; one machine if BOOT, MACHINE, CPU, ... name it
	@$(PYTHON) tools/test kernel

screenshot: $(MEDIUM)          ## boot, and save the screen as build/screenshot.png
	@$(PYTHON) tools/screenshot $B/labyrinth.elf $(IMAGE) $B/screenshot.png

deps:                          ## look for the packages needed; install what is missing
	@echo 'All that Labyrinth is built, run and tested with is here.'

clean:                         ## remove what was built
	rm -rf $B

help:                          ## this list
	@awk -f tools/help.awk Makefile

#? BOOT=         way in: bios (by GRUB; the default), uefi (the same), direct
#? MACHINE=      q35 (the default), pc, microvm (direct only)
#? CPU=          QEMU's name of one: max (the default), qemu64, Opteron_G1, ...
#? MEM=          16M to 8T; 256M is the default
#? SMP=          how many CPUs, up to 255
#? CMDLINE=      the kernel's command line: test=PATTERN seed=N memlimit=64M ...
#? NMIS=N        how many NMIs check-nmi sends: 20000 and more (1000000)
#? STEPS=N       check-step goes on for at least so many; a round: 700000000
#? GDB=1         with make replay: the recorded run once more, under gdb
#? GUI=1         a window besides the terminal
#? ACCEL=kvm     the host's own CPU instead of an emulated one
#? QEMU_EXTRA=   more arguments for QEMU
#? QEMU=         the emulator, if not qemu-system-x86_64
#? BENCHCC=, OPT= compiler of the hosted benchmarks: BENCHCC=clang OPT=-O3
#? T=PATTERN     some tests: a part of the full name, or a glob
#? SEED=N        of the tests' random numbers
#? SECONDS=      how long each fuzzer runs (10), each scenario is explored (60)
#? LIMIT_SCALE=2 twice the patience, for a slow machine
#? DEPS=auto     install missing packages without asking (root need not ask)
#? CC=, CROSS=   compiler, and prefix of the tools: CC=clang, CROSS=x86_64-elf-
#? G=            what is kept for debuggers: -g (the default), -g1, nothing
#? V=1           show the commands

endif
