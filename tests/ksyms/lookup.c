/* SPDX-License-Identifier: MIT */
/*
 * The kernel's symbol lookups in a Linux process, for tests/ksyms-check: reads a
 * table from a file and addresses from standard input, one a line in hexadecimal,
 * and prints "function start file:line" for each, "-" for what is unknown.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <labyrinth/symtab.h>

static _Noreturn void fail(const char *what, const char *name)
{
	fprintf(stderr, "ksyms-lookup: %s: %s\n", name, what);
	exit(1);
}

static void *read_all(const char *name, size_t *size)
{
	FILE *f = fopen(name, "rb");
	char *data = NULL;
	size_t room = 0;

	if (!f)
		fail("cannot be opened", name);
	*size = 0;
	do {
		room += 1 << 20;
		data = realloc(data, room);
		if (!data)
			fail("is larger than memory", name);
		*size += fread(data + *size, 1, room - *size, f);
	} while (*size == room);
	fclose(f);
	return data;
}

static void print(const struct symtab *t, uint64_t address)
{
	uint64_t start = 0;
	unsigned line = 0;
	const char *function = symtab_symbol(t, address, &start);
	const char *file = symtab_line(t, address, &line);

	printf("%s %" PRIx64 " ", function ? function : "-", function ? start : 0);
	if (file)
		printf("%s:%u\n", file, line);
	else
		printf("-\n");
}

int main(int argc, char **argv)
{
	struct symtab t;
	uint64_t address;
	size_t size;
	void *data;

	if (argc != 2)
		fail("usage: ksyms-lookup TABLE <ADDRESSES", "arguments");
	data = read_all(argv[1], &size);
	if (!symtab_open(&t, data, size))
		fail("is no symbol table", argv[1]);
	while (scanf("%" SCNx64, &address) == 1)
		print(&t, address);
	free(data);
	return 0;
}
