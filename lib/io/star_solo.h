/* A call of STARsolo with the settings that follow Cell Ranger (STAR's docs/STARsolo.md, "matching
 * CellRanger >= 4"): barcodes with one wrong base are put right by their quality, UMIs with one
 * wrong base are collapsed, UMIs of several genes go to the one with most reads, adapters are
 * clipped. */
#ifndef GC_IO_STAR_SOLO_H
#define GC_IO_STAR_SOLO_H

#include <stdbool.h>

#include "lib/io/star.h"
#include "lib/io/star_counts.h"

/* Where barcode and UMI stand in a barcode read, from its first base. */
struct chemistry {
    const char *name;
    int barcode, umi; /* lengths; the UMI follows the barcode */
    bool wants_whitelist;
};

struct solo {
    const struct chemistry *chemistry;
    const char *index;       /* folder of quantify-index */
    const char *whitelist;   /* plain or gzip; NULL: every barcode is allowed */
    const char *feature;     /* Gene or GeneFull (with introns) */
    const char *cells;       /* all, knee or emptydrops */
    const char *const *read; /* n_reads files by pairs, the barcodes' first; plain or all gzip */
    size_t n_reads;
};

struct solo_result {
    struct star_counts counts;
    uint64_t n_reads;
    bool gzip;       /* the reads are compressed */
    json_t *summary; /* STAR's own account; the caller's */
};

/* NULL: no such chemistry. */
const struct chemistry *chemistry_find(const char *name);
/* Checks the files, counts in a work folder below out, and leaves a Cell Ranger 3 folder in out.
 * The work folder is gone afterwards, whatever happened. */
enum rc solo_count(const struct solo *s, const char *out, struct solo_result *r, struct err *e);

#endif
