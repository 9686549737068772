/* Memory of the emulated device, apart from the host's: its pages are closed while the host runs
 * and open while a kernel, a copy or a product runs, so a host that touches them ends with SIGSEGV.
 * A kernel that is given an address outside of it ends the program too (cuemu_look). An array ends
 * where its pages end, to 256 bytes, and a closed page follows; the address sanitizer sees the rest
 * of those bytes as well. */
#include "tests/cuemu/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/cuemu/cuemu.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { PAGE = 4096, ALIGN = 256, MOST = 4096 };

struct region {
    char *pages, *data;
    size_t bytes; /* of pages, without the closed one */
};
static struct region region[MOST];
static int n_regions, opened;
static size_t in_use, most_in_use; /* bytes of pages */

static void protect(const struct region *r, int how)
{
    if (mprotect(r->pages, r->bytes, how))
        cuemu_die("pages of the device cannot be opened or closed");
}

void cuemu_open(void)
{
    if (opened++ == 0)
        for (int i = 0; i < n_regions; i++)
            protect(&region[i], PROT_READ | PROT_WRITE);
}

void cuemu_close(void)
{
    if (--opened == 0)
        for (int i = 0; i < n_regions; i++)
            protect(&region[i], PROT_NONE);
}

void *cuemu_memory(size_t n_bytes)
{
    const size_t n = (n_bytes + ALIGN - 1) / ALIGN * ALIGN + (n_bytes ? 0 : ALIGN);
    const size_t bytes = (n + PAGE - 1) / PAGE * PAGE;
    if (n_regions == MOST || n < n_bytes)
        return NULL;
    char *p = (char *)mmap(NULL, bytes + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    const struct region r = { p, p + bytes - n, bytes };
    protect(&r, PROT_READ | PROT_WRITE);
    memset(p, 0xff, bytes); /* NaN: what is read before it was written shows */
    ASAN_POISON_MEMORY_REGION(r.data + n_bytes, n - n_bytes);
    if (!opened)
        protect(&r, PROT_NONE);
    region[n_regions++] = r;
    in_use += bytes;
    most_in_use = in_use > most_in_use ? in_use : most_in_use;
    return r.data;
}

void cuemu_release(void *p)
{
    for (int i = 0; p && i < n_regions; i++)
        if (region[i].data == p) {
            ASAN_UNPOISON_MEMORY_REGION(region[i].pages, region[i].bytes);
            in_use -= region[i].bytes;
            munmap(region[i].pages, region[i].bytes + PAGE);
            region[i] = region[--n_regions];
            return;
        }
    if (p)
        cuemu_die("memory is given back that the device did not give");
}

size_t cuemu_memory_peak(void)
{
    return most_in_use;
}

bool cuemu_has(const void *p)
{
    for (int i = 0; i < n_regions; i++)
        if ((const char *)p >= region[i].data &&
            (const char *)p <= region[i].pages + region[i].bytes)
            return true;
    return false;
}

[[noreturn]] static void say(const char *kernel, size_t at, uint64_t x)
{
    fprintf(stderr, "cuemu: %s: %#llx at byte %zu of an argument\n", kernel, (unsigned long long)x,
            at);
    cuemu_die("a kernel is given an address of the host");
}

/* Whether this process has memory there. */
static bool mapped(uint64_t x)
{
    unsigned char in;
    return mincore((void *)(x / PAGE * PAGE), 1, &in) == 0;
}

/* Addresses of a process lie between 2^44 and 2^47 here; below lies the address sanitizer's shadow,
 * where two small numbers side by side would point. The gaps between numbers seldom make the
 * address of a page that is there. */
void cuemu_look(const char *kernel, const void *argument, size_t n_bytes)
{
    for (size_t at = 0; at + sizeof(uint64_t) <= n_bytes; at += sizeof(uint64_t)) {
        uint64_t x;
        memcpy(&x, (const char *)argument + at, sizeof x);
        if (x >> 44 && !(x >> 47) && !cuemu_has((const void *)x) && mapped(x))
            say(kernel, at, x);
    }
}
