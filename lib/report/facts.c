#include "lib/report/facts.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/percent.h"
#include "lib/io/lines.h"
#include "lib/report/format.h"
#include "lib/report/json.h"
#include "lib/report/results.h"
#include "lib/report/summary.h"

void facts_release(struct facts *f)
{
    free(f->item);
    map_release(&f->at);
    arena_release(&f->text);
    *f = (struct facts){ 0 };
}

const struct fact *facts_find(const struct facts *f, const char *name)
{
    const uint64_t at = map_get(&f->at, name);
    return at == MAP_NONE ? NULL : &f->item[at];
}

const char *facts_name(struct facts *f, const char *const *part, size_t n)
{
    struct markup m = { 0 };
    markup_raw(&m, "gc");
    for (size_t i = 0; i < n; i++)
        tex_name(&m, part[i]);
    const char *name = m.failed ? NULL : arena_text(&f->text, m.s);
    markup_release(&m);
    return name;
}

/* FILE ends at the first colon, and both at the first blank; a line of TeX at its end. */
static bool stays_in_place(unsigned char b)
{
    return b > ' ' && b != 0x7f && b != '%';
}

static bool stays_in_file(unsigned char b)
{
    return stays_in_place(b) && b != ':';
}

const char *facts_source(struct facts *f, const char *file, const char *place)
{
    const struct manifest_row *row = chain_output(f->c, file, NULL);
    char sum[SHA256_HEX], *path = text_new("%s/%s", f->c->root, file);
    char *in = percent_encode(file, stays_in_file), *at = percent_encode(place, stays_in_place);
    const bool there = path && in && at && (row || !sha256_file(path, sum, NULL, NULL));
    char *text = there ? text_new("%s:%s %s", in, at, row ? row->sha256 : sum) : NULL;
    const char *source = text ? arena_text(&f->text, text) : NULL;
    free(text);
    free(at);
    free(in);
    free(path);
    return source;
}

const char *facts_number(char *to, size_t room, double x)
{
    char text[FORMAT_MAX];
    const bool whole = x == floor(x) && fabs(x) < 1e15;
    snprintf(to, room, "%s", whole ? format_count(text, x) : format_number(text, x));
    return to;
}

enum rc facts_add_tex(struct facts *f, const char *name, const char *value, const char *source,
                      struct err *e)
{
    uint64_t old = MAP_NONE;
    if (f->n == f->room) {
        const size_t room = f->room ? 2 * f->room : 1024;
        struct fact *more = realloc(f->item, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu numbers", room);
        f->item = more;
        f->room = room;
    }
    struct fact *x = &f->item[f->n];
    *x = (struct fact){ name ? arena_text(&f->text, name) : NULL,
                        value ? arena_text(&f->text, value) : NULL,
                        source ? arena_text(&f->text, source) : NULL, false };
    if (!x->name || !x->value || !x->source || map_add(&f->at, x->name, f->n, &old, NULL))
        return err_set(e, RC_FAIL, "no memory for %zu numbers", f->n + 1);
    if (old == MAP_NONE) {
        f->n++;
        return RC_OK;
    }
    struct fact *first = &f->item[old];
    first->twice |= strcmp(first->value, x->value) != 0 || strcmp(first->source, x->source) != 0;
    return RC_OK;
}

enum rc facts_add(struct facts *f, const char *const *part, size_t n, const char *value,
                  const char *source, struct err *e)
{
    struct markup m = { 0 };
    markup_raw(&m, "");
    markup_tex(&m, value);
    enum rc rc = markup_ok(&m, e);
    if (!rc)
        rc = facts_add_tex(f, facts_name(f, part, n), m.s, source, e);
    markup_release(&m);
    return rc;
}

/* --- JSON beside a manifest
 * ----------------------------------------------------------------------- */

struct json_place {
    struct facts *f;
    const char *file, *stage, *base; /* base: of the file's name, "" for report */
};

/* All numbers and words in it, whose names are the keys on the way. */
static enum rc add_json(const struct json_place *p, const json_t *j, const char *way, struct err *e)
{
    char text[64];
    const char *key, *value = text;
    json_t *v;
    if (json_is_object(j)) {
        enum rc rc = RC_OK;
        json_object_foreach((json_t *)(uintptr_t)j, key, v)
        {
            char *to = text_new("%s%s%s", way, *way ? "." : "", key);
            if (!rc)
                rc = to ? add_json(p, v, to, e) : err_set(e, RC_FAIL, "no memory for a name");
            free(to);
        }
        return rc;
    }
    if (json_is_number(j))
        facts_number(text, sizeof text, json_number_value(j));
    else if (json_is_string(j))
        value = json_string_value(j);
    else
        return RC_OK;
    const char *const part[] = { p->stage, p->base, way };
    return facts_add(p->f, part, 3, value, facts_source(p->f, p->file, way), e);
}

/* A JSON of lines, or one that holds no object, is no report. */
static enum rc read_json(struct facts *f, const char *stage, const char *name, struct err *e)
{
    char *file = text_new("%s/%s", stage, name),
         *path = text_new("%s/%s/%s", f->c->root, stage, name);
    char *base = text_new("%.*s", (int)(strlen(name) - strlen(".json")), name);
    json_t *j = NULL;
    enum rc rc =
        file && path && base ? json_read(path, &j, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && strcmp(base, "report") == 0)
        *base = '\0';
    if (!rc)
        rc = add_json(&(struct json_place){ f, file, stage, base }, j, "", e);
    json_decref(j);
    free(base);
    free(path);
    free(file);
    return rc;
}

/* --- parameters
 * ------------------------------------------------------------------------------------ */

static enum rc add_param(struct facts *f, const char *stage, const char *name, const char *value,
                         size_t line, struct err *e)
{
    char place[32], *file = text_new("%s/" MANIFEST_NAME, stage);
    const char *const part[] = { stage, "param", name };
    snprintf(place, sizeof place, "%zu", line);
    enum rc rc = file ? facts_add(f, part, 3, value, facts_source(f, file, place), e)
                      : err_set(e, RC_FAIL, "no memory for a path");
    free(file);
    return rc;
}

/* "--steps 60 --batch 16": a name and the word after it, unless that is a name. */
static enum rc read_params(struct facts *f, const char *stage, const char *row, size_t line,
                           struct err *e)
{
    char *text = text_new("%s", row), *rest = NULL, *name = NULL;
    enum rc rc = text ? RC_OK : err_set(e, RC_FAIL, "no memory for parameters");
    for (char *word = rc ? NULL : strtok_r(text, " ", &rest); !rc && word;
         word = strtok_r(NULL, " ", &rest)) {
        if (strncmp(word, "--", 2) == 0) {
            name = word + 2;
        } else if (name) {
            rc = add_param(f, stage, name, word, line, e);
            name = NULL;
        }
    }
    free(text);
    return rc;
}

/* --- numbers.tex of the page
 * ------------------------------------------------------------------------ */

/* Is it what markup_tex makes of a text? A folder of results may come from anybody, and TeX reads
 * every file that a command names. */
static bool is_plain_tex(const char *s)
{
    static const char *const word[] = { "textbackslash{}", "textasciitilde{}",
                                        "textasciicircum{}" };
    for (; *s; s++) {
        size_t n = 0;
        if (strchr("#$%&_{}~^", *s))
            return false;
        if (*s != '\\')
            continue;
        for (size_t i = 0; i < sizeof word / sizeof *word; i++)
            if (strncmp(s + 1, word[i], strlen(word[i])) == 0)
                n = strlen(word[i]);
        if (!n && (!s[1] || !strchr("#$%&_{}", s[1])))
            return false;
        s += n ? n : 1;
    }
    return true;
}

static enum rc read_numbers(struct facts *f, struct err *e)
{
    static const char file[] = "report/numbers.tex";
    struct lines l;
    bool more = true;
    if (chain_file_of(f->c, file) == CHAIN_NONE)
        return RC_OK;
    char *path = text_new("%s/%s", f->c->root, file);
    enum rc rc = path ? lines_open(&l, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        const char *name, *value;
        char place[32];
        snprintf(place, sizeof place, "%zu", l.number);
        if (!markup_cut_macro(l.text, l.n_bytes, &name, &value))
            continue;
        rc = is_plain_tex(value)
                 ? facts_add_tex(f, name, value, facts_source(f, file, place), e)
                 : err_set(e, RC_INPUT, "'%s': line %s: a value with commands of TeX", file, place);
    }
    lines_close(&l);
    return rc;
}

static enum rc read_stage(struct facts *f, const struct chain_stage *s, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < s->m.n; i++) {
        const struct manifest_row *r = &s->m.row[i];
        const char *end = strrchr(r->name, '.');
        /* Line 1 is the heading, and rows keep their order. */
        if (r->kind == MANIFEST_PARAM)
            rc = read_params(f, s->name, r->name, i + 2, e);
        else if (r->kind == MANIFEST_OUTPUT && end && strcmp(end, ".json") == 0 &&
                 !strchr(r->name, '/'))
            rc = read_json(f, s->name, r->name, e);
    }
    return rc;
}

