/* SPDX-License-Identifier: MIT */
/* The words that somebody reads; who adds one adds it here. */
#include "kernel/options.h"

#include <labyrinth/cmdline.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>

/* docs/boot.md explains them; one that ends in * stands for all that begin so. */
static const char *const known[] = {
	"memlimit", "badram", "maxcpus", "term", "test", "seed", "bench*", "torture*", "failnth",
	"cpu_absent", "cpu_late", "cpu_patience", "nmi*", "step*",
};

static bool is_known(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t n = strlen(known[i]);
		bool begins = known[i][n - 1] == '*';

		n -= begins;
		if (strncmp(word, known[i], n) == 0 && (begins ? len >= n : len == n))
			return true;
	}
	return false;
}

const char *options_stranger(const char **at, size_t *len)
{
	for (const char *w = cmdline_word(*at, at); w; w = cmdline_word(*at, at)) {
		size_t n = 0;

		while (w + n < *at && w[n] != '=')
			n++;
		*len = (size_t)(*at - w);
		if (!is_known(w, n))
			return w;
	}
	return NULL;
}

void options_check(const char *line)
{
	const char *at = cmdline_skip_path(line), *word;
	size_t len;

	while ((word = options_stranger(&at, &len)))
		kprintf("boot: %.*s: no such option, ignored; docs/boot.md has them all\n",
			(int)len, word);
}
