/* SPDX-License-Identifier: MIT */
/* A fault planted to see it found, and replayed: where an NMI strikes decides what it breaks. */
#define SUITE "planted"
#include <tests/test.h>

#include "storm.h"

TEST_BY_NAME(nmi_frees_anothers_page)
{
	storm_run(true);
}
