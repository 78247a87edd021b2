/* SPDX-License-Identifier: MIT */
/* memmap: what a firmware memory map means to Labyrinth, on any machine. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "show.h"

#define MAX_INPUT ((size_t)256 << 20)	/* bytes; a boot log has a few hundred thousand */

static const char usage[] =
	"usage: memmap [--tsv] FILE\n"
	"       memmap [--tsv] -          read standard input, e.g. dmesg | memmap -\n"
	"\n"
	"Prints the zones, dead ends and totals of a firmware memory map: what the map\n"
	"alone says, before the kernel takes anything for itself.  --tsv prints\n"
	"name<TAB>value lines for programs.  FILE is one of\n"
	"\n"
	"  a Linux boot log   lines with BIOS-e820: [mem 0x...-0x...] usable, or in the\n"
	"                     older form BIOS-e820: START - END (usable); all else is\n"
	"                     ignored, and of several boots the last one counts\n"
	"  plain lines        START END TYPE, where END is the first address after it;\n"
	"                     decimal, or hexadecimal with 0x or with exactly 16 digits;\n"
	"                     TYPE a word of Linux (usable, reserved, ACPI data, ...) or\n"
	"                     a number (1 is usable); # starts a comment\n"
	"\n"
	"Where entries overlap, the more restrictive type wins; empty and wrapping ones\n"
	"are dropped; usable neighbours are joined, then cut to whole 4 KiB frames.\n"
	"Exit status: 0; 1 when the input cannot be read or understood; 2 for usage.\n";

static int complain(const char *name, const char *what)
{
	fprintf(stderr, "memmap: %s: %s\n", name, what);
	return 1;
}

/* The whole stream.  Return: malloc'ed text, or NULL with errno set. */
static char *read_all(FILE *f, size_t *len)
{
	size_t room = 1 << 16, n = 0;
	char *text = malloc(room);

	while (text && !feof(f)) {
		if (n == room && room < MAX_INPUT) {
			char *more = realloc(text, room *= 2);

			if (!more)
				break;
			text = more;
		}
		n += fread(text + n, 1, room - n, f);
		if (ferror(f) || n == MAX_INPUT)
			break;
	}
	if (text && feof(f)) {
		*len = n;
		return text;
	}
	if (n == MAX_INPUT)
		errno = EFBIG;
	free(text);
	return NULL;
}

static void explain(const char *name, const struct parse_report *rep)
{
	if (rep->line > 0)
		fprintf(stderr, "memmap: %s: line %zu: %s\n", name, rep->line, rep->error);
	else
		fprintf(stderr, "memmap: %s: %s\n", name, rep->error);
	if (!rep->log)
		fprintf(stderr, "memmap: there is no BIOS-e820 line in it, so every line must be "
				"START END TYPE;\n"
				"memmap: if it is a boot log, its beginning is lost: try "
				"journalctl -k -b | memmap -\n");
}

static void notes(const char *name, const struct memmap *m, const struct parse_report *rep)
{
	if (rep->maps > 1)
		fprintf(stderr, "memmap: %s: note: %zu boots in this log, the last one is shown\n",
			name, rep->maps);
	if (m->dropped > 0)
		fprintf(stderr, "memmap: %s: note: entries dropped: %zu, empty or wrapping\n",
			name, m->dropped);
	if (rep->unknown_line > 0)
		fprintf(stderr, "memmap: %s: note: line %zu: unknown type '%s' counts as "
			"reserved\n", name, rep->unknown_line, rep->unknown);
	if (rep->odd_end_line > 0)
		fprintf(stderr, "memmap: %s: note: line %zu: END is the first address after the "
				"range, yet ends in fff\n", name, rep->odd_end_line);
	if (m->overflow)
		fprintf(stderr, "memmap: %s: note: more than %u ranges: the smallest became "
				"dead ends\n", name, MEMMAP_MAX);
}

static int run(FILE *f, const char *name, bool tsv)
{
	static struct memmap map;
	struct parse_report rep;
	size_t len;
	char *text = read_all(f, &len);

	if (!text)
		return complain(name, strerror(errno));
	bool good = parse_map(text, len, &map, &rep);

	free(text);
	if (len == 0)
		return complain(name, "empty; give it a boot log (dmesg | memmap -) or "
				      "START END TYPE lines");
	if (!good) {
		explain(name, &rep);
		return 1;
	}
	notes(name, &map, &rep);
	if (tsv)
		show_tsv(&map);
	else
		show_people(&map, name);
	if (fflush(stdout) != 0 || ferror(stdout))
		return complain("standard output", strerror(errno));
	return 0;
}

static int bad_usage(const char *what, const char *arg)
{
	fprintf(stderr, "memmap: %s%s\n%s", what, arg, usage);
	return 2;
}

int main(int argc, char **argv)
{
	const char *name = NULL;
	bool tsv = false, options = true;

	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (options && strcmp(arg, "--help") == 0) {
			fputs(usage, stdout);
			return fflush(stdout) == 0 ? 0 : 1;
		}
		if (options && strcmp(arg, "--tsv") == 0)
			tsv = true;
		else if (options && strcmp(arg, "--") == 0)
			options = false;
		else if (options && arg[0] == '-' && arg[1] != '\0')
			return bad_usage("unknown option ", arg);
		else if (name)
			return bad_usage("one file at a time, not also ", arg);
		else
			name = arg;
	}
	if (!name)
		return bad_usage("no file given", "");
	if (strcmp(name, "-") == 0)
		return run(stdin, "standard input", tsv);
	FILE *f = fopen(name, "rb");

	if (!f)
		return complain(name, strerror(errno));
	int status = run(f, name, tsv);

	fclose(f);
	return status;
}
