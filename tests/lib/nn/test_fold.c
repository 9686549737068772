/* Folding the embedding block over the vocabulary changes no bit of what cells become. */
#include <stdlib.h>

#include "lib/base/thread.h"
#include "tests/lib/nn/tiny.h"

enum { D = 64, K = 48, N = 6 };

static bool encode(struct model *m, const struct backend *b, double *to, size_t room)
{
    struct arena a;
    struct tape t;
    struct batch batch;
    struct err e = { 0 };
    struct model_out out = { 0 };
    const struct model_run run = { 0 };
    arena_init(&a, 1 << 16);
    tape_init(&t, b, false);
    bool good = !batch_build(&batch, &a, cells, N, MOST, V, m->tables.homolog, NULL, &e);
    if (good)
        model_encode(m, &t, &batch, &run, &out);
    good = good && !tape_check(&t, &e) && out.last->rows * D <= room;
    if (good)
        reals_to_f64(b, to, out.last->x, out.last->rows * D);
    tape_release(&t);
    arena_release(&a);
    return good;
}

/* kinds: how many kinds of knowledge. */
static void folded(const char *name, enum value_encoder encoder, int kinds)
{
    static double plain[N * (MOST + 1) * D], table[N * (MOST + 1) * D];
    const char *why;
    const struct backend *b = backend_find(name, &why);
    struct model m;
    struct err e = { 0 };
    struct model_config c = tiny();
    c.d = D;
    c.ffn = 2 * D;
    c.knowledge_dim = K;
    c.value_encoder = encoder;
    for (int k = 0; k < N_KNOWLEDGE; k++)
        c.use_knowledge[k] = k < kinds;
    if (!b) {
        skip("folded on %s: %s", name, why);
        return;
    }
    if (!ok(!model_init(&m, &c, b, true, 0, &e), "a model on %s%s", name, e.text))
        return;
    model_randomise(&m, 5);
    for (int k = 0; k < kinds; k++) {
        m.tables.knowledge[k] = malloc((size_t)V * K * sizeof(float));
        for (size_t i = 0; m.tables.knowledge[k] && i < (size_t)V * K; i++)
            m.tables.knowledge[k][i] = (float)((i * 37 + (size_t)k) % 101) / 50 - 1;
    }
    for (uint32_t i = 100; i < 200; i++) /* of a hundred words mice read another row */
        m.tables.homolog[i] = i + 100;
    memset(plain, 0, sizeof plain);
    memset(table, 0, sizeof table);
    bool good = encode(&m, b, plain, sizeof plain / sizeof *plain) && !model_fold(&m, &e);
    const bool is_there = m.folded.table != NULL;
    ok(good && is_there == (encoder != VALUE_JOINT || kinds > 0),
       "%s: folded where something does not look at values", name);
    ok(!is_there || m.folded.rows == V + 100, "a row for each word, and for each homolog");
    good = good && encode(&m, b, table, sizeof table / sizeof *table);
    ok(good && memcmp(plain, table, sizeof plain) == 0,
       "%s, encoder %d, %d kinds of knowledge: the same bits", name, encoder, kinds);
    if (is_there) { /* the table is looked at: without it the result would not change */
        memset(m.folded.table, 0, m.folded.rows * D * b->real_bytes);
        good = good && encode(&m, b, table, sizeof table / sizeof *table);
        ok(good && memcmp(plain, table, sizeof plain) != 0, "from the table");
    }
    model_release(&m);
}

int main(void)
{
    static const char *const names[] = { "ref", "cpu", "cpu-bf16" };
    make_cells();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        folded(names[i], VALUE_PLAIN, 4);
        folded(names[i], VALUE_PLAIN, 0);
        folded(names[i], VALUE_JOINT, 2);
        folded(names[i], VALUE_JOINT, 0);
        folded(names[i], VALUE_OWN, 1);
    }
    threads_stop();
    return tap_end();
}