bool facts_has_stage(const struct chain *c, size_t stage)
{
    const struct chain_stage *s = &c->stage[stage];
    const size_t paper = chain_stage_of(c, "paper");
    if (stage == paper || s->broken || strcmp(s->name, "crate") == 0)
        return false;
    char *name = text_new("%s/" MANIFEST_NAME, s->name);
    const bool read =
        paper == CHAIN_NONE || (name && manifest_find(&c->stage[paper].m, MANIFEST_INPUT, name));
    free(name);
    return read;
}

/* What the program itself holds, and what the folder has in all. */
static enum rc add_own(struct facts *f, struct err *e)
{
    static const char *const quantile[] = { "confidence" }, *const stages[] = { "stages" },
                             *const files[] = { "files" };
    char text[64];
    size_t n_stages = 0, n_files = 0;
    for (size_t i = 0; i < f->c->n_stages; i++) {
        const struct manifest *m = &f->c->stage[i].m;
        const bool has = facts_has_stage(f->c, i);
        n_stages += has;
        for (size_t k = 0; has && k < m->n; k++)
            n_files += m->row[k].kind == MANIFEST_OUTPUT;
    }
    facts_number(text, sizeof text, (double)n_stages);
    enum rc rc = facts_add(f, stages, 1, text, "MANIFEST.tsv:all -", e);
    facts_number(text, sizeof text, (double)n_files);
    if (!rc)
        rc = facts_add(f, files, 1, text, "MANIFEST.tsv:output -", e);
    facts_number(text, sizeof text, round(200 * SCORE_QUANTILE - 100));
    return rc ? rc : facts_add(f, quantile, 1, text, "lib/report/results.h:SCORE_QUANTILE -", e);
}

enum rc facts_read(struct facts *f, const struct chain *c, struct err *e)
{
    *f = (struct facts){ .c = c };
    arena_init(&f->text, 1 << 16);
    map_init(&f->at);
    enum rc rc = add_own(f, e);
    if (!rc)
        rc = read_numbers(f, e);
    for (size_t i = 0; !rc && i < c->n_stages; i++)
        if (facts_has_stage(c, i))
            rc = read_stage(f, &c->stage[i], e);
    if (!rc)
        rc = facts_scores(f, e);
    if (rc)
        facts_release(f);
    return rc;
}
