/* Scores as facts: means and intervals of results_score_files, and the lines that they come from.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/report/facts_scores.h"

/* "fig3/scores/2" is seed 2 of "fig3/scores". */
static size_t group_length(const char *stage)
{
    const char *slash = strrchr(stage, '/');
    return slash && slash[1] && strspn(slash + 1, "0123456789") == strlen(slash + 1)
               ? (size_t)(slash - stage)
               : strlen(stage);
}

static bool is_of(const char *stage, const char *group)
{
    const size_t n = group_length(stage);
    return n == strlen(group) && strncmp(stage, group, n) == 0;
}

enum rc stage_scores_read(struct stage_scores *s, const struct chain *c, const char *group,
                          struct err *e)
{
    *s = (struct stage_scores){ 0 };
    arena_init(&s->r.text, 1 << 12);
    s->file = calloc(c->n_stages + 1, sizeof *s->file);
    const char **path = calloc(c->n_stages + 1, sizeof *path);
    enum rc rc = s->file && path ? RC_OK : err_set(e, RC_FAIL, "no memory for scores");
    for (size_t i = 0; !rc && i < c->n_stages; i++) {
        const struct chain_stage *x = &c->stage[i];
        if (!is_of(x->name, group) || !facts_has_stage(c, i) ||
            !manifest_find(&x->m, MANIFEST_OUTPUT, "metrics.tsv"))
            continue;
        char *file = text_new("%s/metrics.tsv", x->name);
        char *full = text_new("%s/%s/metrics.tsv", c->root, x->name);
        s->file[s->n_files] = file ? arena_text(&s->r.text, file) : NULL;
        path[s->n_files] = full ? arena_text(&s->r.text, full) : NULL;
        if (!s->file[s->n_files] || !path[s->n_files])
            rc = err_set(e, RC_FAIL, "no memory for a path");
        s->n_files++;
        free(file);
        free(full);
    }
    if (!rc)
        rc = results_score_files(&s->r, path, s->n_files, e);
    free(path);
    if (rc)
        stage_scores_release(s);
    return rc;
}

void stage_scores_release(struct stage_scores *s)
{
    free(s->file);
    results_release(&s->r);
    *s = (struct stage_scores){ 0 };
}

size_t stage_scores_count(const struct stage_scores *s)
{
    return s->r.scores.n + s->r.zero_shot.n;
}

const struct score *stage_score(const struct stage_scores *s, size_t i)
{
    return i < s->r.scores.n ? &s->r.scores.s[i] : &s->r.zero_shot.s[i - s->r.scores.n];
}

const char *score_fact_name(struct facts *f, const char *stage, const struct score *s)
{
    const bool clean = strcmp(s->variant, "clean") == 0;
    const char *const part[] = { stage,     s->dataset, s->split, clean ? "" : s->variant,
                                 s->metric, s->method };
    return facts_name(f, part, 6);
}

/* --- where they stand
 * --------------------------------------------------------------------------------
 */

/* Lines of one file by score: "task\tdataset..." to a list "17,45". */
struct place {
    struct markup lines;
};

struct places {
    struct map at;
    struct place *item; /* owned */
    size_t n, room;
};

static char *key_of(const char *const v[6])
{
    return text_new("%s\t%s\t%s\t%s\t%s\t%s", v[0], v[1], v[2], v[3], v[4], v[5]);
}

static enum rc add_line(struct places *p, const char *key, size_t line, struct err *e)
{
    uint64_t at = map_get(&p->at, key);
    if (at == MAP_NONE) {
        if (p->n == p->room) {
            const size_t room = p->room ? 2 * p->room : 256;
            struct place *more = realloc(p->item, room * sizeof *more);
            if (!more)
                return err_set(e, RC_FAIL, "no memory for %zu scores", room);
            p->item = more;
            p->room = room;
        }
        at = p->n;
        if (map_add(&p->at, key, at, NULL, e))
            return e->rc;
        p->item[p->n++] = (struct place){ 0 };
    }
    struct markup *m = &p->item[at].lines;
    markup_fmt(m, "%s%zu", m->n ? "," : "", line);
    return markup_ok(m, e);
}

static void places_release(struct places *p)
{
    for (size_t i = 0; i < p->n; i++)
        markup_release(&p->item[i].lines);
    free(p->item);
    map_release(&p->at);
}

