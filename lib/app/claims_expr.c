/* Recursive descent: sum = product {+- product}; product = factor {*,/ factor}; factor = number |
 * name | function(sum, ...) | (sum) | -factor. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/claims.h"
#include "lib/nn/cost.h"

enum { MAX_DEPTH = 64 };

struct expr {
    const char *text, *at;
    double (*name)(const void *ctx, const char *id);
    const void *ctx;
    struct err *e;
};

static enum rc sum(struct expr *x, int depth, double *v);

static enum rc bad(struct expr *x, const char *what)
{
    return err_set(x->e, RC_INPUT, "'%.200s': %s at '%.20s'", x->text, what, x->at);
}

static void blanks(struct expr *x)
{
    while (*x->at == ' ')
        x->at++;
}

static enum rc closing(struct expr *x)
{
    blanks(x);
    if (*x->at != ')')
        return bad(x, "no closing bracket");
    x->at++;
    return RC_OK;
}

static enum rc call(struct expr *x, const char *id, int depth, double *v)
{
    double arg[2] = { 0, 0 };
    enum rc rc = sum(x, depth + 1, &arg[0]);
    blanks(x);
    if (!rc && *x->at == ',') {
        x->at++;
        rc = sum(x, depth + 1, &arg[1]);
    }
    if (!rc)
        rc = closing(x);
    if (rc)
        return rc;
    if (strcmp(id, "trunc") == 0)
        *v = trunc(arg[0]);
    else if (strcmp(id, "round") == 0)
        *v = round(arg[0]);
    else if (strcmp(id, "base_forward") == 0) {
        const double tokens = x->name(x->ctx, "V");
        const struct model_config base =
            model_config_base(tokens >= 1 && tokens < 1e6 ? (uint32_t)tokens : 1);
        *v = cost_forward(&base, arg[0], arg[1]);
    } else
        return bad(x, "an unknown function");
    return RC_OK;
}

static enum rc factor(struct expr *x, int depth, double *v)
{
    char id[64];
    size_t n = 0;
    blanks(x);
    if (depth > MAX_DEPTH)
        return bad(x, "too many brackets");
    if (*x->at == '-') {
        x->at++;
        enum rc rc = factor(x, depth + 1, v);
        *v = -*v;
        return rc;
    }
    if (*x->at == '(') {
        x->at++;
        enum rc rc = sum(x, depth + 1, v);
        return rc ? rc : closing(x);
    }
    if (isdigit((unsigned char)*x->at)) {
        char *end;
        *v = strtod(x->at, &end);
        x->at = end;
        return RC_OK;
    }
    while ((isalnum((unsigned char)x->at[n]) || x->at[n] == '_') && n + 1 < sizeof id)
        n++;
    if (!n)
        return bad(x, "no number");
    memcpy(id, x->at, n);
    id[n] = '\0';
    x->at += n;
    if (*x->at == '(') {
        x->at++;
        return call(x, id, depth, v);
    }
    *v = x->name(x->ctx, id);
    return isnan(*v) ? err_set(x->e, RC_INPUT, "'%.200s': no row '%s' has a number", x->text, id)
                     : RC_OK;
}

static enum rc product(struct expr *x, int depth, double *v)
{
    double w;
    enum rc rc = factor(x, depth, v);
    for (blanks(x); !rc && (*x->at == '*' || *x->at == '/'); blanks(x)) {
        const char op = *x->at++;
        rc = factor(x, depth, &w);
        *v = op == '*' ? *v * w : *v / w;
    }
    return rc;
}

static enum rc sum(struct expr *x, int depth, double *v)
{
    double w;
    enum rc rc = product(x, depth, v);
    for (blanks(x); !rc && (*x->at == '+' || *x->at == '-'); blanks(x)) {
        const char op = *x->at++;
        rc = product(x, depth, &w);
        *v = op == '+' ? *v + w : *v - w;
    }
    return rc;
}

enum rc claims_expr(const char *text, double (*name)(const void *ctx, const char *id),
                    const void *ctx, double *value, struct err *e)
{
    struct expr x = { text, text, name, ctx, e };
    *value = NAN;
    enum rc rc = sum(&x, 0, value);
    return !rc && *x.at ? bad(&x, "something more") : rc;
}
