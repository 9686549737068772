/* Where genes begin: tables of transcription start sites. Plain or gzip, tab-separated. Layouts:
 *   BED with a header line (`#chr start end name score strand Ensembl_ID ..`, in any order) or
 *   without (BED6): 0-based, half-open; the start site is the first base on the gene's strand,
 *   start for + and end - 1 for -
 *   a header with `ensgene` (Ensembl's table as annotables has it): start and end 1-based, closed
 *   a header with `tss` (1-based, as BioMart gives it) in place of start and end
 * Columns by name, in any case: chr, chrom, chromosome; start; end; tss; strand (+ - 1 -1); name,
 * gene, gene_name, symbol; ensembl_id, gene_id, id, ensgene. */
#ifndef GC_IO_TSS_H
#define GC_IO_TSS_H

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

struct tss {
    const char *sequence, *name, *id; /* name or id may be NULL, not both */
    int64_t at;                       /* 0-based */
    int reverse;
};

struct tss_table {
    struct tss *at; /* [n], in order of the file; owned */
    size_t n, room;
    struct arena text;
};

/* On failure *t is empty. RC_INPUT names file, line and trouble. */
enum rc tss_read(const char *path, struct tss_table *t, struct err *e);
void tss_release(struct tss_table *t);

#endif
