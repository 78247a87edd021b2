/* SPDX-License-Identifier: MIT */
/* Saying that an operation was refused.  Private to mm/. */
#pragma once

/* One sentence without a newline; cut when longer than a few console lines.  Context: any. */
void report_refusal(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));
