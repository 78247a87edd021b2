/* SPDX-License-Identifier: MIT */
/* A memory map on paper: for people, and for programs. */
#pragma once

#include <labyrinth/memmap.h>

/* Zones, a picture, dead ends and totals in at most 80 columns. */
void show_people(const struct memmap *m, const char *name);

/* name<TAB>value lines. */
void show_tsv(const struct memmap *m);
