/* The corpus: what is in it, where it came from, and what was done to it. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/report/crate_card.h"

static const char *after(const char *name, const char *head)
{
    size_t n = strlen(head);
    return strncmp(name, head, n) == 0 ? name + n : NULL;
}

/* What each sample was, and what was left of it. */
static enum rc samples(struct card *d, struct err *e)
{
    enum rc rc = RC_OK;
    card_table(d, "what|value");
    for (size_t i = 0; !rc && i < d->k->c->n_stages; i++) {
        const char *name = after(d->k->c->stage[i].name, "import/");
        if (!name)
            continue;
        char *about = text_new("%s: ", name), *in = text_new("import/%s/report.json", name);
        char *out = text_new("qc-filter/%s/report.json", name);
        rc = about && in && out ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
        if (!rc)
            rc = card_json(
                d, in, about,
                "species=species|kind=form of the file|n_source_cells=cells of the source|"
                "n_cells=cells read|n_genes=genes read|total=counts|"
                "n_labelled=cells with a label",
                e);
        if (!rc)
            rc = card_json(d, out, about, "kept=cells kept by quality control", e);
        free(about);
        free(in);
        free(out);
    }
    return rc;
}

/* Rules are the same for all samples: of the first; what each dropped, of all. */
static enum rc rules(struct card *d, struct err *e)
{
    enum rc rc = RC_OK;
    bool first = true;
    card_table(d, "what|value");
    for (size_t i = 0; !rc && i < d->k->c->n_stages; i++) {
        const char *name = after(d->k->c->stage[i].name, "qc-filter/");
        char *file = name ? text_new("qc-filter/%s/report.json", name) : NULL;
        char *about = name ? text_new("%s: dropped by ", name) : NULL;
        if (name && (!file || !about))
            rc = err_set(e, RC_FAIL, "no memory for a path");
        if (!rc && name && first)
            rc = card_json_all(d, file, "rule ", "rules", e);
        if (!rc && name)
            rc = card_json_all(d, file, about, "dropped", e);
        first &= !name;
        free(file);
        free(about);
    }
    return rc;
}

static enum rc composition(struct card *d, struct err *e)
{
    markup_raw(&d->m,
               "\n## Composition\n\nA record is a cell: its genes in falling order of count over "
               "the gene's median, with that value, its species and a number that leads back "
               "to sample and barcode.\n");
    card_table(d, "what|value");
    enum rc rc = card_json_all(d, "tokenize/report.json", "corpus, ", "", e);
    if (!rc)
        rc = card_json_all(d, "vocab/report.json", "vocabulary, ", "", e);
    markup_raw(&d->m, "\nSamples:\n");
    if (!rc)
        rc = samples(d, e);
    markup_raw(&d->m,
               "\nCells that stand in the corpus more than once, and cells of the labelled sets "
               "that are in the corpus:\n");
    card_table(d, "what|value");
    if (!rc)
        rc = card_json_all(d, "ledger/report.json", "", "", e);
    return rc ? rc : card_tsv(d, "ledger/sets.tsv", "set|cells|in_corpus|share", NULL, NULL, e);
}

enum rc crate_data_sheet(const struct crate *k, const char *path, struct err *e)
{
    struct card d = { .k = k };
    markup_raw(
        &d.m,
        "# Data sheet\n\nWritten by `crate` from the files of the results alone. The last column "
        "of each table says where a number was read; `trace` leads on from there.\n\n"
        "## Motivation\n\nA corpus of human and mouse cells to train and test a model of "
        "genes on, every byte of which can be followed to its source.\n");
    enum rc rc = composition(&d, e);
    markup_raw(&d.m,
               "\n## Collection\n\nPublic files, fetched and compared with known sums. Those that "
               "no source had were left out and say so. People and animals were asked, and "
               "ethics were looked at, by those who published them: see there.\n");
    if (!rc)
        rc = card_tsv(&d, "fetch/inputs.tsv", "path|bytes|sha256|status|licence|source", NULL, NULL,
                      e);
    markup_raw(&d.m,
               "\n## Preprocessing\n\nGene names to Ensembl ids, broken cells dropped by rules, "
               "counts divided by each gene's median, ranked. Raw inputs are kept by their "
               "sums.\n");
    if (!rc)
        rc = rules(&d, e);
    if (!rc) {
        card_table(&d, "name");
        card_manifest(&d, "tokenize", MANIFEST_PARAM, NULL);
    }
    markup_raw(
        &d.m,
        "\n## Uses\n\nTraining and tests of models like the one in `model-card.md`. Samples are "
        "what was public and small enough, not a fair draw of people, tissues or "
        "laboratories.\n\n## Distribution\n\nThe corpus is described for machines in "
        "`croissant.json`, the tasks in `croissant-benchmarks.json`, how all of it was made "
        "in `ro-crate-metadata.json`. Each raw input has the licence that stands beside it "
        "above.\n\n## Maintenance\n\nThe corpus is made anew by one command when an input "
        "changes; a new sum in the lists of inputs is a change that the log of the sources "
        "shows.\n");
    return card_close(&d, path, rc, e);
}
