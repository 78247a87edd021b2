/* SPDX-License-Identifier: MIT */
/* The entry that libFuzzer calls, and the replay in the hosted tests. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Run one input; aborts, after saying why, if anything is wrong.  Return: 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
