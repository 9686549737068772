#include "lib/io/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/percent.h"

enum { COL_PATH, COL_BYTES, COL_SHA256, COL_NEED, COL_LICENCE, COL_SOURCES, COL_NOTE, N_COLS };
static const char *const col_name[N_COLS] = { "path",    "bytes",   "sha256", "need",
                                              "licence", "sources", "note" };
enum { MAX_FIELDS = 64, MAX_PATH_BYTES = 1024, MAX_SOURCES = 32 };

/* Where the parser is, for messages. */
struct place {
    const char *name;
    size_t line;
    struct err *e;
};

void inputs_init(struct inputs *in)
{
    *in = (struct inputs){ 0 };
    arena_init(&in->text, 1 << 14);
}

void inputs_release(struct inputs *in)
{
    free(in->item);
    arena_release(&in->text);
    *in = (struct inputs){ 0 };
}

static enum rc refuse(const struct place *p, const char *why, const char *what)
{
    return err_set(p->e, RC_INPUT, "'%s': line %zu: %s '%.200s'", p->name, p->line, why, what);
}

static enum rc no_memory(const struct place *p)
{
    return err_set(p->e, RC_FAIL, "no memory to read '%s'", p->name);
}

/* A name that leads out of the view, or that a terminal would act on, is refused. */
static bool path_is_good(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > MAX_PATH_BYTES || s[0] == '/' || s[n - 1] == '/')
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    for (const char *part = s;;) {
        size_t len = strcspn(part, "/");
        if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && !strncmp(part, "..", 2)))
            return false;
        if (!part[len])
            return true;
        part += len + 1;
    }
}

/* NAME==VERSION of letters, digits and ._+- only, and never something that pip takes for an
 * option or a URL. */
static bool pip_is_good(const char *s)
{
    static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const char *eq = strstr(s, "==");
    if (!eq || eq == s || !strchr(word, s[0]) || !eq[2] || !strchr(word, eq[2]))
        return false;
    for (const char *c = s; *c; c++)
        if (!(c == eq || c == eq + 1) && !strchr(word, *c) && !strchr("._+-", *c))
            return false;
    return true;
}

static bool url_is_good(const char *s)
{
    const char *host = strstr(s, "://") + 3;
    if (!*host || strchr("/:?#", *host))
        return false;
    for (; *s; s++)
        if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f || strchr("\"<>\\^`{|}", *s))
            return false;
    return true;
}

/* A relative file: source is looked for beside the manifest. */
static const char *beside(struct inputs *in, const char *manifest, const char *path)
{
    const char *slash = strrchr(manifest, '/');
    if (path[0] == '/' || !slash)
        return arena_text(&in->text, path);
    char *joined = text_new("%.*s/%s", (int)(slash - manifest), manifest, path);
    const char *kept = joined ? arena_text(&in->text, joined) : NULL;
    free(joined);
    return kept;
}

static enum rc read_source(struct inputs *in, char *word, struct source *s, const struct place *p)
{
    *s = (struct source){ .text = arena_text(&in->text, word) };
    char *where = arena_text(&in->text, word);
    if (!s->text || !where)
        return no_memory(p);
    char *bang = strchr(where, '!');
    if (bang) {
        *bang = '\0';
        s->member = bang + 1;
        if (!bang[1] || !percent_decode(bang + 1))
            return refuse(p, "no name of a member in source", word);
    }
    if (strncmp(where, "https://", 8) == 0 || strncmp(where, "http://", 7) == 0) {
        s->kind = SOURCE_HTTP;
        s->where = where;
        return url_is_good(where) ? RC_OK : refuse(p, "not a good URL:", word);
    }
    if (strncmp(where, "pip:", 4) == 0) {
        s->kind = SOURCE_PIP;
        s->where = where + 4;
        return pip_is_good(where + 4) ? RC_OK
                                      : refuse(p, "a pip source is pip:NAME==VERSION, not", word);
    }
    if (strncmp(where, "file:", 5) != 0)
        return refuse(p, "a source is https://, http://, file: or pip:, not", word);
    char *path = where + 5;
    if (strncmp(path, "///", 3) == 0) /* file:///x is file:/x */
        path += 2;
    s->kind = SOURCE_FILE;
    if (!*path || strncmp(path, "//", 2) == 0 || !percent_decode(path))
        return refuse(p, "not a good path:", word);
    s->where = beside(in, p->name, path);
    return s->where ? RC_OK : no_memory(p);
}

