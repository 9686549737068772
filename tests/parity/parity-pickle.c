/* parity-pickle DIR: the pickle and torch readers against a folder laid out like golden/pickle
 * (README there). Each file of expected.tsv is read and dumped as the folder's dumps are, a line a
 * node, and compared byte by byte; or it is refused with a sentence that names it, with nothing
 * left behind and without a large allocation. What the pickles would run touches a file 'PWNED'. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/io/torch.h"
#include "tests/tap.h"

/* A reader that trusts a length would ask for far more than this over what it has. */
static const size_t spare_bytes = (size_t)64 << 20;

static void put_key(FILE *f, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] == '\\' || s[i] == '/')
            fprintf(f, "\\%c", s[i]);
        else if (s[i] == '\t' || s[i] == '\n')
            fputs(s[i] == '\t' ? "\\t" : "\\n", f);
        else
            fputc(s[i], f);
}

static void put_number(FILE *f, enum st_type type, const void *data, uint64_t i, double x)
{
    if (x != x) {
        fputs("nan", f);         /* C may put a sign in front */
    } else if (type == ST_I64) { /* a double does not hold all of them */
        int64_t whole;
        memcpy(&whole, (const char *)data + i * sizeof whole, sizeof whole);
        fprintf(f, "%lld", (long long)whole);
    } else if (type == ST_F64) {
        fprintf(f, "%.17g", x);
    } else if (type == ST_F32 || type == ST_F16 || type == ST_BF16) {
        fprintf(f, "%.9g", x);
    } else {
        fprintf(f, "%d", (int)x);
    }
}

static bool put_array(FILE *f, const struct array *a)
{
    static const char *const name[] = { "f32", "f64",  "i64",  "i32", "u8",
                                        "f16", "bf16", "bool", "i8",  "i16" };
    struct st_tensor t;
    void *copy;
    if (array_tensor(a, &t, &copy, NULL))
        return false;
    double *x = malloc((t.n_items + 1) * sizeof *x);
    const bool good = x && !st_get_f64(&t, x, NULL);
    fprintf(f, "%s\t", name[t.type]);
    for (int i = 0; i < t.n_dims; i++)
        fprintf(f, "%s%llu", i ? "x" : "", (unsigned long long)t.dim[i]);
    fputs(t.n_dims ? "\t" : "scalar\t", f);
    for (uint64_t i = 0; good && i < t.n_items; i++) {
        fputs(i ? " " : "", f);
        put_number(f, t.type, t.data, i, x[i]);
    }
    fputc('\n', f);
    free(x);
    free(copy);
    return good;
}

static bool put_value(FILE *f, const struct pickle_value *v, const char *path, int depth);

/* The path of child i; to be freed. */
static char *path_below(const struct pickle_value *v, size_t i, const char *path, int depth)
{
    const struct pickle_value *key = &v->list->at[i];
    char *below = NULL;
    size_t n;
    FILE *p = open_memstream(&below, &n);
    if (!p)
        return NULL;
    fprintf(p, "%s%s", path, depth ? "/" : "");
    if (v->kind != PICKLE_DICT)
        fprintf(p, "[%zu]", i);
    else if (key->kind == PICKLE_TEXT)
        put_key(p, key->text, key->n_bytes);
    else if (key->kind == PICKLE_INT)
        fprintf(p, "#%lld", (long long)key->whole);
    else
        fprintf(p, "#%.*s", (int)key->n_bytes, key->text);
    return fclose(p) == 0 ? below : NULL;
}

static bool put_children(FILE *f, const struct pickle_value *v, const char *path, int depth)
{
    const bool dict = v->kind == PICKLE_DICT;
    bool good = true;
    for (size_t i = 0; good && i < v->list->n; i += dict ? 2 : 1) {
        char *below = path_below(v, i, path, depth);
        good = below && put_value(f, &v->list->at[i + (dict ? 1 : 0)], below, depth + 1);
        free(below);
    }
    return good;
}

