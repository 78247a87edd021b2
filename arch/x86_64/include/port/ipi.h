/* SPDX-License-Identifier: MIT */
/* Messages from one CPU's local APIC to another's (Intel SDM vol. 3, 10.6). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Delivery mode and level, as the interrupt command register has them (figure 10-12). */
#define IPI_NMI		0x4400u
#define IPI_INIT	0x4500u
#define IPI_STARTUP	0x4600u		/* and the number of a page below 1 MiB */

#define IPI_APIC_ID_MAX 254u		/* 255 means all */

/* Of the running CPU.  Context: any. */
uint32_t apic_id_of_this_cpu(void);

/* Context: boot, one CPU.  Return: false when there is no local APIC to send with. */
bool ipi_init(void);

/* Send @command to the CPU of @apic_id.  Context: any, after ipi_init(). */
void ipi_send(uint32_t apic_id, uint32_t command);
