/* lib/io/child.h: what a child sends arrives; what a spoilt child may send is refused. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/child.h"
#include "lib/io/source.h"
#include "lib/io/source_child.h"
#include "tests/tap.h"

struct thing {
    struct table t; /* the parent's is filled by receive */
    int how;        /* 0: good; 1: a sentence without an end; 2: dies; 3: breaks off */
};

static enum rc read_thing(void *what, struct err *e)
{
    struct thing *x = what;
    if (x->how == 1)
        memset(e->text, 'x', sizeof e->text);
    if (x->how == 2)
        raise(SIGABRT);
    return x->how == 1 ? RC_INPUT : RC_OK;
}

static bool send_thing(void *what, FILE *to)
{
    const struct thing *x = what;
    const uint64_t n = 2;
    if (x->how != 3)
        return child_put_columns(to, &x->t);
    child_put(to, &n, sizeof n);
    fflush(to);
    return false;
}

static enum rc receive_thing(FILE *from, void *what, struct err *e)
{
    struct thing *x = what;
    table_release(&x->t);
    return child_get_columns(from, &x->t, 3) ? RC_OK : err_set(e, RC_FAIL, "it broke off");
}

static enum rc reads(int how, struct thing *x, struct err *e)
{
    const struct child_task t = { read_thing, send_thing, receive_thing, x };
    *x = (struct thing){ .how = how };
    table_init(&x->t, 3);
    struct column *name = table_add(&x->t, "name", COLUMN_TEXT);
    struct column *size = name ? table_add(&x->t, "size", COLUMN_I64) : NULL;
    if (!size)
        return RC_FAIL;
    size->i64[2] = -7;
    if (table_set_text(&x->t, table_find(&x->t, "name"), 1, "a text", e))
        return RC_FAIL;
    return child_read(&t, 0, e);
}

static void tables(void)
{
    struct err e = { 0 };
    struct thing x;
    const enum rc rc = reads(0, &x, &e);
    const struct column *name = table_find(&x.t, "name"), *size = table_find(&x.t, "size");
    ok(!rc && name && size && !name->text[0] && strcmp(name->text[1], "a text") == 0 &&
           size->i64[2] == -7,
       "a table comes through%s", e.text);
    table_release(&x.t);
    ok(reads(1, &x, &e) == RC_INPUT && strspn(e.text, "x") == ERR_TEXT_MAX - 1,
       "a sentence without an end gets one");
    table_release(&x.t);
    ok(reads(2, &x, &e) == RC_INPUT && strstr(e.text, "breaks down"), "a child may die");
    table_release(&x.t);
    ok(reads(3, &x, &e) == RC_FAIL && strstr(e.text, "broke off"), "or break off");
    table_release(&x.t);
}

/* Rows whose bytes, in 64 bits, are none. */
static const size_t wraps = SIZE_MAX / 8 + 1;

static void sizes(void)
{
    struct err e = { 0 };
    struct table t, got;
    struct source s, to;
    FILE *f = tmpfile(), *g = tmpfile();
    if (!ok(f && g, "two files"))
        return;
    table_init(&t, 0);
    ok(table_add(&t, "n", COLUMN_I64) && child_put_columns(f, &t), "a column");
    rewind(f);
    ok(!child_get_columns(f, &got, wraps), "of rows that no memory has is refused");
    table_release(&t);
    table_release(&got);
    source_init(&s);
    source_init(&to);
    s.spooled = true;
    s.count.n_rows = wraps;
    ok(source_send(&s, g), "a source");
    rewind(g);
    ok(source_receive(g, &to, &e) == RC_INPUT && strstr(e.text, "sizes make no sense"),
       "of such rows, too");
    s.count.n_rows = 0;
    source_release(&s);
    source_release(&to);
    fclose(f);
    fclose(g);
}

int main(void)
{
    tables();
    sizes();
    return tap_end();
}
