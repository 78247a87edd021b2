/* SPDX-License-Identifier: MIT */
/*
 * What loaders hand over, right and wrong.  A small array plays physical memory;
 * each block lies at its very end, so that reading past it is noticed.
 */
#define SUITE "handover"
#include <tests/test.h>

#include <boot/boot.h>
#include <labyrinth/string.h>

#define MB2_MAGIC 0x36d76289u
#define RAM_BASE  0x50000u
#define RAM_SIZE  8192u

static _Alignas(8) uint8_t ram[RAM_SIZE];
static _Alignas(8) uint8_t block[RAM_SIZE];
static uint32_t used;
static struct boot_info bi;

static const void *at(uint64_t phys, uint64_t size)
{
	if (phys < RAM_BASE || size > RAM_SIZE || phys - RAM_BASE > RAM_SIZE - size)
		return NULL;
	return ram + (phys - RAM_BASE);
}

static void put(const void *p, size_t n)
{
	memcpy(block + used, p, n);
	used += (uint32_t)n;
}

static void put32(uint32_t v)
{
	put(&v, sizeof(v));
}

static void put64(uint64_t v)
{
	put(&v, sizeof(v));
}

static void begin(void)
{
	memset(&bi, 0, sizeof(bi));
	memmap_init(&bi.map);
	memset(block, 0xff, sizeof(block));	/* the padding: nobody may take it for data */
	used = 8;
}

/* A tag of @n bytes after its header, padded as the specification wants. */
static void tag(uint32_t type, const void *payload, uint32_t n)
{
	put32(type);
	put32(8 + n);
	put(payload, n);
	used = (used + 7) & ~7u;
}

static void tag_map(uint64_t start, uint64_t size, uint32_t type)
{
	put32(6);
	put32(16 + 24);
	put32(24);
	put32(0);
	put64(start);
	put64(size);
	put32(type);
	put32(0);
}

static const char *read_block(uint32_t total)
{
	uint32_t place = (RAM_SIZE - used) & ~7u;

	memcpy(block, &total, sizeof(total));
	memset(ram, 0xff, sizeof(ram));
	memcpy(ram + place, block, used);
	return multiboot2_read(&bi, MB2_MAGIC, RAM_BASE + place, at);
}

static const char *finish(void)
{
	tag(0, "", 0);
	return read_block(used);
}

/* As in the tag, without its header. */
struct fb_payload {
	uint64_t phys;
	uint32_t pitch, width, height;
	uint8_t bpp, type;
	uint16_t reserved;
	uint8_t colours[6];
} __attribute__((packed));

static const struct fb_payload good_fb = {
	0xfd000000, 4096, 1024, 768, 32, 1, 0, { 16, 8, 8, 8, 0, 8 }
};

TEST(multiboot2_is_read)
{
	uint32_t module[3] = { 0x200000, 0x201000, 0 };
	uint8_t rsdp[36] = "RSD PTR ";

	begin();
	tag(1, "test=a seed=1", 14);
	tag(2, "GRUB 2.06", 10);
	tag(3, module, sizeof(module));
	tag_map(0, 0x9fc00, 1);
	tag_map(0x100000, 0x7f00000, 1);
	tag_map(0x8000000, 0x1000, 3);
	tag(8, &good_fb, sizeof(good_fb));
	tag(12, "12345678", 8);
	tag(14, rsdp, 20);
	tag(15, rsdp, 36);
	ASSERT(finish() == NULL);
	EXPECT(strcmp(bi.cmdline, "test=a seed=1") == 0);
	EXPECT(strcmp(bi.loader, "GRUB 2.06") == 0);
	EXPECT(bi.uefi);
	EXPECT_EQ(bi.nmodules, 1);
	EXPECT_EQ(bi.module[0].end, 0x201000);
	EXPECT_EQ(bi.fb.type, FB_RGB);
	EXPECT_EQ(bi.fb.pitch, 4096);
	EXPECT_EQ(bi.fb.red.pos, 16);
	EXPECT(bi.rsdp_xsdt);
	EXPECT(memcmp(bi.rsdp_copy, rsdp, 36) == 0);
	EXPECT_EQ(memmap_type_at(&bi.map, 0x100000, NULL), MEM_USABLE);
	EXPECT_EQ(memmap_type_at(&bi.map, 0x8000000, NULL), MEM_ACPI_RECLAIM);
	EXPECT_EQ(memmap_type_at(&bi.map, RAM_BASE + RAM_SIZE - 8, NULL), MEM_BOOT);
	EXPECT(bi.notes[0] == '\0');
}

