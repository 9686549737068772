#include "lib/app/annotate_compare.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/annotate_parts.h"
#include "lib/base/log.h"
#include "lib/io/h5ad.h"
#include "lib/io/tables.h"

static void skip_sample(struct compare_job *j, const char *sample, const char *why)
{
    log_say("sample '%s' is skipped: %s", sample, why);
    json_array_append_new(j->skipped, json_pack("{s:s, s:s}", "sample", sample, "reason", why));
}

/* Scores on cells that the model has seen say less: how many of the sample's are in the corpus. */
static void note_leakage(struct compare_job *j, const struct compare_dataset *d)
{
    struct leakage_of of;
    json_t *last = json_array_get(j->datasets, json_array_size(j->datasets) - 1);
    if (d->unseen)
        json_object_set_new(last, "cells_not_in_corpus", json_integer((json_int_t)d->n_unseen));
    if (!j->o->ledger)
        return;
    if (!leakage_find(&j->ledger, d->name, &of)) {
        log_warn("sample '%s': the ledger does not say how many of its cells are in the corpus",
                 d->name);
        json_object_set_new(last, "cells_in_corpus", json_null());
        return;
    }
    log_say("sample '%s': %" PRIu64 " of %" PRIu64 " labelled cells are in the pretraining corpus",
            d->name, of.in_corpus, of.cells);
    json_object_set_new(last, "cells_in_corpus", json_integer((json_int_t)of.in_corpus));
    json_object_set_new(last, "cells_of_the_ledger", json_integer((json_int_t)of.cells));
}

static enum rc use_sample(struct compare_job *j, struct compare_dataset *d, size_t n_missing,
                          struct err *e)
{
    const size_t n_seeds = (size_t)j->o->n_seeds;
    log_say("sample '%s': %zu cells of %zu types, %zu without a label, %zu not in every embedding",
            d->name, d->cells.n, d->cells.n_classes, d->cells.n_unlabelled, n_missing);
    enum rc rc = compare_find_unseen(j, d, e);
    if (!rc)
        rc = compare_run(j, d, e);
    if (!rc)
        compare_write_leakage(j, d);
    for (size_t s = 0; !rc && s < n_seeds; s++)
        for (size_t m = 0; !rc && m < j->n_methods; m++)
            rc = compare_write_result(j, d, m, s, e);
    if (!rc)
        rc = compare_write_summary(j, d, e);
    j->n_datasets++;
    json_array_append_new(
        j->datasets, json_pack("{s:s, s:I, s:I, s:I, s:I}", "dataset", d->name, "n_cells",
                               (json_int_t)d->cells.n, "n_classes", (json_int_t)d->cells.n_classes,
                               "n_unlabelled", (json_int_t)d->cells.n_unlabelled,
                               "n_not_in_every_embedding", (json_int_t)n_missing));
    note_leakage(j, d);
    return rc;
}

static enum rc try_sample(struct compare_job *j, const struct cells *c, const char *sample,
                          struct err *e)
{
    struct compare_dataset d;
    size_t n_missing;
    const char *why;
    enum rc rc = compare_dataset_init(j, c, sample, &d, &n_missing, &why, e);
    if (!rc && why) {
        skip_sample(j, sample, why);
    } else if (!rc) {
        rc = use_sample(j, &d, n_missing, e);
        compare_dataset_release(j, &d);
    }
    return rc ? err_wrap(e, "sample '%s'", sample) : RC_OK;
}

static bool seen_before(const struct compare_job *j, const char *sample)
{
    size_t i;
    json_t *v;
    json_array_foreach(j->datasets, i,
                       v) if (strcmp(json_string_value(json_object_get(v, "dataset")), sample) ==
                              0) return true;
    return false;
}

static enum rc use_file(struct compare_job *j, const char *path, struct err *e)
{
    struct cells c;
    struct id_rows ids = { 0 };
    const char **sample = NULL;
    size_t n = 0;
    if (h5ad_read(path, &c, e))
        return e->rc;
    enum rc rc = id_rows_init(&c.obs, &ids, e);
    if (!rc && !c.count.indptr)
        rc = err_set(e, RC_INPUT, "no counts in X");
    const bool labelled = table_find(&c.obs, j->o->label) != NULL;
    if (!rc)
        rc = column_names(&c.obs, "sample", &sample, &n, e);
    for (size_t i = 0; !rc && !labelled && i < n; i++)
        skip_sample(j, sample[i], "no column with labels");
    if (!labelled)
        n = 0;
    for (size_t i = 0; !rc && i < n; i++)
        rc = seen_before(j, sample[i])
                 ? err_set(e, RC_INPUT, "sample '%s' was in an earlier file", sample[i])
                 : try_sample(j, &c, sample[i], e);
    free(sample);
    id_rows_release(&ids);
    cells_release(&c);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}

static enum rc write_report(const struct compare_job *j, struct err *e)
{
    struct outfile o;
    if (!j->o->report)
        return RC_OK;
    if (outfile_open(&o, j->o->report, e))
        return e->rc;
    json_t *r = json_pack("{s:s, s:I, s:I, s:O, s:O, s:O}", "tool", "annotate", "seeds",
                          (json_int_t)j->o->n_seeds, "methods", (json_int_t)j->n_methods,
                          "datasets", j->datasets, "skipped", j->skipped, "rivals", j->rivals);
    bool good = r && json_dumpf(r, o.f, JSON_INDENT(1)) == 0 && fputc('\n', o.f) != EOF;
    json_decref(r);
    if (good)
        return outfile_commit(&o, e);
    outfile_abort(&o);
    return err_set(e, RC_FAIL, "cannot write '%s'", j->o->report);
}

enum rc annotate_compare(const struct compare_options *o, struct err *e)
{
    struct compare_job j = {
        .o = o, .datasets = json_array(), .skipped = json_array(), .rivals = json_array()
    };
    enum rc rc =
        j.datasets && j.skipped && j.rivals ? RC_OK : err_set(e, RC_FAIL, "no memory for a report");
    if (!rc && o->ledger)
        rc = leakage_read(&j.ledger, o->ledger, e);
    if (!rc)
        rc = embeddings_read(&o->embeddings, o->matrix, &j.embedding, &j.n_embeddings, e);
    if (!rc)
        rc = compare_name_methods(&j, e);
    if (!rc && o->medians)
        rc = medians_read(o->medians, &j.medians, e);
    if (!rc)
        rc = compare_read_corpus(&j, e);
    if (!rc)
        rc = compare_pretrain_geneformer(&j, e);
    if (!rc)
        rc = compare_open_tables(&j, e);
    for (int i = 0; !rc && i < o->counts.n; i++)
        rc = use_file(&j, o->counts.item[i], e);
    if (!rc && !j.n_datasets && !o->none_is_fine)
        rc = err_set(e, RC_INPUT, "no sample has labelled cells to work with");
    else if (!rc && !j.n_datasets)
        log_warn("no sample has labelled cells: there is nothing to compare");
    if (!rc)
        rc = compare_commit_tables(&j, e);
    if (!rc)
        rc = write_report(&j, e);
    compare_abort_tables(&j);
    compare_release_methods(&j);
    embeddings_release(j.embedding, j.n_embeddings);
    compare_release_corpus(&j.corpus);
    geneformer_release(&j.rival);
    medians_release(&j.medians);
    leakage_release(&j.ledger);
    json_decref(j.datasets);
    json_decref(j.skipped);
    json_decref(j.rivals);
    return rc;
}
