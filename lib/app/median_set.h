/* Exact medians of the non-zero values of every gene, in one pass over the cells and fixed memory,
 * from cells and from what others have gathered of theirs, in any order.
 *
 *   depth: x = (count * 10000) / total, in that order in double; total: the cell's, over all mapped
 *          genes. count: x = count
 *   median: the middle x of a gene's non-zero ones, for an even number the mean of the two middle
 *
 * How. No program can tell an exact median after one pass if it may remember less than the values
 * (Munro and Paterson 1980), so what is remembered lies on the disk and not in memory. Both x are a
 * function of two whole numbers, the count and the cell's total, and how often each pair of them
 * occurs in a gene says all there is to know of its values. Cells are taken up in a block of fixed
 * size (lib/cell/median_block.h); a full block is sorted and becomes a file of such pairs
 * (lib/io/median_file.h); 64 files become one by merging, pair by pair. One multiset of pairs has
 * one file, so neither the size of the block nor the order of the cells, nor how samples were
 * spread over processes, leaves a trace in it. The medians are then read off the one file that is
 * left (lib/cell/median_pick.h), gene by gene, and are values that occurred, to the last bit.
 *
 * Memory: `bytes` for the block, 64 files open at a time, 2 MiB for one gene's median; whatever the
 * number of cells and genes. Disk: about 2 bytes for every different pair of a gene (2.3 bytes a
 * count over 21 small samples), twice while a merge lasts. Files below the folder have no name and
 * vanish with the process. */
#ifndef GC_APP_MEDIAN_SET_H
#define GC_APP_MEDIAN_SET_H

#include <stdint.h>
#include <stdio.h>

#include "lib/cell/median_block.h"
#include "lib/data/vocab.h"

enum median_kind { MEDIAN_DEPTH, MEDIAN_COUNT };

struct median_run; /* one file of pairs */

struct median_set {
    const char *const *id; /* [n_genes], rising; borrowed */
    size_t n_genes;
    const char *folder; /* for files without a name; borrowed */
    struct median_block block;
    uint64_t block_cells;
    struct median_run *run; /* [n_runs], owned; sizes fall */
    size_t n_runs, room;
    size_t n_merges; /* so far: for tests and logs */
    /* After median_set_finish: */
    uint64_t n_cells, n_values, n_bytes;
};

enum rc median_set_init(struct median_set *s, const char *const *id, size_t n_genes, size_t bytes,
                        const char *folder, struct err *e);
void median_set_release(struct median_set *s);
/* One cell: n genes with counts above 0. RC_INPUT: a count above the total, or a total of 2^53 and
 * more, which a double cannot hold. */
enum rc median_set_cell(struct median_set *s, const uint32_t *gene, const uint32_t *count, size_t n,
                        uint64_t total, struct err *e);
/* What median_set_write wrote. The path is borrowed; the file is read before finish returns. */
enum rc median_set_file(struct median_set *s, const char *path, struct err *e);
/* When all are there: they become one. */
enum rc median_set_finish(struct median_set *s, struct err *e);
/* All as a file. */
enum rc median_set_write(const struct median_set *s, const char *path, struct err *e);
/* By rising id. On failure *m is empty. */
enum rc median_set_medians(const struct median_set *s, enum median_kind kind, struct medians *m,
                           struct err *e);

#endif