TEST(an_unusable_block_is_refused_with_a_reason)
{
	begin();
	tag_map(0, 0x100000, 1);
	EXPECT(finish() == NULL);
	EXPECT(multiboot2_read(&bi, 0x2badb002, RAM_BASE, at) != NULL);
	EXPECT(multiboot2_read(&bi, MB2_MAGIC, RAM_BASE + 4, at) != NULL);
	EXPECT(multiboot2_read(&bi, MB2_MAGIC, RAM_BASE + RAM_SIZE, at) != NULL);
	EXPECT(multiboot2_read(&bi, MB2_MAGIC, (uint64_t)1 << 40, at) != NULL);

	begin();
	tag_map(0, 0x100000, 1);
	EXPECT(read_block(0) != NULL);
	EXPECT(read_block(8) != NULL);
	EXPECT(read_block(0xffffffff) != NULL);
	begin();
	EXPECT(finish() != NULL);	/* no memory map */
}

/* One bad tag of @type between two good ones: these count, a line names it. */
static void expect_left_out(uint32_t type, const void *payload, uint32_t n)
{
	begin();
	tag_map(0, 0x100000, 1);
	tag(type, payload, n);
	tag(2, "after", 6);
	EXPECT(finish() == NULL);
	EXPECT(strcmp(bi.loader, "after") == 0);
	EXPECT(bi.notes[0] != '\0');
	EXPECT_EQ(bi.fb.type, FB_NONE);
	EXPECT_EQ(bi.nmodules, 0);
	EXPECT_EQ(bi.rsdp, 0);
}

TEST(a_bad_tag_costs_that_tag_only)
{
	static const uint32_t backwards[2] = { 0x2000, 0x1000 };
	static const uint32_t half = 0x1000;
	static const uint32_t odd_entries[2] = { 20, 0 };
	static const uint32_t no_entries[2] = { 0, 0 };

	expect_left_out(3, &half, 4);
	expect_left_out(3, backwards, 8);
	expect_left_out(6, odd_entries, 4);
	expect_left_out(6, odd_entries, 8);
	expect_left_out(6, no_entries, 8);
	expect_left_out(14, "RSD PTR ", 8);
	expect_left_out(15, "RSD PTR 0123456789012345678", 27);
	expect_left_out(8, &good_fb, 23);
	expect_left_out(8, &good_fb, 27);	/* the colours are cut off */
}

static void expect_no_framebuffer(struct fb_payload p)
{
	expect_left_out(8, &p, sizeof(p));
}

TEST(a_framebuffer_that_cannot_be_is_none)
{
	struct fb_payload p;

	p = good_fb; p.width = 0;               expect_no_framebuffer(p);
	p = good_fb; p.height = 0x10000;        expect_no_framebuffer(p);
	p = good_fb; p.pitch = 4095;            expect_no_framebuffer(p);
	p = good_fb; p.bpp = 8;                 expect_no_framebuffer(p);
	p = good_fb; p.type = 0;                expect_no_framebuffer(p);
	p = good_fb; p.type = 3;                expect_no_framebuffer(p);
	p = good_fb; p.phys = UINT64_MAX - 9;   expect_no_framebuffer(p);
	p = good_fb; p.colours[0] = 25;         expect_no_framebuffer(p);
	p = good_fb; p.colours[5] = 0;          expect_no_framebuffer(p);
	p = good_fb; p.colours[3] = 9;          expect_no_framebuffer(p);
}

TEST(text_screens_and_24_bits_are_fine)
{
	struct fb_payload p = { 0xb8000, 160, 80, 25, 16, 2, 0, { 0 } };

	begin();
	tag_map(0, 0x100000, 1);
	tag(8, &p, 24);
	EXPECT(finish() == NULL);
	EXPECT_EQ(bi.fb.type, FB_TEXT);

	p = good_fb;
	p.bpp = 24;
	p.pitch = 3072;
	begin();
	tag_map(0, 0x100000, 1);
	tag(8, &p, sizeof(p));
	EXPECT(finish() == NULL);
	EXPECT_EQ(bi.fb.type, FB_RGB);
	EXPECT(bi.notes[0] == '\0');
}

TEST(a_tag_that_runs_over_ends_the_walk)
{
	static const uint32_t sizes[] = { 0, 7, 0x7fffffff, 0xffffffff, 0xfffffff9, 4096 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		begin();
		tag_map(0, 0x100000, 1);
		put32(2);
		put32(sizes[i]);
		put("is lost", 8);
		EXPECT(finish() == NULL);
		EXPECT(bi.loader[0] == '\0');
		EXPECT(bi.notes[0] != '\0');
	}
}

