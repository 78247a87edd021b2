/* SPDX-License-Identifier: MIT */
/*
 * What GRUB tells: a block of tags (Multiboot2 specification, section 3.6).
 * Nothing in it is believed before its size has been checked.
 */
#include <labyrinth/string.h>

#include "boot.h"

#define MAGIC		0x36d76289u
#define BLOCK_MAX	(1u << 20)	/* GRUB's are a few KiB; larger is nonsense */
#define UINT32_LIMIT	((uint64_t)1 << 32)

enum tag_type {
	TAG_END = 0,
	TAG_CMDLINE = 1,
	TAG_LOADER = 2,
	TAG_MODULE = 3,
	TAG_MEMORY_MAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_EFI32 = 11,
	TAG_EFI64 = 12,
	TAG_RSDP1 = 14,
	TAG_RSDP2 = 15,
	TAG_EFI32_IMAGE = 19,
	TAG_EFI64_IMAGE = 20,
};

struct tag {
	uint32_t type, size;		/* size with this header, without padding */
};

struct tag_text {
	struct tag tag;
	char text[];
};

struct tag_module {
	struct tag tag;
	uint32_t start, end;
};

struct tag_memory_map {
	struct tag tag;
	uint32_t entry_size, entry_version;
};

struct map_entry {
	uint64_t start, size;
	uint32_t type, zero;
};

struct tag_framebuffer {
	struct tag tag;
	uint64_t phys;
	uint32_t pitch, width, height;
	uint8_t bpp, type;
	uint16_t reserved;
	struct { uint8_t pos, size; } red, green, blue;		/* type 1 only */
};

#define FRAMEBUFFER_HEAD 32u		/* bytes without the colours */
_Static_assert(__builtin_offsetof(struct tag_framebuffer, red) == FRAMEBUFFER_HEAD,
	       "as the specification draws it");

static void left_out(struct boot_info *bi, const struct tag *t, const char *why)
{
	boot_note(bi, "multiboot tag %u (%u bytes) left out: %s", t->type, t->size, why);
}

/* Return: why the tag was left out, or NULL; so for all read_... below. */
static const char *read_module(struct boot_info *bi, const struct tag *t)
{
	const struct tag_module *m = (const void *)t;

	if (t->size < sizeof(*m))
		return "too short";
	if (m->start >= m->end)
		return "an empty module";
	boot_add_module(bi, m->start, m->end);
	return NULL;
}

static const char *read_memory_map(struct boot_info *bi, const struct tag *t)
{
	const struct tag_memory_map *m = (const void *)t;
	const char *end = (const char *)t + t->size;

	if (t->size < sizeof(*m))
		return "too short";
	if (m->entry_size < sizeof(struct map_entry) || m->entry_size % 8 != 0)
		return "its entries have no sensible size";
	for (const char *p = (const char *)(m + 1); (size_t)(end - p) >= m->entry_size;
	     p += m->entry_size) {
		const struct map_entry *e = (const void *)p;

		memmap_add(&bi->map, e->start, e->start + e->size, mem_type_from_e820(e->type));
	}
	return NULL;
}

static bool colour_fits(unsigned pos, unsigned size, unsigned bpp)
{
	return size > 0 && size <= 8 && pos + size <= bpp;
}

static const char *read_colours(struct framebuffer *fb, const struct tag_framebuffer *f)
{
	if (f->tag.size < FRAMEBUFFER_HEAD + 6)
		return "too short for its colours";
	if (f->bpp != 15 && f->bpp != 16 && f->bpp != 24 && f->bpp != 32)
		return "neither 15, 16, 24 nor 32 bits a pixel";
	if (f->pitch < (uint64_t)f->width * ((f->bpp + 7u) / 8))
		return "its lines overlap";
	if (!colour_fits(f->red.pos, f->red.size, f->bpp) ||
	    !colour_fits(f->green.pos, f->green.size, f->bpp) ||
	    !colour_fits(f->blue.pos, f->blue.size, f->bpp))
		return "colours outside the pixel";
	fb->red.pos = f->red.pos;
	fb->red.size = f->red.size;
	fb->green.pos = f->green.pos;
	fb->green.size = f->green.size;
	fb->blue.pos = f->blue.pos;
	fb->blue.size = f->blue.size;
	fb->type = FB_RGB;
	return NULL;
}

