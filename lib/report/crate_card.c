#include "lib/report/crate_card.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/report/json.h"

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

void card_table(struct card *d, const char *columns) /* separated by | */
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

void card_value(struct card *d, const char *what, const json_t *v, const char *from)
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

enum rc card_json(struct card *d, const char *file, const char *about, const char *keys,
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
            card_value(d, what, v, from);
        free(key);
        free(from);
        free(what);
    }
    json_decref(j);
    return rc;
}

enum rc card_json_all(struct card *d, const char *file, const char *about, const char *object,
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
            card_value(d, what, v, from);
        free(from);
        free(what);
    }
    json_decref(j);
    return rc;
}

/* --- tables ----------------------------------------------------------------------------------- */

enum rc card_tsv(struct card *d, const char *file, const char *columns, const char *column,
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
        card_table(d, columns);
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

void card_manifest(struct card *d, const char *stage, enum manifest_kind kind, const char *name)
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

enum rc card_close(struct card *d, const char *path, enum rc rc, struct err *e)
{
    if (!rc)
        rc = markup_ok(&d->m, e);
    if (!rc)
        rc = markup_save(&d->m, path, e);
    markup_release(&d->m);
    return rc;
}
