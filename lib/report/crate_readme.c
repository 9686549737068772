/* README.md of a results folder: what lies where, and how to check it. For whoever gets the folder
 * alone. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/version.h"
#include "lib/io/markup.h"
#include "lib/report/crate.h"

/* The stages below one folder of the root. */
struct group {
    const char *name; /* of the first of them, up to name_n */
    size_t name_n, stages, files;
    uint64_t bytes;
};

/* Names of folders on one line, in a span of code. */
static void code(struct markup *m, const char *s, size_t n)
{
    markup_raw(m, "`");
    for (size_t i = 0; i < n; i++)
        markup_bytes(m, (unsigned char)s[i] < ' ' || s[i] == '`' ? "?" : s + i, 1);
    markup_raw(m, "`");
}

static void count(struct group *g, const struct manifest *m)
{
    g->stages++;
    for (size_t i = 0; i < m->n; i++)
        if (m->row[i].kind == MANIFEST_OUTPUT) {
            g->files++;
            g->bytes += m->row[i].bytes;
        }
}

/* *group (the caller frees) by name of the first stage; crate says nothing about itself. */
static enum rc groups_of(const struct chain *c, struct group **group, size_t *n, struct err *e)
{
    struct group *g = calloc(c->n_stages + 1, sizeof *g);
    struct map at;
    enum rc rc = g ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu stages", c->n_stages);
    map_init(&at);
    *n = 0;
    for (size_t i = 0; !rc && i < c->n_stages; i++) {
        const struct chain_stage *s = &c->stage[i];
        const size_t length = strcspn(s->name, "/");
        uint64_t old = MAP_NONE;
        char *name = text_new("%.*s", (int)length, s->name);
        rc = name ? RC_OK : err_set(e, RC_FAIL, "no memory for a name");
        if (!rc && strcmp(name, CRATE_STAGE) != 0)
            rc = map_add(&at, name, *n, &old, e);
        if (!rc && strcmp(name, CRATE_STAGE) != 0) {
            if (old == MAP_NONE) {
                old = (*n)++;
                g[old].name = s->name;
                g[old].name_n = length;
            }
            count(&g[old], &s->m);
        }
        free(name);
    }
    map_release(&at);
    *group = g;
    return rc;
}

/* Where to begin reading, as far as it is there. */
static void begin_here(struct markup *m, const struct chain *c)
{
    static const char *const file[][2] = {
        { "report/index.html", "all results as a page; it needs no network" },
        { "report/claims.html", "the claims of the paper, with what this run says about each" },
        { "paper/paper.pdf", "the paper, whose every number is looked up in here" },
    };
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        if (chain_file_of(c, file[i][0]) != CHAIN_NONE)
            markup_fmt(m, "- `%s`: %s\n", file[i][0], file[i][1]);
    markup_raw(m, "- `crate/model-card.md`, `crate/data-sheet.md`: the model and the corpus, each "
                  "number with the file and line that it was read from\n"
                  "- `crate/workflow/GNUmakefile`: the makefile that made all of it\n"
                  "- `ro-crate-metadata.json`: the same for machines, as RO-Crate (Provenance Run "
                  "Crate); other standards lie in `crate`\n\n");
}

enum rc crate_readme(const struct crate *k, const char *path, struct err *e)
{
    struct markup m = { 0 };
    struct group *g = NULL;
    size_t n = 0;
    enum rc rc = groups_of(k->c, &g, &n, e);
    markup_raw(&m, "# Results of genecompass.c " GC_VERSION "\n\n"
                   "The system of the GeneCompass paper in C: single cells from raw counts to "
                   "tokens, a model, its vectors and scores.\n\n");
    begin_here(&m, k->c);
    markup_raw(&m,
               "## Check it\n\n"
               "    genecompass audit .          # hashes every file, follows the chain of "
               "manifests; --level 1 to 3 does the work again\n"
               "    genecompass trace FILE:ROW   # from a number or a dot back to the raw files\n\n"
               "Each folder below that has a `MANIFEST.tsv` is a stage: what it read, how it was "
               "told to work, and size and SHA-256 of every file that it wrote. Nothing else lies "
               "here but logs, which hold seconds and memory.\n\n## Folders\n\n");
    for (size_t i = 0; !rc && i < n; i++) {
        markup_raw(&m, "- ");
        code(&m, g[i].name, g[i].name_n);
        markup_fmt(&m, ": %zu stage%s, %zu file%s, %ju bytes\n", g[i].stages,
                   g[i].stages == 1 ? "" : "s", g[i].files, g[i].files == 1 ? "" : "s",
                   (uintmax_t)g[i].bytes);
    }
    markup_raw(&m, "\n## Licence\n\nMIT. Raw inputs have the licences that stand beside them in "
                   "`crate/data-sheet.md`.\n");
    if (!rc)
        rc = markup_save(&m, path, e);
    markup_release(&m);
    free(g);
    return rc;
}
