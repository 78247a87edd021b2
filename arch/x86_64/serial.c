/* SPDX-License-Identifier: MIT */
/* The 16550 at COM1.  Registers and bits: PC16550D data sheet, section 8. */
#include <arch/serial.h>

#include <arch/cpu.h>
#include <labyrinth/irq.h>
#include <port/io.h>

enum {
	DATA = 0x3f8,		/* with DLAB: divisor, low byte */
	IRQ_ENABLE = 0x3f9,	/* with DLAB: divisor, high byte */
	FIFO_CONTROL = 0x3fa,	/* written */
	IRQ_REASON = 0x3fa,	/* read */
	LINE_CONTROL = 0x3fb,
	MODEM_CONTROL = 0x3fc,
	LINE_STATUS = 0x3fd,
	SCRATCH = 0x3ff,
};

#define ISA_IRQ		4
#define IRQ_ON_RECEIVED	0x01
#define IRQ_ON_ROOM	0x02

#define LSR_RECEIVED	0x01
#define LSR_ROOM	0x20

#define MCR_ON		0x0b	/* DTR, RTS, OUT2 */
#define MCR_LOOPBACK	0x1e

/*
 * A byte takes 87 us at 115200 baud and one port read about 1 us, so this is
 * some 10 to 100 ms: longer than a full FIFO needs, and short enough to give up.
 */
#define PATIENCE 100000u

static bool present;

static bool wait_for(uint8_t bit)
{
	for (unsigned i = 0; i < PATIENCE; i++) {
		if (inb(LINE_STATUS) & bit)
			return true;
		cpu_relax();
	}
	return false;
}

/* An empty bus reads as all ones, and forgets what was written. */
static bool scratch_remembers(uint8_t v)
{
	outb(SCRATCH, v);
	return inb(SCRATCH) == v;
}

/* What is sent must come back while the output is joined to the input. */
static bool loopback_works(void)
{
	bool ok;

	outb(MODEM_CONTROL, MCR_LOOPBACK);
	outb(DATA, 0x4c);
	ok = wait_for(LSR_RECEIVED) && inb(DATA) == 0x4c;
	outb(MODEM_CONTROL, MCR_ON);
	return ok;
}

bool serial_init(void)
{
	present = false;
	if (!scratch_remembers(0x5a) || !scratch_remembers(0xa5))
		return false;
	outb(IRQ_ENABLE, 0);
	outb(LINE_CONTROL, 0x80);	/* DLAB */
	outb(DATA, 1);			/* 115200 baud */
	outb(IRQ_ENABLE, 0);
	outb(LINE_CONTROL, 0x03);	/* 8N1 */
	outb(FIFO_CONTROL, 0x07);	/* on, both emptied */
	present = loopback_works();
	return present;
}

static void send(uint8_t c)
{
	if (!present)
		return;
	if (wait_for(LSR_ROOM))
		outb(DATA, c);
	else
		present = false;	/* stuck: later bytes would each wait as long */
}

void serial_write(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n')
			send('\r');
		send((uint8_t)s[i]);
	}
}

int serial_read(void)
{
	if (!present || !(inb(LINE_STATUS) & LSR_RECEIVED))
		return -1;
	return inb(DATA);
}

static bool heard;
static void (*received)(void);

/*
 * What was received stays for serial_read(), which empties the port before its caller
 * waits again: so the line falls, and the next byte is an edge.  The reason is read because
 * that takes back the other one, room.
 */
static void on_interrupt(struct trap_frame *f)
{
	(void)f;
	(void)inb(IRQ_REASON);
	__atomic_store_n(&heard, true, __ATOMIC_RELAXED);	/* only tells that it came */
	if (received)
		received();
}

/* The output is empty and says so at once, if anything can be heard from it. */
static bool is_heard(void)
{
	bool room = wait_for(LSR_ROOM);

	__atomic_store_n(&heard, false, __ATOMIC_RELAXED);
	outb(IRQ_ENABLE, IRQ_ON_ROOM);
	for (unsigned i = 0; room && i < PATIENCE; i++) {
		if (__atomic_load_n(&heard, __ATOMIC_RELAXED))
			return true;
		(void)inb(LINE_STATUS);		/* takes its time */
	}
	return false;
}

bool serial_interrupts(void (*call)(void))
{
	bool ok = present && irq_route_isa(ISA_IRQ, on_interrupt);

	if (!ok)
		return false;
	ok = is_heard();
	received = call;
	outb(IRQ_ENABLE, ok ? IRQ_ON_RECEIVED : 0);
	if (!ok)
		irq_route_isa(ISA_IRQ, NULL);
	return ok;
}
