/* SPDX-License-Identifier: MIT */
/* A picture of the machine's memory: a bar for each zone, its scale, and what is what. */
#include "kernel/picture.h"

#include <labyrinth/print.h>
#include <labyrinth/string.h>
#include <labyrinth/zone.h>

#include "kernel/size_text.h"

#define COLUMNS	   80u
#define CELLS_MAX  64u		/* of a bar */
#define TICK_CELLS 16u		/* from one label of the scale to the next */
#define LINE_MAX   512u		/* bytes: 80 columns of UTF-8 and colour changes */

/* What a cell can show. */
enum look {
	LOOK_USABLE,
	LOOK_PARTLY,
	LOOK_KERNEL,
	LOOK_METADATA,
	LOOK_BOOT,
	LOOK_BAD,
	LOOK_LIMITED,
	LOOK_DEAD,
	LOOK_HOLE,
	LOOK_COUNT
};

/* Each can be told from the others without its colour, too. */
static const struct {
	char ascii;
	unsigned sgr;			/* ECMA-48, 8.3.117 */
	const char *glyph, *name;
} looks[LOOK_COUNT] = {
	[LOOK_USABLE]	= { '#', 32, "\u2588", "usable" },
	[LOOK_PARTLY]	= { '+', 32, "\u2592", "in part" },
	[LOOK_KERNEL]	= { 'K', 96, "\u25a0", "kernel" },
	[LOOK_METADATA] = { 'M', 95, "\u2261", "metadata" },
	[LOOK_BOOT]	= { 'B', 93, "\u00b1", "boot data" },
	[LOOK_BAD]	= { '!', 91, "\u00d7", "bad" },
	[LOOK_LIMITED]	= { '-', 34, "\u2500", "beyond memlimit" },
	[LOOK_DEAD]	= { '/', 31, "\u2591", "dead end" },
	[LOOK_HOLE]	= { '.', 90, "\u00b7", "hole" },
};

static enum look look_of(enum mem_type type)
{
	switch (type) {
	case MEM_USABLE:   return LOOK_USABLE;
	case MEM_KERNEL:   return LOOK_KERNEL;
	case MEM_METADATA: return LOOK_METADATA;
	case MEM_BOOT:	   return LOOK_BOOT;
	case MEM_BAD:	   return LOOK_BAD;
	case MEM_LIMITED:  return LOOK_LIMITED;
	default:	   return LOOK_DEAD;
	}
}

/* A path leads from the upper left to the lower right. */
static const char *const maze[] = {
	"\u2576\u2500\u252c\u2500\u252c\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500"
	"\u252c\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2510",
	"\u2577 \u2502 \u2575 \u250c\u2500\u2574 \u250c\u2500\u2510 \u2502 \u2576\u2500\u2500"
	"\u2500\u2510 \u2502",
	"\u2502 \u251c\u2500\u2500\u2500\u2524 \u250c\u2500\u2518 \u2502 \u251c\u2500\u2500"
	"\u2500\u2574 \u2502 \u2502",
	"\u2502 \u2575 \u2577 \u2575 \u2502 \u2576\u2500\u2518 \u2575 \u250c\u2500\u2500\u2500"
	"\u2518 \u2575",
	"\u2514\u2500\u2500\u2500\u2534\u2500\u2500\u2500\u2534\u2500\u2500\u2500\u2500\u2500"
	"\u2500\u2500\u2534\u2500\u2500\u2500\u2500\u2500\u2574",
};
static const char *const plain_maze[] = {
	"--+-+---------+-------+",
	"| | | +-- +-+ | ----+ |",
	"| +---+ +-+ | +---- | |",
	"| | | | | --+ | +---+ |",
	"+---+---+-------+------",
};

#define MAZE_LINES   5u
#define FACTS_COLUMN 29u	/* right of it */

/* The line being put together, and how it is to look. */
struct canvas {
	void (*write)(const char *s, size_t n);
	bool plain;
	unsigned ink;			/* SGR code; 0: the terminal's own */
	size_t used;
	size_t cols;
	char line[LINE_MAX];
};

/* @cols: how wide @s looks */
static void put(struct canvas *c, const char *s, size_t cols)
{
	size_t n = strlen(s);

	if (c->used + n > sizeof(c->line))
		return;
	memcpy(c->line + c->used, s, n);
	c->used += n;
	c->cols += cols;
}

static void put_text(struct canvas *c, const char *s)
{
	put(c, s, strlen(s));
}

static void pad_to(struct canvas *c, size_t col)
{
	while (c->cols < col)
		put(c, " ", 1);
}