static enum rc read_sources(struct inputs *in, char *text, struct input *to, const struct place *p)
{
    struct source found[MAX_SOURCES];
    size_t n = 0;
    char *rest = text;
    for (char *word; (word = strtok_r(rest, " ", &rest)); n++) {
        if (n == 0 && strcmp(word, "-") == 0)
            return *rest ? refuse(p, "`-` stands for no source, but then comes", rest) : RC_OK;
        if (n == MAX_SOURCES)
            return refuse(p, "too many sources, from", word);
        if (read_source(in, word, &found[n], p))
            return p->e ? p->e->rc : RC_INPUT;
    }
    to->source = arena_get(&in->text, n * sizeof *to->source);
    if (!to->source)
        return no_memory(p);
    if (n)
        memcpy(to->source, found, n * sizeof *found);
    to->n_sources = n;
    return RC_OK;
}

static struct input *add(struct inputs *in)
{
    if (in->n == in->room) {
        size_t room = in->room ? 2 * in->room : 64;
        struct input *more = realloc(in->item, room * sizeof *more);
        if (!more)
            return NULL;
        in->item = more;
        in->room = room;
    }
    in->item[in->n] = (struct input){ 0 };
    return &in->item[in->n++];
}

static enum rc read_row(struct inputs *in, char *const *col, const struct place *p)
{
    struct input *to = add(in);
    if (!to)
        return no_memory(p);
    if (!path_is_good(col[COL_PATH]))
        return refuse(p, "not a path below the view:", col[COL_PATH]);
    size_t len = strlen(col[COL_BYTES]);
    if (len == 0 || len > 15 || strspn(col[COL_BYTES], "0123456789") != len)
        return refuse(p, "not a size in bytes:", col[COL_BYTES]);
    to->bytes = strtoull(col[COL_BYTES], NULL, 10);
    if (strlen(col[COL_SHA256]) != SHA256_HEX - 1 ||
        strspn(col[COL_SHA256], "0123456789abcdef") != SHA256_HEX - 1)
        return refuse(p, "not a SHA-256:", col[COL_SHA256]);
    memcpy(to->sha256, col[COL_SHA256], SHA256_HEX);
    to->required = strcmp(col[COL_NEED], "required") == 0;
    if (!to->required && strcmp(col[COL_NEED], "optional") != 0)
        return refuse(p, "need is required or optional, not", col[COL_NEED]);
    to->path = arena_text(&in->text, col[COL_PATH]);
    to->licence = arena_text(&in->text, col[COL_LICENCE]);
    to->note = arena_text(&in->text, col[COL_NOTE]);
    if (!to->path || !to->licence || !to->note)
        return no_memory(p);
    return read_sources(in, col[COL_SOURCES], to, p);
}

/* Cuts at tabs; 0 when there are more than MAX_FIELDS. */
static size_t cut(char *line, char **field)
{
    size_t n = 0;
    for (char *s = line; s;) {
        char *tab = strchr(s, '\t');
        if (tab)
            *tab = '\0';
        if (n == MAX_FIELDS)
            return 0;
        field[n++] = s;
        s = tab ? tab + 1 : NULL;
    }
    return n;
}

static enum rc find_columns(char *const *field, size_t n, size_t *at, const struct place *p)
{
    for (int c = 0; c < N_COLS; c++) {
        at[c] = n;
        for (size_t i = 0; i < n; i++) {
            if (strcmp(field[i], col_name[c]) != 0)
                continue;
            if (at[c] != n)
                return refuse(p, "two columns are called", col_name[c]);
            at[c] = i;
        }
        if (at[c] == n)
            return refuse(p, "no column", col_name[c]);
    }
    return RC_OK;
}

