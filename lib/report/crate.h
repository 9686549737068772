/* Results in the words of others: what an archive, a search engine or a security officer can read
 * without knowing this project.
 *
 *   ro-crate-metadata.json     each stage an action: RO-Crate 1.1, Process Run Crate 0.5
 *                              (https://w3id.org/ro/crate/1.1, https://w3id.org/ro/wfrun/process)
 *   croissant.json             the corpus as a data set: http://mlcommons.org/croissant/1.0
 *   croissant-benchmarks.json  predictions and scores of the tasks, likewise
 *   bom.cdx.json               programs, libraries, compiler, sources: CycloneDX 1.6
 *   model-card.md              the newest weights (headings: Mitchell et al. 2019)
 *   data-sheet.md              the corpus (headings: Gebru et al. 2021)
 *
 * All are made from manifests, reports and logs of the stages; no number is typed. Equal results
 * and an equal table of the build give equal bytes. */
#ifndef GC_REPORT_CRATE_H
#define GC_REPORT_CRATE_H

#include <jansson.h>

#include "lib/data/table.h"
#include "lib/io/markup.h"
#include "lib/manifest/chain.h"

struct crate {
    const struct chain *c; /* borrowed; needs no sums */
    struct table build;    /* kind name version sha256 detail: workflows/build-facts.sh */
    const char *date;      /* of the build, YYYY-MM-DD; borrowed from it */
};

/* RC_INPUT: no such table, or one without a date. On failure *k is empty. */
enum rc crate_read(struct crate *k, const struct chain *c, const char *build, struct err *e);
void crate_release(struct crate *k);

/* Each of these writes one file; folder: where the other files of the stage lie, whose sums the
 * RO-Crate holds. RC_INPUT: a file of the results is broken. */
enum rc crate_ro(const struct crate *k, const char *folder, const char *path, struct err *e);
enum rc crate_corpus(const struct crate *k, const char *path, struct err *e);
enum rc crate_benchmarks(const struct crate *k, const char *path, struct err *e);
enum rc crate_bom(const struct crate *k, const char *path, struct err *e);
enum rc crate_model_card(const struct crate *k, const char *path, struct err *e);
enum rc crate_data_sheet(const struct crate *k, const char *path, struct err *e);

/* --- for the parts ---------------------------------------------------------------------------- */

/* A cell of the table of the build; "" for none. */
const char *crate_fact(const struct crate *k, size_t row, const char *column);
/* The program of a stage by its name, which must be one of the build; NULL: none, so make itself.
 */
const char *crate_program(const struct crate *k, const char *stage);
/* The stage that the files of this header are; it says nothing about itself. */
#define CRATE_STAGE "crate"
/* The path of a stage's output below the root; the caller frees. */
char *crate_path(const struct chain_stage *s, const char *name);
/* A path as a relative URI: bytes that are no letters, digits or -._~/ as %XX; the caller frees. */
char *crate_uri(const char *path);
/* Where a raw input came from, as far as that is an address (http, https); else NULL. */
const char *crate_address(const char *source);
/* {"@id": id}; takes id over when it was allocated by the functions above (NULL: no memory). */
json_t *crate_ref(char *id);

#endif