static void sgr(struct canvas *c, unsigned code)
{
	char s[8];

	ksnprintf(s, sizeof(s), "\x1b[%um", code);
	if (!c->plain)
		put(c, s, 0);
}

static void end_line(struct canvas *c)
{
	put(c, "\n", 0);
	c->write(c->line, c->used);
	c->used = c->cols = 0;
}

static void put_cell(struct canvas *c, enum look look)
{
	char ascii[2] = { looks[look].ascii, '\0' };

	if (c->ink != looks[look].sgr)
		sgr(c, looks[look].sgr);
	c->ink = looks[look].sgr;
	put(c, c->plain ? ascii : looks[look].glyph, 1);
}

static void default_ink(struct canvas *c)
{
	sgr(c, 0);
	c->ink = 0;
}

/* How many bytes of [start, end) are what. */
static void count_bytes(const struct memmap *m, uint64_t start, uint64_t end,
			uint64_t bytes[LOOK_COUNT])
{
	uint64_t known = 0;

	memset(bytes, 0, LOOK_COUNT * sizeof(bytes[0]));
	for (size_t i = 0; i < m->n; i++) {
		uint64_t from = m->r[i].start > start ? m->r[i].start : start;
		uint64_t to = m->r[i].end < end ? m->r[i].end : end;

		if (from >= to)
			continue;
		bytes[look_of(m->r[i].type)] += to - from;
		known += to - from;
	}
	bytes[LOOK_HOLE] = end - start - known;
}

static enum look look_at(const struct memmap *m, uint64_t start, uint64_t end)
{
	uint64_t bytes[LOOK_COUNT];
	enum look most = LOOK_HOLE;

	count_bytes(m, start, end, bytes);
	/* However small, these must be seen. */
	for (enum look own = LOOK_KERNEL; own <= LOOK_BAD; own++)
		if (bytes[own])
			return own;
	if (bytes[LOOK_USABLE])
		return bytes[LOOK_USABLE] == end - start ? LOOK_USABLE : LOOK_PARTLY;
	for (enum look other = LOOK_LIMITED; other < LOOK_HOLE; other++)
		if (bytes[other] > bytes[most])
			most = other;
	return most;
}

/* A zone as a bar: cells of a power of two of bytes, at multiples of their size. */
struct bar {
	const char *name;
	uint64_t start, end;		/* bytes that the bar shows */
	uint64_t cell;			/* bytes */
	uint64_t first;			/* number of the first cell, from address 0 */
	unsigned cells;
};

/* The end of the last RAM in [start, end), used or not; start if there is none. */
static uint64_t ram_end(const struct memmap *m, uint64_t start, uint64_t end)
{
	uint64_t last = start;

	for (size_t i = 0; i < m->n; i++) {
		enum look look = look_of(m->r[i].type);
		uint64_t to = m->r[i].end < end ? m->r[i].end : end;

		if (look != LOOK_DEAD && m->r[i].start < end && to > last)
			last = to;
	}
	return last;
}

static void make_bar(struct bar *b, const char *name, uint64_t start, uint64_t end)
{
	*b = (struct bar){ .name = name, .start = start, .end = end, .cell = PAGE_SIZE };
	while (end > start && (end - 1) / b->cell - start / b->cell >= CELLS_MAX)
		b->cell *= 2;
	b->first = start / b->cell;
	if (end > start)
		b->cells = (unsigned)((end - 1) / b->cell - b->first) + 1;
}

static void draw_head(struct canvas *c, const struct memmap *m, const struct bar *b)
{
	uint64_t bytes[LOOK_COUNT];
	char size[SIZE_TEXT_MAX], text[COLUMNS];

	count_bytes(m, b->start, b->end, bytes);
	put_text(c, "  ");
	sgr(c, 1);
	put_text(c, b->name);
	default_ink(c);
	pad_to(c, 10);
	if (b->cells == 0) {
		put_text(c, "none");
	} else {
		put_text(c, size_text(size, bytes[LOOK_USABLE]));
		put_text(c, " usable");
		ksnprintf(text, sizeof(text), "%s a cell", size_text(size, b->cell));
		pad_to(c, 2 + CELLS_MAX - strlen(text));
		put_text(c, text);
	}
	end_line(c);
}

static void draw_cells(struct canvas *c, const struct memmap *m, const struct bar *b)
{
	put_text(c, "  ");
	for (unsigned i = 0; i < b->cells; i++) {
		uint64_t from = (b->first + i) * b->cell, to = from + b->cell;

		put_cell(c, look_at(m, from > b->start ? from : b->start,
				    to < b->end ? to : b->end));
	}
	default_ink(c);
	end_line(c);
}

/*
 * A label where the bar begins and at every multiple of TICK_CELLS cells.  They
 * do not meet: a zone begins at a power of two, so the first two are 8 cells apart.
 */
