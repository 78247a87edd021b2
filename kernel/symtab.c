/* SPDX-License-Identifier: MIT */
/*
 * Looking things up in a symbol and line table.  The header describes its form.
 * It is read while the machine is dying, so nothing in it is believed: a table
 * that memory corruption has reached gives no answer or a wrong one, never a fault.
 */
#include <labyrinth/symtab.h>

#include <labyrinth/string.h>

static bool part_fits(const struct symtab_header *h, struct symtab_part part, size_t each)
{
	return part.at % 4 == 0 && part.at >= sizeof(*h) && part.at <= h->size &&
	       part.n <= (h->size - part.at) / each;
}

bool symtab_open(struct symtab *t, const void *data, size_t size)
{
	const struct symtab_header *h = data;
	const char *bytes = data;

	if (size < sizeof(*h) || h->magic != SYMTAB_MAGIC || h->size > size)
		return false;
	if (!part_fits(h, h->address, 4) || !part_fits(h, h->name, 4) ||
	    !part_fits(h, h->by_name, 4) || !part_fits(h, h->mark, sizeof(*t->mark)) ||
	    !part_fits(h, h->file, 4) || !part_fits(h, h->stream, 1) ||
	    !part_fits(h, h->strings, 1))
		return false;
	if (h->name.n != h->address.n || h->strings.n == 0)
		return false;
	/* So every offset below strings.n starts a string that ends. */
	if (bytes[h->strings.at + h->strings.n - 1] != '\0')
		return false;

	t->header = h;
	t->address = (const uint32_t *)(const void *)(bytes + h->address.at);
	t->name = (const uint32_t *)(const void *)(bytes + h->name.at);
	t->by_name = (const uint32_t *)(const void *)(bytes + h->by_name.at);
	t->file = (const uint32_t *)(const void *)(bytes + h->file.at);
	t->mark = (const struct symtab_mark *)(const void *)(bytes + h->mark.at);
	t->stream = (const uint8_t *)(bytes + h->stream.at);
	t->strings = bytes + h->strings.at;
	return true;
}

/* NULL for the empty string too: it stands for "nobody". */
static const char *string(const struct symtab *t, uint32_t at)
{
	if (at >= t->header->strings.n || t->strings[at] == '\0')
		return NULL;
	return t->strings + at;
}

/* How far @address lies above the base; false where no offset reaches. */
static bool offset_of(const struct symtab *t, uint64_t address, uint32_t *offset)
{
	uint64_t distance = address - t->header->base;

	*offset = (uint32_t)distance;
	return address >= t->header->base && distance <= UINT32_MAX;
}

/*
 * How many of @n sorted entries are not above @key.  @stride counts in words, so
 * that one search serves the addresses and the marks, which start with theirs.
 */
static size_t count_up_to(const uint32_t *entry, size_t n, size_t stride, uint32_t key)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entry[middle * stride] <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *symtab_symbol(const struct symtab *t, uint64_t address, uint64_t *start)
{
	uint32_t offset;
	size_t n;

	if (!offset_of(t, address, &offset))
		return NULL;
	n = count_up_to(t->address, t->header->address.n, 1, offset);
	if (n == 0)
		return NULL;
	*start = t->header->base + t->address[n - 1];
	return string(t, t->name[n - 1]);
}

struct row {
	uint32_t address, file, line;
};

static bool read_varint(const struct symtab *t, uint32_t *at, uint32_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 32; shift += 7) {
		uint8_t byte;

		if (*at >= t->header->stream.n)
			return false;
		byte = t->stream[(*at)++];
		*value |= (uint32_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* Turn @row into the row that follows it in the stream. */
static bool next_row(const struct symtab *t, uint32_t *at, struct row *row)
{
	uint32_t step, lines;

	if (!read_varint(t, at, &step))
		return false;
	row->address += step >> 1;
	if ((step & 1) && !read_varint(t, at, &row->file))
		return false;
	if (!read_varint(t, at, &lines))
		return false;
	row->line += (lines & 1) ? 0u - (lines >> 1) : lines >> 1;
	return true;
}

const char *symtab_line(const struct symtab *t, uint64_t address, unsigned *line)
{
	uint32_t offset, at, end;
	struct row row, next;
	size_t n;

	if (!offset_of(t, address, &offset))
		return NULL;
	n = count_up_to(&t->mark->address, t->header->mark.n, sizeof(*t->mark) / 4, offset);
	if (n == 0)
		return NULL;
	row = (struct row){ t->mark[n - 1].address, t->mark[n - 1].file, t->mark[n - 1].line };
	at = t->mark[n - 1].stream;
	end = n < t->header->mark.n ? t->mark[n].stream : t->header->stream.n;
	for (next = row; at < end && next_row(t, &at, &next) && next.address <= offset;)
		row = next;

	if (row.line == 0 || row.file >= t->header->file.n)
		return NULL;
	*line = row.line;
	return string(t, t->file[row.file]);
}

/* The name of the @nth function in the order of names. */
static const char *nth_name(const struct symtab *t, size_t nth)
{
	uint32_t i = t->by_name[nth];

	return i < t->header->name.n ? string(t, t->name[i]) : NULL;
}

uint64_t symtab_by_name(const struct symtab *t, const char *name)
{
	size_t low = 0, high = t->header->by_name.n;
	const char *found;

	/* Ends at the first of several equal ones, the lowest: they stand by address. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		found = nth_name(t, middle);
		if (!found)
			return 0;
		if (strcmp(found, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	found = low < t->header->by_name.n ? nth_name(t, low) : NULL;
	if (!found || strcmp(found, name) != 0)
		return 0;
	return t->header->base + t->address[t->by_name[low]];
}
