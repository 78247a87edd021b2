/* SPDX-License-Identifier: MIT */
/* A page that ring 3 could reach, for tests of what the kernel may not do with it. */
#pragma once

#include <stdbool.h>

/**
 * user_page_open() - map the page of @p once more, as a user's
 * @p: in the kernel's image
 *
 * Return: where @p is then, in the lower half; until user_page_close().
 */
void *user_page_open(const void *p, bool writable, bool executable);
void user_page_close(void);
