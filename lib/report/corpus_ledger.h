/* The ledger of the corpus: what became of every cell of every sample, planned or not, and how far
 * the sums are from the published ones.
 *
 * Cells of a sample, from the reports of its stages:
 *   in the source (barcodes of the file) >= imported >= after each rule of qc-filter ... = kept
 * The reports are held to each other: what import left qc-filter has read, and what the rules
 * dropped is what is missing. RC_CHECK when they disagree. */
#ifndef GC_REPORT_CORPUS_LEDGER_H
#define GC_REPORT_CORPUS_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/io/corpus_plan.h"

enum { LEDGER_MAX_RULES = 16 };

enum corpus_ledger_state {
    LEDGER_KEPT, /* cells of it are in the corpus */
    LEDGER_LOST, /* the run took it and none of its cells is left */
    LEDGER_OPEN  /* the run did not come to it */
};

struct corpus_ledger_row {
    const char *sample, *accession, *species;
    enum corpus_ledger_state state;
    uint64_t source, in, after[LEDGER_MAX_RULES], kept; /* cells; 0 where a stage did not run */
    const char *reason;                                 /* "-" for a sample that is kept */
};

/* Of one species, or of both. */
struct corpus_ledger_sum {
    const char *what; /* human, mouse, total */
    uint64_t n[3];    /* samples by state */
    uint64_t source, in, after[LEDGER_MAX_RULES], kept;
    uint64_t published; /* cells after quality control in the paper */
};

struct corpus_ledger {
    struct corpus_ledger_row *row; /* owned; by sample */
    size_t n;
    const char *rule[LEDGER_MAX_RULES]; /* in the order in which they were applied */
    size_t n_rules;
    struct corpus_ledger_sum sum[3];
    struct arena text;
};

/* results: a results folder; reference: reference/corpus.tsv. On failure *l is empty. The rows
 * borrow from the plan. */
enum rc corpus_ledger_read(struct corpus_ledger *l, const struct corpus_plan *p,
                           const char *results, const char *reference, struct err *e);
void corpus_ledger_release(struct corpus_ledger *l);
const char *corpus_ledger_state_name(enum corpus_ledger_state s);
/* Tables: a row per sample; a row per sum, with the published cells and the distance to them. */
enum rc corpus_ledger_write(const struct corpus_ledger *l, const char *path, struct err *e);
enum rc corpus_ledger_write_sums(const struct corpus_ledger *l, const char *path, struct err *e);

#endif
