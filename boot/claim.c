/* SPDX-License-Identifier: MIT */
/* What of the memory is taken already, or not to be used because someone said so. */
#include <stdarg.h>

#include <labyrinth/cmdline.h>
#include <labyrinth/frame.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

#include "boot.h"

#define FIRST_MEGABYTE	0x100000u
#define VIDEO_MEMORY	0xa0000u	/* from here on a PC has no RAM below 1 MiB */
#define MEMLIMIT_MIN	((uint64_t)16 << 20)
#define FRAMES_END	((uint64_t)1 << 44)	/* what frame_t can name */

void boot_note(struct boot_info *bi, const char *fmt, ...)
{
	size_t used = strlen(bi->notes);
	char *at = bi->notes + used;
	char line[100];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* half a line would mislead */
	if ((size_t)ksnprintf(at, sizeof(bi->notes) - used, "boot: %s\n", line) >=
	    sizeof(bi->notes) - used)
		*at = '\0';
}

void boot_copy_text(struct boot_info *bi, char *to, size_t size, const char *from, size_t n,
		    const char *what)
{
	size_t len = strnlen(from, n);

	if (len >= size) {
		boot_note(bi, "the %s is longer than %zu characters: cut", what, size - 1);
		len = size - 1;
	}
	memcpy(to, from, len);
	to[len] = '\0';
}

void boot_add_module(struct boot_info *bi, uint64_t start, uint64_t end)
{
	if (start >= end)
		return;
	if (bi->nmodules == BOOT_MODULES_MAX) {
		boot_note(bi, "more than %u modules: the one at %#llx is left out",
			BOOT_MODULES_MAX, (unsigned long long)start);
		return;
	}
	bi->module[bi->nmodules].start = start;
	bi->module[bi->nmodules].end = end;
	bi->nmodules++;
}

/* Read "START,SIZE", and the comma after it if another pair follows. */
static bool read_pair(const char **s, const char *end, uint64_t *start, uint64_t *size)
{
	if (!parse_u64(s, end, start) || *s == end || *(*s)++ != ',')
		return false;
	if (!parse_u64(s, end, size) || *size == 0 || *start + *size < *start)
		return false;
	return *s == end || (*(*s)++ == ',' && *s < end);
}

/* badram=START,SIZE[,START,SIZE...] */
static void claim_badram(struct boot_info *bi)
{
	size_t len;
	const char *s = cmdline_find(bi->cmdline, "badram", &len);
	const char *end = s ? s + len : s;
	uint64_t start, size;

	if (!s)
		return;
	do {
		const char *pair = s;

		if (!read_pair(&s, end, &start, &size)) {
			boot_note(bi, "badram= wants START,SIZE[,START,SIZE...]: "
				  "ignored from \"%.*s\" on", (int)(end - pair), pair);
			return;
		}
		memmap_mark(&bi->map, start, start + size, MEM_BAD);
		if (start < bi->kernel_end && start + size > bi->kernel_start)
			boot_note(bi, "badram= names memory that the kernel itself lies in");
	} while (s < end);
}

/* memlimit=ADDRESS: RAM from there on is left alone. */
static void claim_memlimit(struct boot_info *bi)
{
	uint64_t limit;

	if (!cmdline_find(bi->cmdline, "memlimit", NULL))
		return;
	if (!cmdline_find_u64(bi->cmdline, "memlimit", &limit))
		boot_note(bi, "memlimit= wants a size such as 512M: ignored");
	else if (limit < MEMLIMIT_MIN)
		boot_note(bi, "memlimit= must be at least 16M: ignored");
	else
		memmap_mark(&bi->map, limit, 0, MEM_LIMITED);
}

/*
 * Other CPUs begin at a page that they can reach in real mode.  The highest, since
 * firmware's own data lie low; it stays what the first megabyte is, nobody's.
 */
static void claim_trampoline(struct boot_info *bi)
{
	uint64_t page = memmap_find(&bi->map, PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, VIDEO_MEMORY);

	bi->trampoline = page == UINT64_MAX ? 0 : (uint32_t)page;
}

void boot_claim_memory(struct boot_info *bi)
{
	const struct framebuffer *fb = &bi->fb;

	claim_badram(bi);
	for (size_t i = 0; i < bi->nmodules; i++)
		memmap_mark(&bi->map, bi->module[i].start, bi->module[i].end, MEM_BOOT);
	claim_trampoline(bi);
	memmap_mark(&bi->map, 0, FIRST_MEGABYTE, MEM_FIRMWARE);
	memmap_mark(&bi->map, bi->kernel_start, bi->kernel_end, MEM_KERNEL);
	if (fb->type != FB_NONE)
		memmap_mark(&bi->map, fb->phys, fb->phys + (uint64_t)fb->pitch * fb->height,
			    MEM_FRAMEBUFFER);
	claim_memlimit(bi);
	memmap_mark(&bi->map, FRAMES_END, 0, MEM_LIMITED);
}