static void draw_scale(struct canvas *c, const struct bar *b)
{
	char label[SIZE_TEXT_MAX];

	sgr(c, looks[LOOK_HOLE].sgr);
	for (unsigned i = 0; i <= b->cells; i++) {
		if (i > 0 && (b->first + i) % TICK_CELLS != 0)
			continue;
		pad_to(c, 2 + i);
		put(c, c->plain ? "|" : "\u2575", 1);
		put_text(c, address_text(label, i > 0 ? (b->first + i) * b->cell : b->start));
	}
	default_ink(c);
	end_line(c);
}

static void draw_bar(struct canvas *c, const struct memmap *m, const struct bar *b)
{
	draw_head(c, m, b);
	if (b->cells == 0)
		return;
	draw_cells(c, m, b);
	draw_scale(c, b);
}

static void draw_legend(struct canvas *c, const struct memmap *m)
{
	uint64_t bytes[LOOK_COUNT];
	char size[SIZE_TEXT_MAX], text[COLUMNS];

	count_bytes(m, 0, UINT64_MAX, bytes);
	for (enum look look = 0; look < LOOK_COUNT; look++) {
		bool counted = look != LOOK_PARTLY && look != LOOK_HOLE;

		if (counted && bytes[look] == 0)
			continue;
		ksnprintf(text, sizeof(text), " %s%s%s", looks[look].name, counted ? " " : "",
			  counted ? size_text(size, bytes[look]) : "");
		if (c->cols + 3 + strlen(text) > COLUMNS - 2)
			end_line(c);
		put_text(c, c->cols ? "   " : "  ");
		put_cell(c, look);
		default_ink(c);
		put_text(c, text);
	}
	end_line(c);
}

static void draw_facts(struct canvas *c, const struct boot_info *bi, unsigned line)
{
	uint64_t bytes[LOOK_COUNT];
	char text[COLUMNS], size[SIZE_TEXT_MAX];
	size_t dead = 0;

	switch (line) {
	case 1:
		pad_to(c, FACTS_COLUMN);
		sgr(c, 1);
		put_text(c, "Labyrinth");
		default_ink(c);
		put_text(c, ", a research microkernel");
		break;
	case 2:
		pad_to(c, FACTS_COLUMN);
		ksnprintf(text, sizeof(text), "booted by %.30s%s", bi->loader,
			  bi->way == BOOT_PVH ? "" : bi->uefi ? " under UEFI" : " under BIOS");
		put_text(c, text);
		break;
	case 3:
		for (size_t i = 0; i < bi->map.n; i++)
			dead += look_of(bi->map.r[i].type) == LOOK_DEAD ||
				look_of(bi->map.r[i].type) == LOOK_BAD;
		count_bytes(&bi->map, 0, UINT64_MAX, bytes);
		pad_to(c, FACTS_COLUMN);
		ksnprintf(text, sizeof(text), "%s to walk in, %zu dead ends",
			  size_text(size, bytes[LOOK_USABLE]), dead);
		put_text(c, text);
		break;
	default:
		break;
	}
}

static void draw_banner(struct canvas *c, const struct boot_info *bi)
{
	for (unsigned line = 0; line < MAZE_LINES; line++) {
		put_text(c, "  ");
		sgr(c, looks[LOOK_KERNEL].sgr);
		put(c, c->plain ? plain_maze[line] : maze[line], strlen(plain_maze[line]));
		default_ink(c);
		draw_facts(c, bi, line);
		end_line(c);
	}
}

void picture_draw(const struct boot_info *bi, bool plain, void (*write)(const char *s, size_t n))
{
	const uint64_t dma_end = (uint64_t)ZONE_DMA_END << PAGE_SHIFT;
	const uint64_t dma32_end = (uint64_t)ZONE_DMA32_END << PAGE_SHIFT;
	struct canvas c = { .write = write, .plain = plain };
	struct bar bar;

	draw_banner(&c, bi);
	end_line(&c);
	/* the first bar always in full: that is where firmware leaves its traces */
	make_bar(&bar, zone_name(ZONE_DMA), 0, dma_end);
	draw_bar(&c, &bi->map, &bar);
	make_bar(&bar, zone_name(ZONE_DMA32), dma_end, ram_end(&bi->map, dma_end, dma32_end));
	draw_bar(&c, &bi->map, &bar);
	make_bar(&bar, zone_name(ZONE_NORMAL), dma32_end, ram_end(&bi->map, dma32_end, UINT64_MAX));
	draw_bar(&c, &bi->map, &bar);
	end_line(&c);
	draw_legend(&c, &bi->map);
	end_line(&c);
}
