/* SPDX-License-Identifier: MIT */
/* The machine as a whole: how it starts over and how it is switched off. */
#pragma once

/* Start over, by the gentlest of the ways that works.  Context: any. */
_Noreturn void machine_reboot(void);

/* Stop this CPU for good.  Context: any. */
_Noreturn void machine_halt(void);
