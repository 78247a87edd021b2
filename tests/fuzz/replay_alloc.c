/* SPDX-License-Identifier: MIT */
/* The allocator's fuzzer without a fuzzer: its corpus and random inputs, as hosted tests. */
#define SUITE "fuzz_alloc"
#include "../test.h"

#include <dirent.h>
#include <stdio.h>

#include "fuzz_alloc.h"

#define INPUT_MAX 2048u
#define CORPUS    "tests/fuzz/corpus/alloc"

static uint8_t input[INPUT_MAX];

static bool replay(const char *name)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof path, CORPUS "/%s", name);
	file = fopen(path, "rb");
	if (!file)
		return false;
	LLVMFuzzerTestOneInput(input, fread(input, 1, sizeof input, file));
	fclose(file);
	return true;
}

TEST(what_was_found_before)
{
	DIR *dir = opendir(CORPUS);
	unsigned n = 0;

	if (!dir) {
		test_skip("no " CORPUS " here: run it from the top of the source tree");
		return;
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (e->d_name[0] != '.')
			n += replay(e->d_name);
	closedir(dir);
	EXPECT_CMP(n, >, 0);
}

TEST(random_inputs)
{
	for (unsigned i = 0; i < 150; i++) {
		size_t size = 16 + test_random_below(INPUT_MAX - 16);

		for (size_t k = 0; k < size; k++)
			input[k] = (uint8_t)test_random();
		LLVMFuzzerTestOneInput(input, size);
	}
}
