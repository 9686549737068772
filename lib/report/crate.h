/* Results in the words of others: what an archive, a search engine or a security officer can read
 * without knowing this project.
 *
 *   ro-crate-metadata.json     the makefile a workflow, each stage a step and an action: RO-Crate
 *                              1.1, Provenance Run Crate 0.5 (lib/report/crate_ro.h)
 *   workflow/                  that makefile and its fragments
 *   croissant.json             the corpus as a data set: http://mlcommons.org/croissant/1.0
 *   croissant-benchmarks.json  predictions and scores of the tasks, likewise
 *   bom.cdx.json               programs, libraries, compiler, sources: CycloneDX 1.6
 *   model-card.md              the newest weights (headings: Mitchell et al. 2019)
 *   data-sheet.md              the corpus (headings: Gebru et al. 2021)
 *   README.md                  what lies where in the results, and how to check it
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

/* RC_INPUT: no such table, or one without a date or an engine (make); a text in it or in a manifest
 * is no UTF-8. On failure *k is empty. */
enum rc crate_read(struct crate *k, const struct chain *c, const char *build, struct err *e);
void crate_release(struct crate *k);

/* Copies the makefile and its fragments from a checkout to out/workflow. RC_INPUT: one of them is
 * not there, or is not what the table of the build has the sum of. */
enum rc crate_workflow(const struct crate *k, const char *source, const char *out, struct err *e);
/* Each of these writes one file; folder: where the other files of the stage lie, whose sums the
 * RO-Crate holds. RC_INPUT: a file of the results is broken. */
enum rc crate_ro(const struct crate *k, const char *folder, const char *path, struct err *e);
enum rc crate_corpus(const struct crate *k, const char *path, struct err *e);
enum rc crate_benchmarks(const struct crate *k, const char *path, struct err *e);
enum rc crate_bom(const struct crate *k, const char *path, struct err *e);
enum rc crate_model_card(const struct crate *k, const char *path, struct err *e);
enum rc crate_data_sheet(const struct crate *k, const char *path, struct err *e);
enum rc crate_readme(const struct crate *k, const char *path, struct err *e);

/* --- for the parts ---------------------------------------------------------------------------- */

/* A cell of the table of the build; "" for none. */
const char *crate_fact(const struct crate *k, size_t row, const char *column);
/* The program of a stage by its name, which must be one of the build; NULL: none, so make itself.
 */
const char *crate_program(const struct crate *k, const char *stage);
/* The stage that the files of this header are; it says nothing about itself. */
#define CRATE_STAGE "crate"
/* Its folder for the makefile. */
#define CRATE_WORKFLOW "workflow"
/* Whether a file of the checkout is a part of the workflow; of that sum, unless that is NULL. */
bool crate_in_workflow(const struct crate *k, const char *name, const char *sha256);
/* The path of a stage's output below the root; the caller frees. */
char *crate_path(const struct chain_stage *s, const char *name);
/* A path as a relative URI: bytes that are no letters, digits or -._~/ as %XX; the caller frees. */
char *crate_uri(const char *path);
/* Whether the source of a raw input is an address (http, https); *uri is it with %XX for what no
 * URI may hold (RFC 3986; a %XX of its own stays), the caller frees; NULL: no memory, or none. */
bool crate_address(const char *source, char **uri);
/* {"@id": id}; takes id over when it was allocated by the functions above (NULL: no memory). */
json_t *crate_ref(char *id);

#endif