static bool put_value(FILE *f, const struct pickle_value *v, const char *path, int depth)
{
    fprintf(f, "%s\t", *path ? path : ".");
    switch (v->kind) {
    case PICKLE_NONE:
        return fputs("none\t\t\n", f) >= 0;
    case PICKLE_BOOL:
        return fprintf(f, "bool\t\t%lld\n", (long long)v->whole) > 0;
    case PICKLE_INT:
        return fprintf(f, "int\t\t%lld\n", (long long)v->whole) > 0;
    case PICKLE_LONG:
        return fprintf(f, "int\t\t%.*s\n", (int)v->n_bytes, v->text) > 0;
    case PICKLE_FLOAT:
        return fprintf(f, "float\t\t%.17g\n", v->real) > 0;
    case PICKLE_TEXT:
    case PICKLE_BYTES:
        fputs(v->kind == PICKLE_TEXT ? "str\t\t" : "bytes\t\t", f);
        put_key(f, v->text, v->n_bytes);
        return fputc('\n', f) != EOF;
    case PICKLE_ARRAY:
        return put_array(f, v->array);
    default:
        fprintf(f, "%s\t%zu\t\n",
                v->kind == PICKLE_DICT   ? "dict"
                : v->kind == PICKLE_LIST ? "list"
                                         : "tuple",
                v->list->n / (v->kind == PICKLE_DICT ? 2 : 1));
        return put_children(f, v, path, depth);
    }
}

/* Says at which line two dumps part. */
static bool same_dump(const char *file, const char *got, size_t n_got, const char *want,
                      size_t n_want)
{
    size_t i = 0, line = 1;
    while (i < n_got && i < n_want && got[i] == want[i])
        line += got[i++] == '\n';
    if (i == n_got && i == n_want)
        return true;
    while (i && want[i - 1] != '\n')
        i--;
    note("%s, line %zu: got  '%.*s'", file, line, (int)(n_got - i < 120 ? n_got - i : 120),
         got + i);
    note("%s, line %zu: want '%.*s'", file, line, (int)(n_want - i < 120 ? n_want - i : 120),
         want + i);
    return false;
}

static bool equals_dump(const char *dir, const char *file, const char *dump,
                        const struct torch_file *t)
{
    char *path = text_new("%s/%s", dir, dump), *want = NULL, *got = NULL;
    size_t n_want, n_got;
    struct err e = { 0 };
    if (!path || file_read(path, (size_t)1 << 30, &want, &n_want, &e)) {
        note("%s", e.text);
        free(path);
        return false;
    }
    FILE *f = open_memstream(&got, &n_got);
    bool good = f && put_value(f, &t->pickle.root, "", 0);
    if (f && fclose(f) != 0)
        good = false;
    good = good && same_dump(file, got, n_got, want, n_want);
    free(got);
    free(want);
    free(path);
    return good;
}

static long peak_bytes(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss * 1024;
}

static bool clean_refusal(const char *file, const struct torch_file *t, const struct err *e)
{
    if (!e->text[0] || !strstr(e->text, file))
        note("%s is refused, but not by its name: %s", file, e->text);
    else if (t->map.at || t->zip.member || t->pickle.made || t->pickle.root.kind != PICKLE_NONE)
        note("%s is refused, but something is left of it", file);
    else
        return true;
    return false;
}

static void check_file(const char *dir, const char *file, const char *verdict, const char *dump)
{
    char *path = text_new("%s/%s", dir, file);
    struct torch_file t;
    struct err e = { 0 };
    const long before = peak_bytes();
    if (!path)
        abort();
    const enum rc rc = torch_open(&t, path, &e);
    const bool small = (size_t)(peak_bytes() - before) <= spare_bytes;
    const bool refused = rc == RC_INPUT && clean_refusal(file, &t, &e) && small;
    if (strcmp(verdict, "refuse") == 0)
        ok(refused, "%s is refused%s%s", file, rc ? ": " : "", e.text);
    else if (strcmp(verdict, "read") == 0)
        ok(!rc && equals_dump(dir, file, dump, &t), "%s is read as its dump%s%s", file,
           rc ? ": " : "", e.text);
    else if (strcmp(verdict, "either") == 0)
        ok(rc ? refused : equals_dump(dir, file, dump, &t), "%s is refused, or read as its dump",
           file);
    else
        ok(false, "%s: verdict '%s' is not known", file, verdict);
    torch_close(&t);
    free(path);
}

int main(int argc, char **argv)
{
    struct table t;
    struct err e = { 0 };
    if (argc != 2) {
        fprintf(stderr, "usage: parity-pickle DIR\n");
        return 2;
    }
    char *list = text_new("%s/expected.tsv", argv[1]);
    if (!list || tsv_read_need(list, "file,verdict,dump", &t, &e)) {
        fprintf(stderr, "parity-pickle: %s\n", e.text);
        return 3;
    }
    ok(t.n_rows > 0, "expected.tsv lists files");
    for (size_t i = 0; i < t.n_rows; i++)
        check_file(argv[1], table_find(&t, "file")->text[i], table_find(&t, "verdict")->text[i],
                   table_find(&t, "dump")->text[i]);
    ok(!file_exists("PWNED"), "no pickle left a file behind");
    table_release(&t);
    free(list);
    return tap_end();
}
