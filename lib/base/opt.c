#include "lib/base/opt.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum rc list_add(struct opt_list *l, const char *word, struct err *e)
{
    const char **more = realloc(l->item, ((size_t)l->n + 1) * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for the arguments");
    l->item = more;
    l->item[l->n++] = word;
    return RC_OK;
}

static bool is_choice(const char *words, const char *value)
{
    size_t n = strlen(value);
    for (const char *w = words; n && *w;) {
        size_t len = strcspn(w, "|");
        if (len == n && memcmp(w, value, n) == 0)
            return true;
        w += len + (w[len] == '|');
    }
    return false;
}

static enum rc set_number(const struct opt *o, const char *text, struct err *e)
{
    char *end = NULL;
    errno = 0;
    if (o->kind == OPT_KIND_I64)
        *(int64_t *)o->at = strtoll(text, &end, 10);
    else if (o->kind == OPT_KIND_U64)
        *(uint64_t *)o->at = strtoull(text, &end, 10);
    else
        *(double *)o->at = strtod(text, &end);
    bool bad = !*text || *end || errno == ERANGE;
    if (o->kind == OPT_KIND_U64 && strchr(text, '-'))
        bad = true;
    if (o->kind == OPT_KIND_F64 && !bad && !isfinite(*(double *)o->at))
        bad = true;
    if (!bad)
        return RC_OK;
    return err_set(e, RC_USAGE, "--%s wants a %s, not '%s'", o->name,
                   o->kind == OPT_KIND_F64 ? "number" : "whole number", text);
}

static enum rc set_value(const struct opt *o, const char *text, struct err *e)
{
    switch (o->kind) {
    case OPT_KIND_STR:
        *(const char **)o->at = text;
        return RC_OK;
    case OPT_KIND_LIST:
        return list_add(o->at, text, e);
    case OPT_KIND_CHOICE:
        if (!is_choice(o->arg, text))
            return err_set(e, RC_USAGE, "--%s is one of %s, not '%s'", o->name, o->arg, text);
        *(const char **)o->at = text;
        return RC_OK;
    default:
        return set_number(o, text, e);
    }
}

static const struct opt *find(const struct opt *const *tables, const char *name, size_t n)
{
    for (; *tables; tables++)
        for (const struct opt *o = *tables; o->kind != OPT_KIND_END; o++)
            if (strlen(o->name) == n && memcmp(o->name, name, n) == 0)
                return o;
    return NULL;
}

enum rc opt_parse(const struct opt *const *tables, int argc, char **argv, struct opt_list *rest,
                  struct err *e)
{
    *rest = (struct opt_list){ 0 };
    bool words_only = false;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (words_only || a[0] != '-' || a[1] == '\0') {
            if (list_add(rest, a, e))
                return RC_FAIL;
            continue;
        }
        if (strcmp(a, "--") == 0) {
            words_only = true;
            continue;
        }
        if (a[1] != '-')
            return err_set(e, RC_USAGE, "no option '%s' (options are long: --name)", a);
        size_t n = strcspn(a + 2, "=");
        const struct opt *o = find(tables, a + 2, n);
        if (!o)
            return err_set(e, RC_USAGE, "no option '--%.*s'", (int)n, a + 2);
        const char *text = a[2 + n] == '=' ? a + 3 + n : NULL;
        if (o->kind == OPT_KIND_FLAG) {
            if (text)
                return err_set(e, RC_USAGE, "--%s takes no value", o->name);
            *(bool *)o->at = true;
            continue;
        }
        if (!text && i + 1 < argc)
            text = argv[++i];
        if (!text)
            return err_set(e, RC_USAGE, "--%s wants a value", o->name);
        enum rc rc = set_value(o, text, e);
        /* A list takes all words up to the next option. */
        while (!rc && o->kind == OPT_KIND_LIST && a[2 + n] != '=' && i + 1 < argc &&
               strncmp(argv[i + 1], "--", 2) != 0)
            rc = set_value(o, argv[++i], e);
        if (rc)
            return rc;
    }
    return RC_OK;
}

/* The value as text in buf, "" when there is none. */
static const char *value_text(const struct opt *o, char *buf, size_t n)
{
    buf[0] = '\0';
    switch (o->kind) {
    case OPT_KIND_STR:
    case OPT_KIND_CHOICE:
        return *(const char **)o->at ? *(const char **)o->at : "";
    case OPT_KIND_I64:
        snprintf(buf, n, "%lld", (long long)*(int64_t *)o->at);
        break;
    case OPT_KIND_U64:
        snprintf(buf, n, "%llu", (unsigned long long)*(uint64_t *)o->at);
        break;
    case OPT_KIND_F64:
        snprintf(buf, n, "%.9g", *(double *)o->at);
        break;
    case OPT_KIND_FLAG:
        return *(bool *)o->at ? "yes" : "";
    default:
        break;
    }
    return buf;
}

void opt_help(const struct opt *table, FILE *f)
{
    char left[96], buf[64];
    for (const struct opt *o = table; o->kind != OPT_KIND_END; o++) {
        snprintf(left, sizeof left, "--%s%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "",
                 o->kind == OPT_KIND_LIST ? "..." : "");
        const char *v = value_text(o, buf, sizeof buf);
        if (strlen(left) > 24)
            fprintf(f, "  %s\n  %-24s", left, "");
        else
            fprintf(f, "  %-24s", left);
        fprintf(f, " %s", o->help);
        if (*v && o->kind != OPT_KIND_FLAG)
            fprintf(f, " [%s]", v);
        fputc('\n', f);
    }
}

void opt_dump(const struct opt *table, FILE *f)
{
    char buf[64];
    for (const struct opt *o = table; o->kind != OPT_KIND_END; o++) {
        if (o->kind == OPT_KIND_LIST) {
            const struct opt_list *l = o->at;
            for (int i = 0; i < l->n; i++)
                fprintf(f, "%s\t%s\n", o->name, l->item[i]);
            continue;
        }
        fprintf(f, "%s\t%s\n", o->name, value_text(o, buf, sizeof buf));
    }
}
