/* SPDX-License-Identifier: MIT */
/* RAM is an anonymous mapping that costs nothing until touched; CPUs are threads. */
#include "machine.h"

#include <string.h>
#include <sys/mman.h>

#include <arch/directmap.h>
#include <labyrinth/panic.h>

unsigned char *host_ram;
struct host_cpu host_cpus[HOST_CPUS_MAX];
_Thread_local struct host_binding host_self = { 0, &host_cpus[0] };

static uint64_t ram_bytes;

void host_bind_cpu(unsigned number)
{
	KASSERT(number < HOST_CPUS_MAX);
	host_self = (struct host_binding){ number, &host_cpus[number] };
}

void host_machine_init(uint64_t bytes)
{
	if (host_ram)
		munmap(host_ram, ram_bytes);
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		panic("cannot reserve %llu bytes of address space", (unsigned long long)bytes);
	/* As the kernel's direct map does; a hint, so a refusal does no harm. */
	madvise(p, bytes, MADV_HUGEPAGE);
	host_ram = p;
	ram_bytes = bytes;
	memset(host_cpus, 0, sizeof host_cpus);
	host_bind_cpu(0);
}
