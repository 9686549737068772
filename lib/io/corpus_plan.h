/* The tables in manifests/corpus/: what the whole corpus is made of, a row per sample.
 *
 * Tab-separated with a header; columns in any order, others are passed over; `-` means not known:
 *   sample     name in every stage: letters, digits and ._- only; once in all tables
 *   accession  as the archive writes it
 *   species    human or mouse
 *   tissue     as its owner states it
 *   source     the archive, which decides how an accession looks: GEO (GSE1, GSM1), SRA (SRP1,
 * SRS1, SRX1, SRR1, and the same with E or D), ArrayExpress (E-MTAB-1), CNCB (CRA1, HRA1, OMIX1,
 * PRJCA1), CELLxGENE (a UUID), 10x (a name), other (only `-`) kind       counts (a matrix), reads
 * (FASTQ: stage quantify), accession (its files are not listed yet) where      counts: inputs:PATH,
 * a file or folder of manifests/inputs/, or URLs reads: SRA runs; or URLs or inputs:PATHs by pairs,
 * the barcodes' file first accession: a page, or `-` bytes      of all files together; `-` for an
 * accession sha256     of the one file; `-` when there are several, or it is not known licence as
 * its owner states it chemistry  one of corpus_chemistries(); reads must have one with a layout of
 * barcodes note       for people */
#ifndef GC_IO_CORPUS_PLAN_H
#define GC_IO_CORPUS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/base/sha256.h"
#include "lib/io/inputs.h"

enum corpus_kind { CORPUS_COUNTS, CORPUS_READS, CORPUS_ACCESSION };

struct corpus_row {
    const char *sample, *accession, *species, *tissue, *source, *where, *licence, *chemistry;
    enum corpus_kind kind;
    uint64_t bytes;          /* 0: not known */
    char sha256[SHA256_HEX]; /* empty: not known */
    const char *file;        /* the table, for messages */
    size_t line;             /* row in it, from 1 */
};

/* All texts lie in the arena. */
struct corpus_plan {
    struct corpus_row *row; /* owned */
    size_t n, room;
    struct map by_sample;
    struct arena text;
};

void corpus_plan_init(struct corpus_plan *p);
void corpus_plan_release(struct corpus_plan *p);
/* Adds the rows of one table. RC_INPUT names file, row and column of the first broken promise; then
 * *p is only good for release. */
enum rc corpus_plan_read(struct corpus_plan *p, const char *path, struct err *e);
/* NULL when the plan has no such sample. */
const struct corpus_row *corpus_plan_find(const struct corpus_plan *p, const char *sample);
/* Every inputs:PATH is an input or a folder of inputs, with the bytes (and, for a file, the sum)
 * that its row tells. */
enum rc corpus_plan_check_inputs(const struct corpus_plan *p, const struct inputs *in,
                                 struct err *e);
/* Every sample of a samples table that a profile takes is planned, with that path and species. */
enum rc corpus_plan_check_samples(const struct corpus_plan *p, const char *samples_tsv,
                                  struct err *e);
/* NULL-terminated; the first n_reads of them have a layout of barcodes that quantify knows. */
const char *const *corpus_chemistries(size_t *n_reads);

#endif
