/* STAR as a child process: the aligner that counts raw reads (STARsolo), Debian package rna-star.
 *
 * It runs inside a work folder of ours and sees only names relative to it, so that nothing of this
 * machine gets into what it writes. */
#ifndef GC_IO_STAR_H
#define GC_IO_STAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum { STAR_MAX_ARGS = 96 };

struct star_call {
    const char *arg[STAR_MAX_ARGS]; /* NULL-terminated, arg[0] the program; borrowed */
    size_t n;
};

/* Begins a call of program (NULL: STAR). */
void star_begin(struct star_call *c, const char *program);
/* Adds words up to a NULL. */
void star_add(struct star_call *c, ...) __attribute__((sentinel));
/* Runs it in folder and waits; its talk goes to FOLDER/star.log.
 * RC_SKIP: no such program; RC_INPUT: it refused a file; RC_FAIL: killed, no memory, no room. The
 * sentence holds the program's own. */
enum rc star_run(const struct star_call *c, const char *folder, struct err *e);

/* What a FASTA file holds, plain or gzip. */
struct fasta_facts {
    uint64_t n_bases;
    size_t n_sequences;
};

/* Copies a FASTA and a GTF, plain or gzip, to plain files for STAR, and checks them: sequences with
 * names and bases; exons with a gene_id on sequences of the genome. exons on others are counted.
 * RC_INPUT names file and line. */
enum rc star_copy_genome(const char *from, const char *to, struct fasta_facts *f, struct err *e);
enum rc star_copy_genes(const char *from, const char *to, const char *genome, size_t *n_exons,
                        size_t *n_elsewhere, struct err *e);
struct reads_facts {
    uint64_t n_reads;
    size_t length; /* of the first */
    bool gzip;
};

/* Walks through the whole file: STAR takes a cut one for its end. RC_INPUT: not FASTQ, cut, empty.
 */
enum rc star_look_at_reads(const char *path, struct reads_facts *f, struct err *e);

#endif
