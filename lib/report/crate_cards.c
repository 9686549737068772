/* Model card and data sheet. Every number stands in a table whose last column, `from`, says where
 * it was read: FILE: KEY of JSON, FILE:LINE KEY of lines of JSON, or FILE:LINE of a table, whose
 * column names then head the cells. Words outside of tables hold no digit, so nothing can be typed
 * in. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/report/crate.h"
#include "lib/report/json.h"

struct card {
    const struct crate *k;
    struct markup m;
};

/* A cell of a table: one line, and no end of a cell in it. */
static void cell(struct card *d, const char *text)
{
    markup_raw(&d->m, " ");
    for (const char *s = text && *text ? text : "-"; *s; s++)
        if (*s == '|' || *s == '\\')
            markup_fmt(&d->m, "\\%c", *s);
        else
            markup_bytes(&d->m, *s == '\n' || *s == '\r' || *s == '\t' ? " " : s, 1);
    markup_raw(&d->m, " |");
}

static void begin(struct card *d, const char *columns) /* separated by | */
{
    size_t n = 1;
    for (const char *s = columns; *s; s++)
        n += *s == '|';
    markup_fmt(&d->m, "\n|%s|from|\n", columns);
    for (size_t i = 0; i <= n; i++)
        markup_raw(&d->m, "|---");
    markup_raw(&d->m, "|\n");
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void value_row(struct card *d, const char *what, const json_t *v, const char *from)
{
    char text[64];
    if (json_is_integer(v))
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        snprintf(text, sizeof text, "%.9g", json_real_value(v));
    else if (json_is_boolean(v))
        snprintf(text, sizeof text, "%s", json_is_true(v) ? "true" : "false");
    else if (!json_is_string(v))
        return;
    markup_raw(&d->m, "|");
    cell(d, what);
    cell(d, json_is_string(v) ? json_string_value(v) : text);
    cell(d, from);
    markup_raw(&d->m, "\n");
}

/* The keys of a file, "KEY=what it is|KEY=...", of which KEY may lead inwards: A.B; what is * takes
 * all that are there. A file or a key that is not there is left out. */
static enum rc json_rows(struct card *d, const char *file, const char *about, const char *keys,
                         struct err *e)
{
    char *path = text_new("%s/%s", d->k->c->root, file);
    json_t *j = NULL;
    enum rc rc = path ? json_read(path, &j, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    for (const char *at = keys; !rc && j && *at; at += strcspn(at, "|"), at += *at == '|') {
        size_t n = strcspn(at, "="), all = strcspn(at, "|");
        char *key = text_new("%.*s", (int)n, at), *rest, *part;
        json_t *v = j;
        char *from = text_new("%s: %.*s", file, (int)n, at);
        char *what = text_new("%s%.*s", about, (int)(all - n - 1), at + n + 1);
        for (part = key ? strtok_r(key, ".", &rest) : NULL; v && part;
             part = strtok_r(NULL, ".", &rest))
            v = json_object_get(v, part);
        if (!key || !from || !what)
            rc = err_set(e, RC_FAIL, "no memory for a card");
        else if (v)
            value_row(d, what, v, from);
        free(key);
        free(from);
        free(what);
    }
    json_decref(j);
    return rc;
}

/* All numbers of an object of a file; about stands before each key. */
static enum rc json_all(struct card *d, const char *file, const char *about, const char *object,
                        struct err *e)
{
    char *path = text_new("%s/%s", d->k->c->root, file);
    json_t *j = NULL, *v;
    const char *key;
    enum rc rc = path ? json_read(path, &j, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    json_t *in = *object ? json_object_get(j, object) : j;
    json_object_foreach(in, key, v)
    {
        char *from = text_new("%s: %s%s%s", file, object, *object ? "." : "", key);
        char *what = text_new("%s%s", about, key);
        if (!rc && (!from || !what))
            rc = err_set(e, RC_FAIL, "no memory for a card");
        if (!rc)
            value_row(d, what, v, from);
        free(from);
        free(what);
    }
    json_decref(j);
    return rc;
}

/* --- tables ----------------------------------------------------------------------------------- */

/* Columns (separated by |) of a table, of the rows that have `value` in `column` (NULL: of all). */
static enum rc tsv_rows(struct card *d, const char *file, const char *columns, const char *column,
                        const char *value, struct err *e)
{
    if (chain_file_of(d->k->c, file) == CHAIN_NONE)
        return RC_OK;
    char *path = text_new("%s/%s", d->k->c->root, file), *need = text_new("%s", columns);
    struct table t;
    table_init(&t, 0);
    for (char *s = need; s && *s; s++)
        *s = *s == '|' ? ',' : *s;
    enum rc rc = path && need ? tsv_read_need(path, need, &t, e)
                              : err_set(e, RC_FAIL, "no memory for a path");
    const struct column *by = !rc && column ? table_find(&t, column) : NULL;
    if (!rc && column && !by)
        rc = err_set(e, RC_INPUT, "'%s' has no column '%s'", file, column);
    if (!rc)
        begin(d, columns);
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        if (by && (!by->text[i] || strcmp(by->text[i], value) != 0))
            continue;
        markup_raw(&d->m, "|");
        for (const char *at = columns; *at; at += strcspn(at, "|"), at += *at == '|') {
            char *name = text_new("%.*s", (int)strcspn(at, "|"), at);
            const struct column *c = name ? table_find(&t, name) : NULL;
            cell(d, c ? c->text[i] : NULL);
            free(name);
        }
        markup_fmt(&d->m, " %s:%zu |\n", file, i + 2);
    }
    table_release(&t);
    free(need);
    free(path);
    return rc;
}

/* Rows of a stage's manifest: parameters (MANIFEST_PARAM), or the output of that name. */
static void manifest_rows(struct card *d, const char *stage, enum manifest_kind kind,
                          const char *name)
{
    size_t at = chain_stage_of(d->k->c, stage);
    for (size_t i = 0; at != CHAIN_NONE && i < d->k->c->stage[at].m.n; i++) {
        const struct manifest_row *r = &d->k->c->stage[at].m.row[i];
        if (r->kind != kind || (name && strcmp(r->name, name) != 0))
            continue;
        markup_raw(&d->m, "|");
        cell(d, r->name);
        if (kind == MANIFEST_OUTPUT) {
            markup_fmt(&d->m, " %ju |", (uintmax_t)r->bytes);
            cell(d, r->sha256);
        }
        markup_fmt(&d->m, " %s/" MANIFEST_NAME ":%zu |\n", stage, i + 2);
    }
}

/* --- model card ------------------------------------------------------------------------------- */

/* The last line about held-out cells in pretrain/log.jsonl; *said is how the losses compare. */
static enum rc held_out(struct card *d, const char **said, struct err *e)
{
    static const char file[] = "pretrain/log.jsonl";
    static const char *const key[] = { "step",       "cells",
                                       "id_loss",    "baseline_id_loss",
                                       "value_loss", "baseline_value_loss",
                                       "accuracy",   "baseline_accuracy" };
    *said = NULL;
    if (chain_file_of(d->k->c, file) == CHAIN_NONE)
        return RC_OK;
    char *path = text_new("%s/%s", d->k->c->root, file);
    struct lines l;
    json_t *best = NULL;
    size_t line = 0;
    bool more = true;
    enum rc rc = path ? lines_open(&l, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    while (!(rc = lines_next(&l, &more, e)) && more) {
        json_t *j = NULL;
        if ((rc = json_line(l.text, file, l.number, &j, e)))
            break;
        const char *split = json_text_of(j, "split");
        if (split && strcmp(split, "val") == 0) {
            json_decref(best);
            best = json_incref(j);
            line = l.number;
        }
        json_decref(j);
    }
    lines_close(&l);
    for (size_t i = 0; !rc && best && i < sizeof key / sizeof *key; i++) {
        char *from = text_new("%s:%zu %s", file, line, key[i]);
        const json_t *v = json_object_get(best, key[i]);
        if (from && v)
            value_row(d, key[i], v, from);
        free(from);
    }
    double model = json_number_of(best, "id_loss"),
           other = json_number_of(best, "baseline_id_loss");
    if (!rc && !isnan(model) && !isnan(other))
        *said = model < other ? "lower than" : "no lower than";
    json_decref(best);
    return rc;
}

static enum rc weights(struct card *d, struct err *e)
{
    const char *model = chain_model(d->k->c);
    markup_raw(&d->m,
               "\n## Model\n\nA transformer encoder that reads a cell as its genes in falling "
               "order of expression, with what is known of each gene beforehand, and learns "
               "hidden genes and their values: the model of the GeneCompass paper, trained by this "
               "project.\n");
    begin(d, "name|bytes|sha256");
    if (model) {
        char *name = text_new("%s/model.safetensors", model + strlen("pretrain/"));
        if (!name)
            return err_set(e, RC_FAIL, "no memory for a path");
        manifest_rows(d, "pretrain", MANIFEST_OUTPUT, name);
        free(name);
    }
    begin(d, "what|value");
    return json_rows(d, "pretrain/report.json", "",
                     "parameters=parameters|layers=layers|heads=heads of attention|width=width|"
                     "feed_forward=width of the feed-forward part|max_genes=genes read of a cell|"
                     "tokens=tokens|species=species|backend=backend that it was trained with|"
                     "knowledge.promoter.present=genes with a promoter vector|"
                     "knowledge.co_exp.present=genes with a co-expression vector|"
                     "knowledge.gene_family.present=genes with a family vector|"
                     "knowledge.peca_grn.present=genes with a network vector",
                     e);
}

static enum rc training(struct card *d, const char **said, struct err *e)
{
    markup_raw(&d->m, "\n## Training\n\nThe cells are in `data-sheet.md`. Options as the stage was "
                      "given them:\n");
    begin(d, "name");
    manifest_rows(d, "pretrain", MANIFEST_PARAM, NULL);
    begin(d, "what|value");
    enum rc rc = json_rows(d, "pretrain/report.json", "",
                           "train_cells=cells trained on|held_out_cells=cells held out|"
                           "steps=steps|sampler=order of the cells",
                           e);
    if (!rc)
        markup_raw(&d->m,
                   "\n## Losses on held-out cells\n\nThe baseline names each gene by its share "
                   "in the training cells, and gives it its mean value there.\n");
    begin(d, "what|value");
    return rc ? rc : held_out(d, said, e);
}

enum rc crate_model_card(const struct crate *k, const char *path, struct err *e)
{
    struct card d = { .k = k };
    const char *said = NULL;
    markup_raw(&d.m,
               "# Model card\n\nWritten by `crate` from the files of the results alone. The last "
               "column of each table says where a number was read; `trace` leads on from "
               "there.\n");
    enum rc rc = weights(&d, e);
    markup_raw(&d.m,
               "\n## Uses\n\nVectors of human and mouse cells and genes, for research. It was not "
               "made for, and not tested on, decisions about patients, other species, or counts "
               "that are not of single cells or nuclei.\n");
    if (!rc)
        rc = training(&d, &said, e);
    markup_raw(&d.m,
               "\n## Cell types\n\nMean over splits by seed, and half of its interval; simple "
               "methods on counts had the same splits.\n");
    if (!rc)
        rc = tsv_rows(&d, "annotate/summary.tsv", "dataset|method|metric|mean|ci95|n_seeds",
                      "metric", "macro_f1", e);
    markup_raw(&d.m,
               "\n## Without training\n\nThe vectors as they are, beside those of random weights "
               "and principal components of the counts.\n");
    if (!rc)
        rc = tsv_rows(&d, "zero-shot/metrics.tsv", "dataset|method|split|seed|metric|value|n",
                      "metric", "macro_f1", e);
    markup_raw(&d.m, "\n## Limits\n\n");
    if (said)
        markup_fmt(&d.m, "The gene loss on held-out cells is %s that of the baseline. ", said);
    markup_raw(&d.m,
               "Held-out cells are of the same samples as the others, so these losses say nothing "
               "about other laboratories. Genes without a vector of knowledge have a random one. "
               "Rows in which the method called genecompass is not above counts or random weights "
               "are results, too.\n\n## Licence\n\nMIT for what this project made; the raw inputs "
               "have their own, in `data-sheet.md`.\n\n## To check\n\n`make audit LEVEL=N` hashes "
               "all files and does the work again; `docs/audit.md` explains the levels.\n");
    if (!rc)
        rc = markup_ok(&d.m, e);
    if (!rc)
        rc = markup_save(&d.m, path, e);
    markup_release(&d.m);
    return rc;
}

/* --- data sheet ------------------------------------------------------------------------------- */

static const char *after(const char *name, const char *head)
{
    size_t n = strlen(head);
    return strncmp(name, head, n) == 0 ? name + n : NULL;
}

/* What each sample was, and what was left of it. */
static enum rc samples(struct card *d, struct err *e)
{
    enum rc rc = RC_OK;
    begin(d, "what|value");
    for (size_t i = 0; !rc && i < d->k->c->n_stages; i++) {
        const char *name = after(d->k->c->stage[i].name, "import/");
        if (!name)
            continue;
        char *about = text_new("%s: ", name), *in = text_new("import/%s/report.json", name);
        char *out = text_new("qc-filter/%s/report.json", name);
        rc = about && in && out ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
        if (!rc)
            rc = json_rows(
                d, in, about,
                "species=species|kind=form of the file|n_source_cells=cells of the source|"
                "n_cells=cells read|n_genes=genes read|total=counts|"
                "n_labelled=cells with a label",
                e);
        if (!rc)
            rc = json_rows(d, out, about, "kept=cells kept by quality control", e);
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
    begin(d, "what|value");
    for (size_t i = 0; !rc && i < d->k->c->n_stages; i++) {
        const char *name = after(d->k->c->stage[i].name, "qc-filter/");
        char *file = name ? text_new("qc-filter/%s/report.json", name) : NULL;
        char *about = name ? text_new("%s: dropped by ", name) : NULL;
        if (name && (!file || !about))
            rc = err_set(e, RC_FAIL, "no memory for a path");
        if (!rc && name && first)
            rc = json_all(d, file, "rule ", "rules", e);
        if (!rc && name)
            rc = json_all(d, file, about, "dropped", e);
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
    begin(d, "what|value");
    enum rc rc = json_all(d, "tokenize/report.json", "corpus, ", "", e);
    if (!rc)
        rc = json_all(d, "vocab/report.json", "vocabulary, ", "", e);
    markup_raw(&d->m, "\nSamples:\n");
    if (!rc)
        rc = samples(d, e);
    markup_raw(&d->m,
               "\nCells that stand in the corpus more than once, and cells of the labelled sets "
               "that are in the corpus:\n");
    begin(d, "what|value");
    if (!rc)
        rc = json_all(d, "ledger/report.json", "", "", e);
    return rc ? rc : tsv_rows(d, "ledger/sets.tsv", "set|cells|in_corpus|share", NULL, NULL, e);
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
        rc = tsv_rows(&d, "fetch/inputs.tsv", "path|bytes|sha256|status|licence|source", NULL, NULL,
                      e);
    markup_raw(&d.m,
               "\n## Preprocessing\n\nGene names to Ensembl ids, broken cells dropped by rules, "
               "counts divided by each gene's median, ranked. Raw inputs are kept by their "
               "sums.\n");
    if (!rc)
        rc = rules(&d, e);
    if (!rc) {
        begin(&d, "name");
        manifest_rows(&d, "tokenize", MANIFEST_PARAM, NULL);
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
    if (!rc)
        rc = markup_ok(&d.m, e);
    if (!rc)
        rc = markup_save(&d.m, path, e);
    markup_release(&d.m);
    return rc;
}
