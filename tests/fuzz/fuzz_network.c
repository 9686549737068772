/* lib/io/network and lib/io/hgnc: whatever the bytes, a file is refused with a sentence, or its
 * pairs are of genes that it has. */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/io/hgnc.h"
#include "lib/io/network.h"

static void check_network(const char *path)
{
    struct network n;
    struct err e = { 0 };
    if (network_read(path, NULL, &n, &e)) {
        if (n.gene.at || n.pairs.at || !e.text[0])
            abort();
        return;
    }
    for (size_t i = 0; i < n.pairs.n; i++)
        if (n.pairs.at[i].a >= n.pairs.at[i].b || n.pairs.at[i].b >= n.gene.n)
            abort();
    for (size_t i = 0; i < n.n_directed; i++)
        if (n.edge[i].from >= n.gene.n || n.edge[i].to >= n.gene.n)
            abort();
    if (n.n_directed > n.n_rows || n.pairs.n + n.n_self > n.n_directed)
        abort();
    network_release(&n);
}

static void check_hgnc(const char *path)
{
    struct hgnc h;
    struct err e = { 0 };
    if (hgnc_read(path, &h, &e)) {
        if (h.member || h.symbol || !e.text[0])
            abort();
        return;
    }
    for (size_t i = 0; i < h.n_members; i++)
        if (h.member[i].item >= h.n_genes || !h.symbol[h.member[i].item])
            abort();
    hgnc_release(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    const int fd = memfd_create("network", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    check_network(path);
    check_hgnc(path);
    close(fd);
    return 0;
}