static enum rc parse(struct inputs *in, char *text, struct place *p)
{
    char *field[MAX_FIELDS], *col[N_COLS];
    size_t at[N_COLS], n_cols = 0;
    for (char *s = text; *s;) {
        char *end = strchr(s, '\n');
        p->line++;
        if (!end)
            return err_set(p->e, RC_INPUT, "'%s': line %zu does not end: the file is cut", p->name,
                           p->line);
        char *next = end + 1;
        if (end > s && end[-1] == '\r')
            end--;
        *end = '\0';
        size_t n = *s ? cut(s, field) : 0;
        if (p->line == 1) {
            n_cols = n;
            if (find_columns(field, n, at, p))
                return p->e ? p->e->rc : RC_INPUT;
        } else if (*s) {
            if (n != n_cols)
                return err_set(p->e, RC_INPUT, "'%s': line %zu has %zu fields, the header has %zu",
                               p->name, p->line, n, n_cols);
            for (int c = 0; c < N_COLS; c++)
                col[c] = field[at[c]];
            if (read_row(in, col, p))
                return p->e ? p->e->rc : RC_INPUT;
        }
        s = next;
    }
    return p->line ? RC_OK : err_set(p->e, RC_INPUT, "'%s' is empty", p->name);
}

enum rc inputs_parse(struct inputs *in, const char *text, size_t n_bytes, const char *name,
                     struct err *e)
{
    struct place p = { name, 0, e };
    if (n_bytes > INPUTS_MAX_BYTES)
        return err_set(e, RC_INPUT, "'%s' is too large for a list of inputs", name);
    if (n_bytes && memchr(text, '\0', n_bytes))
        return err_set(e, RC_INPUT, "'%s' holds a zero byte: not a text file", name);
    char *copy = malloc(n_bytes + 1);
    if (!copy)
        return no_memory(&p);
    if (n_bytes)
        memcpy(copy, text, n_bytes);
    copy[n_bytes] = '\0';
    enum rc rc = parse(in, copy, &p);
    free(copy);
    return rc;
}

enum rc inputs_read(struct inputs *in, const char *path, struct err *e)
{
    char *text;
    size_t n;
    if (file_read(path, INPUTS_MAX_BYTES, &text, &n, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = inputs_parse(in, text, n, path, e);
    free(text);
    return rc;
}

/* '/' before every other byte, so that a folder stands right before what lies in it. */
static int path_order(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    int x = *a == '/' ? 1 : *a ? 1 + (unsigned char)*a : 0;
    int y = *b == '/' ? 1 : *b ? 1 + (unsigned char)*b : 0;
    return x - y;
}

static int by_folder(const void *a, const void *b)
{
    return path_order(((const struct input *)a)->path, ((const struct input *)b)->path);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct input *)a)->path, ((const struct input *)b)->path);
}

/* The sources of b that a lacks go behind those of a. */
static enum rc join(struct inputs *in, struct input *a, const struct input *b, struct err *e)
{
    if (a->bytes != b->bytes || strcmp(a->sha256, b->sha256) != 0)
        return err_set(e, RC_INPUT, "input '%s' stands twice, with different bytes", a->path);
    a->required = a->required || b->required;
    size_t n = a->n_sources;
    struct source *to = arena_get(&in->text, (n + b->n_sources) * sizeof *to);
    if (!to)
        return err_set(e, RC_FAIL, "no memory for the inputs");
    if (n)
        memcpy(to, a->source, n * sizeof *to);
    for (size_t i = 0; i < b->n_sources; i++) {
        size_t k = 0;
        while (k < n && strcmp(to[k].text, b->source[i].text) != 0)
            k++;
        if (k == n)
            to[n++] = b->source[i];
    }
    a->source = to;
    a->n_sources = n;
    return RC_OK;
}

enum rc inputs_finish(struct inputs *in, struct err *e)
{
    if (!in->n)
        return RC_OK;
    qsort(in->item, in->n, sizeof *in->item, by_folder);
    size_t n = 1;
    for (size_t i = 1; i < in->n; i++) {
        struct input *last = &in->item[n - 1], *it = &in->item[i];
        size_t len = strlen(last->path);
        if (strcmp(last->path, it->path) == 0) {
            if (join(in, last, it, e))
                return e ? e->rc : RC_INPUT;
            continue;
        }
        if (strncmp(last->path, it->path, len) == 0 && it->path[len] == '/')
            return err_set(e, RC_INPUT, "input '%s' is a file and a folder of '%s'", last->path,
                           it->path);
        in->item[n++] = *it;
    }
    in->n = n;
    qsort(in->item, n, sizeof *in->item, by_path);
    return RC_OK;
}
