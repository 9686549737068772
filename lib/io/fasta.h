/* Windows of a genome from FASTA: plain, gzip or bgzip (which is gzip in blocks).
 *
 * A plain file with an index beside it (FILE.fai: name, bases, offset, bases and bytes a line) is
 * read at the windows only, and the index must fit the file; any other file is read through once,
 * from its first byte to its last, and needs no index.
 *
 * Rules: letters of any case are handed over as capitals (lower case only marks repeats); a letter
 * other than A C G T is N; bases before the first or behind the last of a sequence are N; a window
 * on the reverse strand is its reverse complement. A sequence `chr1` of a window is also found as
 * `1`, `chrM` as `MT`, and the other way round. */
#ifndef GC_IO_FASTA_H
#define GC_IO_FASTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct fasta_window {
    const char *sequence;
    int64_t start, end; /* 0-based, half-open; may lie beyond the ends */
    bool reverse;
    bool found;     /* set: the genome has the sequence */
    size_t n_known; /* set: bases that are not N */
    char *bases;    /* [end - start] and a zero; owned by the caller, filled here */
};

struct fasta_facts {
    size_t n_sequences;
    uint64_t n_bases;
    bool by_index;
};

/* Fills all windows; those of an unknown sequence are N throughout. RC_INPUT: no FASTA, a sequence
 * given twice, a byte that is no letter, a cut stream, an index that does not fit. */
enum rc fasta_windows(const char *path, struct fasta_window *w, size_t n, struct fasta_facts *f,
                      struct err *e);

/* All sequences of a FASTA file, or the lines of a file of bare sequences (no '>' in front): for
 * training. Capitals; in order. */
struct sequences {
    char **name; /* [n] owned; NULL for bare lines */
    char **bases;
    size_t n, room;
};
enum rc sequences_read(const char *path, struct sequences *s, struct err *e);
void sequences_release(struct sequences *s);

#endif
