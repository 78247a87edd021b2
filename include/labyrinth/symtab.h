/* SPDX-License-Identifier: MIT */
/*
 * A symbol and line table in one piece of memory, as tools/ksyms makes it.
 *
 *   header | address[] | name[] | by_name[] | mark[] | file[] | stream | strings
 *
 * All numbers little-endian.  address[] is sorted and counts from header.base;
 * name[] and file[] are offsets into strings; by_name[] are indices into
 * address[], sorted by name.  An empty name is code that belongs to nobody.
 *
 * A line row says "from this address on: this file and line"; line 0 says "no
 * source".  Every 64th row is a mark; the others lie in the stream, each as
 *
 *   varint(address step << 1 | file changes) [varint(file)] varint(line step)
 *
 * where varint is LEB128 without sign (DWARF 5, section 7.6) and the line step
 * has its sign in bit 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYMTAB_MAGIC 0x4d59534bu	/* "KSYM" */

struct symtab_part {
	uint32_t at;			/* bytes from the header */
	uint32_t n;			/* entries; bytes for stream and strings */
};

struct symtab_header {
	uint32_t magic;
	uint32_t size;			/* bytes of everything */
	uint64_t base;			/* the address that offsets count from */
	uint32_t fingerprint;		/* of the ELF it was made from; for tools/ksyms check */
	uint32_t rows;
	struct symtab_part address, name, by_name, mark, file, stream, strings;
};
_Static_assert(sizeof(struct symtab_header) == 80, "tools/ksyms writes 80 bytes");

struct symtab_mark {
	uint32_t address, stream, file, line;
};

/* An opened table: its parts, known to lie within it. */
struct symtab {
	const struct symtab_header *header;
	const uint32_t *address, *name, *by_name, *file;
	const struct symtab_mark *mark;
	const uint8_t *stream;
	const char *strings;
};

/**
 * symtab_open() - check a table's header and find its parts
 * @data: the table, aligned to 8 bytes; only read
 * @size: bytes there are
 *
 * Context: any; as everything in this file.
 * Return:  false when it is no such table, or when a part lies outside it.
 */
bool symtab_open(struct symtab *t, const void *data, size_t size);

/**
 * symtab_symbol() - which function is this address in?
 * @start: receives the function's first byte
 *
 * Return: its name, or NULL when no function is known there.
 */
const char *symtab_symbol(const struct symtab *t, uint64_t address, uint64_t *start);

/**
 * symtab_line() - which source line is this address of?
 * @line: receives the line, from 1
 *
 * Return: the file, relative to where the kernel was built, or NULL when unknown.
 */
const char *symtab_line(const struct symtab *t, uint64_t address, unsigned *line);

/**
 * symtab_by_name() - where is the function of this name?
 *
 * Return: its address, or 0; the lowest, when several files have one of this name.
 */
uint64_t symtab_by_name(const struct symtab *t, const char *name);