static enum rc places_read(struct places *p, const char *path, struct err *e)
{
    static const char *const name[] = { "task", "dataset", "method", "variant", "split", "metric" };
    struct table t;
    *p = (struct places){ 0 };
    map_init(&p->at);
    enum rc rc = tsv_read_need(path, "task,dataset,method,variant,split,metric", &t, e);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        const char *v[6];
        for (int k = 0; k < 6; k++) {
            v[k] = table_find(&t, name[k])->text[i];
            v[k] = v[k] ? v[k] : "";
        }
        char *key = key_of(v);
        rc = key ? add_line(p, key, i + 2, e) : err_set(e, RC_FAIL, "no memory for scores");
        free(key);
    }
    table_release(&t);
    return rc;
}

/* All files and lines of a score, "annotate/metrics.tsv:17,45 SHA256". */
static const char *source_of(struct facts *f, const struct stage_scores *s, const struct places *p,
                             const struct score *x)
{
    const char *const v[] = { x->task, x->dataset, x->method, x->variant, x->split, x->metric };
    struct markup m = { 0 };
    char *key = key_of(v);
    markup_raw(&m, "");
    for (size_t i = 0; key && i < s->n_files; i++) {
        const uint64_t at = map_get(&p[i].at, key);
        const char *one = at == MAP_NONE ? "" : facts_source(f, s->file[i], p[i].item[at].lines.s);
        markup_fmt(&m, "%s%s", m.n && one && *one ? " " : "", one ? one : "");
    }
    const char *source = key && !m.failed ? arena_text(&f->text, m.s) : NULL;
    free(key);
    markup_release(&m);
    return source;
}

static enum rc add_score(struct facts *f, const char *stage, const struct stage_scores *s,
                         const struct places *p, const struct score *x, struct err *e)
{
    char value[32], interval[64];
    const char *name = score_fact_name(f, stage, x), *source = source_of(f, s, p, x);
    char *other = name ? text_new("%sInterval", name) : NULL;
    enum rc rc = RC_OK;
    snprintf(value, sizeof value, "%.3f", x->mean);
    if (isnan(x->lo))
        snprintf(interval, sizeof interval, "one seed");
    else
        snprintf(interval, sizeof interval, "%.3f to %.3f", x->lo, x->hi);
    if (!other)
        rc = err_set(e, RC_FAIL, "no memory for a name");
    if (!rc)
        rc = facts_add_tex(f, name, value, source, e);
    if (!rc)
        rc = facts_add_tex(f, other, interval, source, e);
    free(other);
    return rc;
}

static enum rc add_group(struct facts *f, const char *group, struct err *e)
{
    struct stage_scores s;
    if (stage_scores_read(&s, f->c, group, e))
        return e->rc;
    struct places *p = calloc(s.n_files + 1, sizeof *p);
    enum rc rc = p ? RC_OK : err_set(e, RC_FAIL, "no memory for scores");
    for (size_t i = 0; !rc && i < s.n_files; i++) {
        char *path = text_new("%s/%s", f->c->root, s.file[i]);
        rc = path ? places_read(&p[i], path, e) : err_set(e, RC_FAIL, "no memory for a path");
        free(path);
    }
    for (size_t i = 0; !rc && i < stage_scores_count(&s); i++)
        rc = add_score(f, group, &s, p, stage_score(&s, i), e);
    for (size_t i = 0; p && i < s.n_files; i++)
        places_release(&p[i]);
    free(p);
    stage_scores_release(&s);
    return rc;
}

enum rc facts_scores(struct facts *f, struct err *e)
{
    enum rc rc = RC_OK;
    char *last = text_new("%s", "");
    for (size_t i = 0; !rc && i < f->c->n_stages;
         i++) { /* by name: seeds of a stage side by side */
        const struct chain_stage *s = &f->c->stage[i];
        if (!last || is_of(s->name, last) || !facts_has_stage(f->c, i) ||
            !manifest_find(&s->m, MANIFEST_OUTPUT, "metrics.tsv"))
            continue;
        free(last);
        last = text_new("%.*s", (int)group_length(s->name), s->name);
        rc = last ? add_group(f, last, e) : err_set(e, RC_FAIL, "no memory for a name");
    }
    free(last);
    return rc;
}
