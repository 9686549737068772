#include "lib/report/results.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/report/json.h"

/* Where no stage lies. */
static const char not_named[] = ".not-named/";

const char *results_text(struct results *r, const char *text)
{
    return text ? arena_text(&r->text, text) : NULL;
}

bool results_has(const struct results *r, const char *stage)
{
    const size_t n = strcspn(stage, "/");
    for (const char *at = r->stages; at && *at;) {
        const size_t k = strcspn(at, ",");
        if (k == n && strncmp(at, stage, n) == 0)
            return true;
        at += k + (at[k] == ',');
    }
    return !r->stages;
}

const char *results_path(struct results *r, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    const size_t head = strlen(r->folder), room = n < 0 ? 0 : (size_t)n + 1;
    char *s = n < 0 ? NULL : arena_get(&r->text, head + sizeof not_named + room);
    if (s) {
        memcpy(s, r->folder, head);
        s[head] = '/';
        vsnprintf(s + head + 1, room, fmt, again);
        /* Whoever reads it finds a stage that is not there. */
        if (!results_has(r, s + head + 1)) {
            memmove(s + head + sizeof not_named, s + head + 1, room);
            memcpy(s + head + 1, not_named, sizeof not_named - 1);
        }
    }
    va_end(again);
    return s;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds one name of the folder when it is of the kind that is wanted. */
static enum rc add_name(struct results *r, const char *path, const char *name, char wanted,
                        const char ***list, size_t *n, struct err *e)
{
    char *full = text_new("%s/%s", path, name);
    bool good = full && (wanted == 'd' ? folder_exists(full) : file_exists(full));
    bool memory = full != NULL;
    free(full);
    if (memory && (!good || name[0] == '.'))
        return RC_OK;
    if (memory && path == r->folder && !results_has(r, name))
        return RC_OK;
    const char **more = memory ? realloc(*list, (*n + 1) * sizeof *more) : NULL;
    if (!more)
        return err_set(e, RC_FAIL, "no memory for the names in '%s'", path);
    *list = more;
    more[*n] = results_text(r, name);
    return more[(*n)++] ? RC_OK : err_set(e, RC_FAIL, "no memory for the names in '%s'", path);
}

enum rc results_list(struct results *r, const char *path, char wanted, const char ***name,
                     size_t *n, struct err *e)
{
    *name = NULL;
    *n = 0;
    if (!folder_exists(path))
        return RC_OK;
    DIR *d = opendir(path);
    if (!d)
        return err_set(e, RC_FAIL, "cannot read folder '%s': %s", path, strerror(errno));
    enum rc rc = RC_OK;
    const struct dirent *entry;
    while (!rc && (entry = readdir(d)))
        rc = add_name(r, path, entry->d_name, wanted, name, n, e);
    closedir(d);
    if (rc) {
        free(*name);
        *name = NULL;
        *n = 0;
        return rc;
    }
    if (*n)
        qsort(*name, *n, sizeof **name, by_bytes);
    return RC_OK;
}

enum rc results_inputs(struct results *r, struct err *e)
{
    const char *path = results_path(r, "fetch/inputs.tsv");
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    if (!file_exists(path))
        return RC_OK;
    if (tsv_read_need(path, "path,bytes,sha256,need,status,licence,source", &r->inputs.t, e))
        return e ? e->rc : RC_INPUT;
    r->inputs.present = true;
    const struct column *status = table_find(&r->inputs.t, "status");
    for (size_t i = 0; i < r->inputs.t.n_rows; i++) {
        bool used = strcmp(status->text[i], "have") == 0;
        r->inputs.n_used += used;
        r->inputs.n_left_out += !used;
    }
    return RC_OK;
}

static enum rc read_facts(struct results *r, struct facts_file *f, const char *name,
                          const char *file, struct err *e)
{
    const char *path = results_path(r, "%s", file);
    f->name = name;
    return path ? json_read(path, &f->j, e) : err_set(e, RC_FAIL, "no memory for a path");
}

static enum rc read_vocab(struct results *r, struct err *e)
{
    struct table t;
    struct vocab_facts *v = &r->vocab;
    const char *path = results_path(r, "vocab/vocab.tsv");
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    if (!file_exists(path))
        return RC_OK;
    if (tsv_read_need(path, "token,id,species,homolog", &t, e))
        return e ? e->rc : RC_INPUT;
    const struct column *species = table_find(&t, "species"), *homolog = table_find(&t, "homolog");
    v->present = true;
    v->n_tokens = t.n_rows;
    for (size_t i = 0; i < t.n_rows; i++) {
        bool human = strcmp(species->text[i], "human") == 0;
        v->n_human += human;
        v->n_mouse += strcmp(species->text[i], "mouse") == 0;
        v->n_paired += human && strcmp(homolog->text[i], "-1") != 0;
    }
    table_release(&t);
    return RC_OK;
}

enum rc results_corpus(struct results *r, struct err *e)
{
    enum rc rc = read_vocab(r, e);
    if (!rc)
        rc = read_facts(r, &r->tables, "tables", "tables/report.json", e);
    if (!rc)
        rc = read_facts(r, &r->median, "median", "median/report.json", e);
    if (!rc)
        rc = read_facts(r, &r->tokenize, "tokenize", "tokenize/report.json", e);
    return rc;
}

/* Every FOLDER/NAME.json; none where there is no such folder. */
static enum rc add_facts(struct results *r, const char *folder, struct err *e)
{
    const char **name = NULL, *at = results_path(r, "%s", folder);
    size_t n = 0;
    if (!at)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = results_list(r, at, 'f', &name, &n, e);
    struct facts_file *more =
        rc ? NULL : realloc(r->knowledge, (r->n_knowledge + n + 1) * sizeof *r->knowledge);
    if (!rc && !more)
        rc = err_set(e, RC_FAIL, "no memory for %zu reports", n);
    r->knowledge = more ? more : r->knowledge;
    for (size_t i = 0; !rc && i < n; i++) {
        size_t len = strlen(name[i]);
        if (len < 6 || strcmp(name[i] + len - 5, ".json") != 0)
            continue;
        const char *path = results_path(r, "%s/%s", folder, name[i]);
        char *stem = arena_text(&r->text, name[i]);
        if (!path || !stem) {
            rc = err_set(e, RC_FAIL, "no memory for a path");
            break;
        }
        stem[len - 5] = '\0';
        struct facts_file *f = &r->knowledge[r->n_knowledge];
        *f = (struct facts_file){ .name = stem };
        rc = json_read(path, &f->j, e);
        r->n_knowledge += !rc && f->j;
    }
    free(name);
    return rc;
}

/* The kinds: grn.json, .. */
enum rc results_knowledge(struct results *r, struct err *e)
{
    return add_facts(r, "knowledge", e);
}

enum rc results_read(struct results *r, const char *folder, const char *profile, const char *stages,
                     struct err *e)
{
    *r = (struct results){ .folder = folder, .profile = profile, .stages = stages };
    arena_init(&r->text, 1 << 18);
    r->map[0] = (struct map_facts){ .stage = "map", .title = "This run's model" };
    r->map[1] = (struct map_facts){ .stage = "map-random", .title = "Same model, random weights" };
    r->map[2] = (struct map_facts){ .stage = "map-counts", .title = "Counts: variable genes, PCA" };
    enum rc rc =
        folder_exists(folder) ? RC_OK : err_set(e, RC_INPUT, "no results folder '%s'", folder);
    static enum rc (*const part[])(struct results *, struct err *) = {
        results_inputs,   results_samples, results_corpus, results_knowledge,
        results_worth,    results_cross,   results_ledger, results_figures,
        results_pretrain, results_maps,    results_scores, results_stages,
    };
    for (size_t i = 0; !rc && i < sizeof part / sizeof *part; i++)
        rc = part[i](r, e);
    if (rc)
        results_release(r);
    return rc;
}

void results_release(struct results *r)
{
    table_release(&r->inputs.t);
    table_release(&r->worth);
    table_release(&r->cross);
    table_release(&r->ledger_sums);
    table_release(&r->ledger_rows);
    table_release(&r->ledger_samples);
    table_release(&r->ledger_sets);
    results_figures_release(r);
    table_release(&r->leakage);
    table_release(&r->diff);
    for (size_t i = 0; i < r->n_samples; i++)
        free(r->sample[i].rule);
    free(r->sample);
    free(r->left_out);
    json_decref(r->tables.j);
    json_decref(r->median.j);
    json_decref(r->tokenize.j);
    for (size_t i = 0; i < r->n_knowledge; i++)
        json_decref(r->knowledge[i].j);
    free(r->knowledge);
    free(r->pretrain.train.p);
    free(r->pretrain.held_out.p);
    free(r->pretrain.baseline);
    json_decref(r->pretrain.config);
    json_decref(r->pretrain.report);
    for (int i = 0; i < N_MAPS; i++)
        json_decref(r->map[i].report);
    free(r->scores.s);
    free(r->zero_shot.s);
    for (size_t i = 0; i < r->n_stages; i++)
        free(r->stage[i].param);
    free(r->stage);
    arena_release(&r->text);
    *r = (struct results){ 0 };
}
