/* SPDX-License-Identifier: MIT */
/* The readers of what loaders hand over, apart from where it lies, so that tests can feed them. */
#pragma once

#include <labyrinth/boot_info.h>

/* @size bytes of physical memory, or NULL when they cannot be reached. */
typedef const void *(*phys_reader_t)(uint64_t phys, uint64_t size);

/**
 * multiboot2_read() - fill @bi from a Multiboot2 information block
 * @magic: what the loader left in eax
 * @info:  physical address of the block
 *
 * A tag that makes no sense is noted (boot_note) and left out; the others count.
 *
 * Context: boot, one CPU; as everything here.
 * Return:  NULL, or a sentence that says why the kernel cannot start with this.
 */
const char *multiboot2_read(struct boot_info *bi, uint32_t magic, uint64_t info,
			    phys_reader_t at);

/* The same for a PVH start info at @info.  Return: as above. */
const char *pvh_read(struct boot_info *bi, uint64_t info, phys_reader_t at);

/* Add a line of up to 99 characters to bi->notes; one that does not fit is lost. */
void boot_note(struct boot_info *bi, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Take over @n characters at most, up to a NUL; note it if they do not fit @to. */
void boot_copy_text(struct boot_info *bi, char *to, size_t size, const char *from, size_t n,
		    const char *what);

/* Note the piece [start, end) that the loader brought along; note one too many. */
void boot_add_module(struct boot_info *bi, uint64_t start, uint64_t end);

/**
 * boot_claim_memory() - mark in @bi->map what is in use or not to be used
 *
 * The first megabyte, badram=, memlimit=, the kernel, modules and framebuffer.
 * Options that make no sense are noted and ignored.
 */
void boot_claim_memory(struct boot_info *bi);