TEST(a_block_without_an_end_tag_is_read_to_its_end)
{
	begin();
	tag_map(0, 0x100000, 1);
	put32(2);
	put32(8 + 3);
	put("abc", 3);			/* neither terminated nor padded */
	EXPECT(read_block(used) == NULL);
	EXPECT(strcmp(bi.loader, "abc") == 0);
}

TEST(a_long_line_is_cut)
{
	static char text[CMDLINE_MAX + 100];

	memset(text, 'x', sizeof(text));
	for (uint32_t n = CMDLINE_MAX - 1; n <= sizeof(text); n++) {
		begin();
		tag_map(0, 0x100000, 1);
		tag(1, text, n);
		EXPECT(finish() == NULL);
		EXPECT_EQ(strnlen(bi.cmdline, CMDLINE_MAX), CMDLINE_MAX - 1);
		EXPECT_EQ(bi.notes[0] != '\0', n >= CMDLINE_MAX);
	}
}

TEST(only_so_many_modules_fit)
{
	uint32_t module[3] = { 0x1000, 0x2000, 0 };

	begin();
	tag_map(0, 0x100000, 1);
	for (unsigned i = 0; i < BOOT_MODULES_MAX + 20; i++)
		tag(3, module, sizeof(module));
	EXPECT(finish() == NULL);
	EXPECT_EQ(bi.nmodules, BOOT_MODULES_MAX);
	EXPECT(strnlen(bi.notes, sizeof(bi.notes)) < sizeof(bi.notes));
}

/* Whatever a damaged block says, reading it stays inside and leaves a sane map. */
TEST(damage_is_harmless)
{
	uint32_t module[3] = { 0x200000, 0x201000, 0 };

	for (unsigned round = 0; round < 2000; round++) {
		begin();
		tag(1, "test=a", 7);
		tag_map(0x100000, 0x7f00000, 1);
		tag(3, module, sizeof(module));
		tag(8, &good_fb, sizeof(good_fb));
		tag(0, "", 0);
		for (unsigned n = 0; n < 1 + round % 8; n++)
			block[8 + test_random_below(used - 8)] = (uint8_t)test_random();
		(void)read_block(used);
		EXPECT(strnlen(bi.cmdline, CMDLINE_MAX) < CMDLINE_MAX);
		EXPECT(bi.nmodules <= BOOT_MODULES_MAX);
		for (size_t i = 1; i < bi.map.n; i++)
			EXPECT(bi.map.r[i - 1].end <= bi.map.r[i].start);
	}
}

/* --- PVH --- */

struct pvh {
	struct {
		uint32_t magic, version, flags, nmodules;
		uint64_t modules, cmdline, rsdp, memmap;
		uint32_t memmap_entries, reserved;
	} si;
	struct { uint64_t start, size; uint32_t type, reserved; } map[2];
	struct { uint64_t start, size, cmdline, reserved; } module;
	char cmdline[16];
};

#define IN_RAM(field) (RAM_BASE + __builtin_offsetof(struct pvh, field))

static struct pvh *good_pvh(void)
{
	static const struct pvh good = {
		{ 0x336ec578, 1, 0, 1, IN_RAM(module), IN_RAM(cmdline), 0, IN_RAM(map), 2, 0 },
		{ { 0, 0x9fc00, 1, 0 }, { 0x100000, 0x700000, 1, 0 } },
		{ 0x200000, 0x1234, 0, 0 },
		"test=b",
	};

	begin();
	memcpy(ram, &good, sizeof(good));
	return (struct pvh *)ram;
}

TEST(pvh_is_read)
{
	good_pvh();
	ASSERT(pvh_read(&bi, RAM_BASE, at) == NULL);
	EXPECT_EQ(bi.way, BOOT_PVH);
	EXPECT(strcmp(bi.loader, "PVH") == 0);
	EXPECT(strcmp(bi.cmdline, "test=b") == 0);
	EXPECT_EQ(bi.nmodules, 1);
	EXPECT_EQ(bi.module[0].end, 0x201234);
	EXPECT_EQ(bi.rsdp, 0);
	EXPECT_EQ(memmap_type_at(&bi.map, 0x100000, NULL), MEM_USABLE);
	EXPECT_EQ(memmap_type_at(&bi.map, RAM_BASE, NULL), MEM_BOOT);
}

