/* SPDX-License-Identifier: MIT */
/* I/O ports, for those devices that every machine of a kind has at the same place. */
#pragma once

#include <stdint.h>

/* Context: any, all of them. */
static inline uint16_t ioport_read16(uint16_t port);
static inline void ioport_write8(uint16_t port, uint8_t v);
static inline void ioport_write16(uint16_t port, uint16_t v);

/* About a microsecond, on real hardware at least. */
static inline void ioport_delay_us(void);

#include <port/ioport.h>
