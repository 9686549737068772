/* The newest weights: what they are, how they were trained, and how they do. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/report/crate_card.h"
#include "lib/report/json.h"

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
            card_value(d, key[i], v, from);
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
    card_table(d, "name|bytes|sha256");
    if (model) {
        char *name = text_new("%s/model.safetensors", model + strlen("pretrain/"));
        if (!name)
            return err_set(e, RC_FAIL, "no memory for a path");
        card_manifest(d, "pretrain", MANIFEST_OUTPUT, name);
        free(name);
    }
    card_table(d, "what|value");
    return card_json(d, "pretrain/report.json", "",
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
    card_table(d, "name");
    card_manifest(d, "pretrain", MANIFEST_PARAM, NULL);
    card_table(d, "what|value");
    enum rc rc = card_json(d, "pretrain/report.json", "",
                           "train_cells=cells trained on|held_out_cells=cells held out|"
                           "steps=steps|sampler=order of the cells",
                           e);
    if (!rc)
        markup_raw(&d->m,
                   "\n## Losses on held-out cells\n\nThe baseline names each gene by its share "
                   "in the training cells, and gives it its mean value there.\n");
    card_table(d, "what|value");
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
        rc = card_tsv(&d, "annotate/summary.tsv", "dataset|method|metric|mean|ci95|n_seeds",
                      "metric", "macro_f1", e);
    markup_raw(&d.m,
               "\n## Without training\n\nThe vectors as they are, beside those of random weights "
               "and principal components of the counts.\n");
    if (!rc)
        rc = card_tsv(&d, "zero-shot/metrics.tsv", "dataset|method|split|seed|metric|value|n",
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
    return card_close(&d, path, rc, e);
}