TEST(pvh_without_sense_is_refused_or_loses_a_part)
{
	good_pvh()->si.magic = 0;
	EXPECT(pvh_read(&bi, RAM_BASE, at) != NULL);
	good_pvh()->si.version = 0;
	EXPECT(pvh_read(&bi, RAM_BASE, at) != NULL);
	good_pvh()->si.memmap_entries = 0;
	EXPECT(pvh_read(&bi, RAM_BASE, at) != NULL);
	good_pvh()->si.memmap_entries = UINT32_MAX;
	EXPECT(pvh_read(&bi, RAM_BASE, at) != NULL);
	good_pvh()->si.memmap = 0;
	EXPECT(pvh_read(&bi, RAM_BASE, at) != NULL);
	EXPECT(pvh_read(&bi, 0, at) != NULL);

	good_pvh()->si.nmodules = UINT32_MAX;
	EXPECT(pvh_read(&bi, RAM_BASE, at) == NULL);
	EXPECT(bi.nmodules == 0 && bi.notes[0]);
	good_pvh()->si.cmdline = 1;
	EXPECT(pvh_read(&bi, RAM_BASE, at) == NULL);
	EXPECT(bi.cmdline[0] == '\0');
	good_pvh()->si.cmdline = RAM_BASE + RAM_SIZE - 3;	/* the end of what is reachable */
	memcpy(ram + RAM_SIZE - 3, "xy", 3);
	EXPECT(pvh_read(&bi, RAM_BASE, at) == NULL);
	EXPECT(strcmp(bi.cmdline, "xy") == 0);
}

/* --- what is claimed --- */

static void claim(const char *cmdline)
{
	begin();
	memmap_add(&bi.map, 0, 0x40000000, MEM_USABLE);
	bi.kernel_start = 0x100000;
	bi.kernel_end = 0x180000;
	memcpy(bi.cmdline, cmdline, strlen(cmdline) + 1);
	boot_add_module(&bi, 0x200800, 0x201801);
	bi.fb = (struct framebuffer){ FB_RGB, 0x3f000000, 4096, 1024, 768, 32, .red = { 0, 8 } };
	boot_claim_memory(&bi);
}

static enum mem_type type(uint64_t addr)
{
	return memmap_type_at(&bi.map, addr, NULL);
}

TEST(what_is_in_use_is_claimed)
{
	claim("");
	EXPECT_EQ(type(0), MEM_FIRMWARE);
	EXPECT_EQ(type(0xfffff), MEM_FIRMWARE);
	EXPECT_EQ(type(0x100000), MEM_KERNEL);
	EXPECT_EQ(type(0x17ffff), MEM_KERNEL);
	EXPECT_EQ(type(0x180000), MEM_USABLE);
	EXPECT_EQ(type(0x200000), MEM_BOOT);
	EXPECT_EQ(type(0x201fff), MEM_BOOT);
	EXPECT_EQ(type(0x202000), MEM_USABLE);
	EXPECT_EQ(type(0x3f2fffff), MEM_FRAMEBUFFER);
	EXPECT_EQ(type(0x3f300000), MEM_USABLE);
	EXPECT(bi.notes[0] == '\0');
}

TEST(options_take_memory_away)
{
	claim("memlimit=512M badram=0x1000000,4K,32M,0x1801");
	EXPECT_EQ(type(0x1000000), MEM_BAD);
	EXPECT_EQ(type(0x1001000), MEM_USABLE);
	EXPECT_EQ(type(0x2001fff), MEM_BAD);
	EXPECT_EQ(type(0x2002000), MEM_USABLE);
	EXPECT_EQ(type(0x1fffffff), MEM_USABLE);
	EXPECT_EQ(type(0x20000000), MEM_LIMITED);
	EXPECT(bi.notes[0] == '\0');
	claim("badram=1M,64K");
	EXPECT(bi.notes[0] != '\0');	/* the kernel lies there */
}

TEST(options_without_sense_are_named_and_ignored)
{
	static const char *const bad[] = {
		"memlimit=", "memlimit", "memlimit=lots", "memlimit=15M", "memlimit=1G,",
		"badram=", "badram=32M", "badram=32M,", "badram=32M,4K,", "badram=32M,0",
		"badram=32M,4K,x", "badram=32M;4K", "badram=0xffffffffffffffff,4K",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		claim(bad[i]);
		if (bi.notes[0] == '\0' || type(0x3effffff) != MEM_USABLE)
			test_fail(__FILE__, __LINE__, bad[i]);
	}
}
