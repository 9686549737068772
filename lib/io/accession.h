/* How the archives of sequencing write their accessions. */
#ifndef GC_IO_ACCESSION_H
#define GC_IO_ACCESSION_H

#include <stdbool.h>

/* Whether s is an accession as the archive `source` writes it (the list: lib/io/corpus_plan.h);
 * -1 when there is no such archive. */
int accession_fits(const char *source, const char *s);
/* A run of the Sequence Read Archive: SRR1234567, and ERR, DRR. */
bool accession_is_run(const char *s);
/* http or https, a host and a path of printable characters. */
bool accession_is_url(const char *s);
/* Begins with a letter or digit and goes on with these and the characters of `also`. */
bool accession_is_name(const char *s, const char *also);

#endif
