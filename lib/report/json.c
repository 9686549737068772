#include "lib/report/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

enum { JSON_MAX_BYTES = 256 << 20 };

enum rc json_read(const char *path, json_t **j, struct err *e)
{
    char *text;
    size_t n;
    json_error_t why;
    *j = NULL;
    if (!file_exists(path))
        return RC_OK;
    if (file_read(path, JSON_MAX_BYTES, &text, &n, e))
        return e ? e->rc : RC_INPUT;
    *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (!*j)
        return err_set(e, RC_INPUT, "'%s': line %d, column %d: %s", path, why.line, why.column,
                       why.text);
    if (json_is_object(*j))
        return RC_OK;
    json_decref(*j);
    *j = NULL;
    return err_set(e, RC_INPUT, "'%s' holds no JSON object", path);
}

enum rc json_line(const char *text, const char *path, size_t line, json_t **j, struct err *e)
{
    json_error_t why;
    *j = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!*j)
        return err_set(e, RC_INPUT, "'%s': line %zu, column %d: %s", path, line, why.column,
                       why.text);
    if (json_is_object(*j))
        return RC_OK;
    json_decref(*j);
    *j = NULL;
    return err_set(e, RC_INPUT, "'%s': line %zu holds no JSON object", path, line);
}

/* The value at the first key of the list for which good() holds. */
static json_t *find(const json_t *j, const char *keys, bool (*good)(const json_t *))
{
    char key[64];
    for (const char *k = keys; j && *k;) {
        size_t n = strcspn(k, ",");
        if (n < sizeof key) {
            memcpy(key, k, n);
            key[n] = '\0';
            json_t *v = json_object_get(j, key);
            if (v && good(v))
                return v;
        }
        k += n + (k[n] == ',');
    }
    return NULL;
}

static bool is_number(const json_t *v)
{
    return json_is_number(v);
}

static bool is_text(const json_t *v)
{
    return json_is_string(v);
}

static bool is_any(const json_t *v)
{
    return !json_is_null(v);
}

double json_number_of(const json_t *j, const char *keys)
{
    const json_t *v = find(j, keys, is_number);
    return v ? json_number_value(v) : (double)NAN;
}

const char *json_text_of(const json_t *j, const char *keys)
{
    return json_string_value(find(j, keys, is_text));
}

json_t *json_value_of(const json_t *j, const char *keys)
{
    return find(j, keys, is_any);
}