static const char *read_framebuffer(struct boot_info *bi, const struct tag *t)
{
	const struct tag_framebuffer *f = (const void *)t;
	struct framebuffer fb = { .type = FB_NONE };
	const char *why = NULL;

	if (t->size < FRAMEBUFFER_HEAD)
		return "too short";
	if (!f->width || !f->height || f->width > 65535 || f->height > 65535)
		return "no sensible width or height";
	if (f->phys > UINT64_MAX - (uint64_t)f->pitch * f->height)
		return "it runs over the top of memory";
	if (f->type == 1)
		why = read_colours(&fb, f);
	else if (f->type != 2)
		why = "neither direct colour nor text";
	else if (f->pitch < (uint64_t)f->width * 2)
		why = "its lines overlap";
	else
		fb.type = FB_TEXT;
	if (why)
		return why;
	fb.phys = f->phys;
	fb.pitch = f->pitch;
	fb.width = f->width;
	fb.height = f->height;
	fb.bpp = f->bpp;
	bi->fb = fb;
	return NULL;
}

/* @n is 20 bytes in ACPI 1.0, 36 later (ACPI 6.5, table 5.3).  The newer one wins. */
static const char *read_rsdp(struct boot_info *bi, const struct tag *t, size_t n, uint64_t phys)
{
	if (t->size < sizeof(*t) + n)
		return "too short";
	if (bi->rsdp_xsdt)
		return NULL;
	memset(bi->rsdp_copy, 0, sizeof(bi->rsdp_copy));
	memcpy(bi->rsdp_copy, t + 1, n);
	bi->rsdp = phys + sizeof(*t);
	bi->rsdp_xsdt = n == 36;
	return NULL;
}

/* @phys is the tag's own address. */
static const char *read_tag(struct boot_info *bi, const struct tag *t, uint64_t phys)
{
	const struct tag_text *s = (const void *)t;

	switch (t->type) {
	case TAG_CMDLINE:
		boot_copy_text(bi, bi->cmdline, sizeof(bi->cmdline), s->text, t->size - sizeof(*t),
			       "command line");
		return NULL;
	case TAG_LOADER:
		boot_copy_text(bi, bi->loader, sizeof(bi->loader), s->text, t->size - sizeof(*t),
			       "loader's name");
		return NULL;
	case TAG_MODULE:
		return read_module(bi, t);
	case TAG_MEMORY_MAP:
		return read_memory_map(bi, t);
	case TAG_FRAMEBUFFER:
		return read_framebuffer(bi, t);
	case TAG_RSDP1:
		return read_rsdp(bi, t, 20, phys);
	case TAG_RSDP2:
		return read_rsdp(bi, t, 36, phys);
	case TAG_EFI32:
	case TAG_EFI64:
	case TAG_EFI32_IMAGE:
	case TAG_EFI64_IMAGE:
		bi->uefi = true;
		return NULL;
	default:
		return NULL;		/* not for us */
	}
}

/* Walk the tags of a block of @size bytes.  A tag that runs over ends the walk. */
static void read_tags(struct boot_info *bi, const char *block, uint32_t size, uint64_t phys)
{
	uint32_t at = 8;

	while (size - at >= sizeof(struct tag)) {
		const struct tag *t = (const void *)(block + at);
		const char *why;

		if (t->type == TAG_END)
			return;
		if (t->size < sizeof(*t) || t->size > size - at) {
			left_out(bi, t, "its size is wrong; what follows cannot be found");
			return;
		}
		why = read_tag(bi, t, phys + at);
		if (why)
			left_out(bi, t, why);
		if (t->size > size - at - 7)
			return;		/* the padding would end beyond the block */
		at += (t->size + 7) & ~7u;
	}
}

const char *multiboot2_read(struct boot_info *bi, uint32_t magic, uint64_t info,
			    phys_reader_t at)
{
	const uint32_t *head;
	const char *block;

	bi->way = BOOT_MULTIBOOT2;
	if (magic != MAGIC)
		return "the loader did not speak Multiboot2; in grub.cfg use \"multiboot2\"";
	if (info % 8 != 0 || info >= UINT32_LIMIT || !(head = at(info, 8)))
		return "the Multiboot2 information is at an impossible address";
	if (head[0] < 16 || head[0] > BLOCK_MAX || !(block = at(info, head[0])))
		return "the Multiboot2 information has an impossible size";
	read_tags(bi, block, head[0], info);
	if (bi->map.n == 0)
		return "the loader gave no memory map";
	memmap_mark(&bi->map, info, info + head[0], MEM_BOOT);
	return NULL;
}
