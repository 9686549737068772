/* The stack machine. A pickle is a row of opcodes that push values, gather those above a mark into
 * a container, and store values in a memo to fetch them again. What is read is data, so memory is
 * bounded by the file: a text lies in it; a length is compared with what is left before it is used;
 * a memo index may not be much larger than the number of opcodes so far. */
#include "lib/io/pickle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/pickle_parts.h"

/* Python counts memo indexes up from 0; another writer may leave some out. */
enum { MEMO_SPARE = 4096 };

bool pickle_fail(struct pickle_reader *r, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(r->e, RC_INPUT, "%s (byte %zu of the pickle)", text, (size_t)(r->at - r->begin));
    return false;
}

bool pickle_no_memory(struct pickle_reader *r)
{
    err_set(r->e, RC_FAIL, "no memory for the pickle");
    return false;
}

const unsigned char *pickle_take(struct pickle_reader *r, uint64_t n)
{
    if (n > (uint64_t)(r->end - r->at)) {
        pickle_fail(r, "the file ends within a value of %llu bytes", (unsigned long long)n);
        return NULL;
    }
    const unsigned char *b = r->at;
    r->at += n;
    return b;
}

const char *pickle_take_line(struct pickle_reader *r, size_t *n)
{
    const size_t left = (size_t)(r->end - r->at);
    const unsigned char *end = left ? memchr(r->at, '\n', left) : NULL;
    if (!end) {
        pickle_fail(r, "the file ends within a line");
        return NULL;
    }
    const char *s = (const char *)r->at;
    *n = (size_t)(end - r->at);
    r->at = end + 1;
    return s;
}

bool pickle_grow(void **at, size_t *room, size_t need, size_t bytes)
{
    size_t more = *room ? *room : 16;
    if (need <= *room)
        return true;
    while (more < need)
        more *= 2;
    void *p = realloc(*at, more * bytes);
    if (p) {
        *at = p;
        *room = more;
    }
    return p != NULL;
}

bool pickle_push(struct pickle_reader *r, struct pickle_value v)
{
    void *at = r->stack;
    if (!pickle_grow(&at, &r->stack_room, r->n_stack + 1, sizeof v))
        return pickle_no_memory(r);
    r->stack = at;
    r->stack[r->n_stack++] = v;
    return true;
}

struct pickle_value *pickle_top(struct pickle_reader *r, size_t i)
{
    const size_t floor = r->n_marks ? r->mark[r->n_marks - 1] : 0;
    if (r->n_stack - floor > i)
        return &r->stack[r->n_stack - 1 - i];
    pickle_fail(r, "an opcode wants more values than there are");
    return NULL;
}

void pickle_drop(struct pickle_reader *r, size_t n)
{
    r->n_stack -= n;
}

struct pickle_list *pickle_list_new(struct pickle_reader *r, size_t n)
{
    struct pickle_list *l = arena_get_zero(&r->p->arena, sizeof *l);
    if (!l) {
        pickle_no_memory(r);
        return NULL;
    }
    l->next_made = r->p->made;
    r->p->made = l;
    if (n && !(l->at = malloc(n * sizeof *l->at))) {
        pickle_no_memory(r);
        return NULL;
    }
    l->room = n;
    return l;
}

bool pickle_list_add(struct pickle_reader *r, struct pickle_list *l, const struct pickle_value *v,
                     size_t n)
{
    void *at = l->at;
    if (!n)
        return true;
    if (!pickle_grow(&at, &l->room, l->n + n, sizeof *v))
        return pickle_no_memory(r);
    l->at = at;
    memcpy(l->at + l->n, v, n * sizeof *v);
    l->n += n;
    return true;
}

char *pickle_room(struct pickle_reader *r, size_t n)
{
    r->n_spent += n;
    if (r->n_spent > 4 * (uint64_t)(r->end - r->begin) + 4096) {
        pickle_fail(r, "texts that are larger than the file");
        return NULL;
    }
    char *s = arena_get(&r->p->arena, n + 1);
    if (!s)
        pickle_no_memory(r);
    return s;
}

/* A place of the memo that nothing was put in. */
static bool is_empty(const struct pickle_value *v)
{
    return v->kind == PICKLE_NONE && v->n_bytes;
}

bool pickle_put(struct pickle_reader *r, uint64_t i)
{
    struct pickle_value *v = pickle_top(r, 0);
    void *at = r->memo;
    const size_t old = r->memo_room;
    if (!v)
        return false;
    if (i > r->n_ops + MEMO_SPARE)
        return pickle_fail(r, "memo %llu after %llu opcodes", (unsigned long long)i,
                           (unsigned long long)r->n_ops);
    if (!pickle_grow(&at, &r->memo_room, (size_t)i + 1, sizeof *v))
        return pickle_no_memory(r);
    r->memo = at;
    for (size_t k = old; k < r->memo_room; k++)
        r->memo[k] = (struct pickle_value){ .n_bytes = UINT32_MAX };
    r->n_memo += is_empty(&r->memo[i]);
    r->memo[i] = *v;
    return true;
}

bool pickle_get_memo(struct pickle_reader *r, uint64_t i)
{
    if (i >= r->memo_room || is_empty(&r->memo[i]))
        return pickle_fail(r, "memo %llu is empty", (unsigned long long)i);
    return pickle_push(r, r->memo[i]);
}

static bool run(struct pickle_reader *r)
{
    while (!r->stopped) {
        const unsigned char *op = pickle_take(r, 1);
        if (!op || !pickle_step(r, *op))
            return false;
        r->n_ops++;
    }
    return r->n_marks == 0 || pickle_fail(r, "ends with a mark");
}

enum rc pickle_read(struct pickle *p, const void *bytes, size_t n_bytes, pickle_find_store *find,
                    void *ctx, size_t *n_used, struct err *e)
{
    struct err own = { 0 };
    e = e ? e : &own;
    err_clear(e);
    *p = (struct pickle){ 0 };
    arena_init(&p->arena, 1 << 16);
    struct pickle_reader r = {
        .p = p, .begin = bytes, .at = bytes, .find = find, .ctx = ctx, .e = e
    };
    r.end = r.begin + n_bytes;
    if (run(&r) && pickle_check(&r, &r.stack[r.n_stack - 1]))
        p->root = r.stack[r.n_stack - 1];
    free(r.stack);
    free(r.memo);
    free(r.mark);
    if (n_used)
        *n_used = (size_t)(r.at - r.begin);
    if (e->rc)
        pickle_release(p);
    return e->rc;
}

void pickle_release(struct pickle *p)
{
    for (struct pickle_list *l = p->made; l; l = l->next_made)
        free(l->at);
    arena_release(&p->arena);
    *p = (struct pickle){ 0 };
}

bool pickle_is_text(const struct pickle_value *v, const char *text)
{
    return v->kind == PICKLE_TEXT && v->n_bytes == strlen(text) &&
           memcmp(v->text, text, v->n_bytes) == 0;
}

const struct pickle_value *pickle_get(const struct pickle_value *v, const char *key)
{
    for (size_t i = 0; v->kind == PICKLE_DICT && i < v->list->n; i += 2)
        if (pickle_is_text(&v->list->at[i], key))
            return &v->list->at[i + 1];
    return NULL;
}

const char *pickle_kind_name(enum pickle_kind k)
{
    static const char *const name[] = { "None",
                                        "a bool",
                                        "a whole number",
                                        "a whole number",
                                        "a number",
                                        "text",
                                        "bytes",
                                        "a list",
                                        "a tuple",
                                        "a dict",
                                        "an array",
                                        "a name",
                                        "a type of numbers",
                                        "a storage" };
    return name[k];
}
