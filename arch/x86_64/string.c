/* SPDX-License-Identifier: MIT */
/* The memory functions that compilers call by name, by the string instructions. */
#include <labyrinth/string.h>

#include <stdint.h>

void *memset(void *dst, int c, size_t n)
{
	void *d = dst;
	size_t words = n / 8;
	size_t rest = n % 8;
	uint64_t pattern = (uint8_t)c * 0x0101010101010101u;

	__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(d), "+c"(rest) : "a"(pattern) : "memory");
	return dst;
}

static void copy_up(void *d, const void *s, size_t n)
{
	size_t words = n / 8;
	size_t rest = n % 8;

	__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(rest) : : "memory");
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	copy_up(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	/* upwards is safe unless dst lies inside the source */
	if ((uintptr_t)dst - (uintptr_t)src >= n) {
		copy_up(dst, src, n);
	} else {
		void *d = (char *)dst + n - 1;
		const void *s = (const char *)src + n - 1;

		__asm__ volatile("std; rep movsb; cld" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
	}
	return dst;
}
