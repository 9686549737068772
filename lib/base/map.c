#include "lib/base/map.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"

struct map_slot {
    const char *key; /* in the arena; NULL: free */
    size_t n_bytes;
    uint64_t hash, value;
};

static uint64_t hash_bytes(const char *s, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
    return h ^ h >> 32;
}

void map_init(struct map *m)
{
    *m = (struct map){ 0 };
    arena_init(&m->text, 1 << 16);
}

void map_release(struct map *m)
{
    free(m->slot);
    arena_release(&m->text);
    *m = (struct map){ 0 };
}

static struct map_slot *find(const struct map *m, const char *key, size_t n, uint64_t h)
{
    size_t i = h & (m->n_slots - 1);
    while (m->slot[i].key) {
        const struct map_slot *s = &m->slot[i];
        if (s->hash == h && s->n_bytes == n && memcmp(s->key, key, n) == 0)
            break;
        i = (i + 1) & (m->n_slots - 1);
    }
    return &m->slot[i];
}

static int grow(struct map *m)
{
    size_t n_old = m->n_slots;
    struct map_slot *old = m->slot;
    m->n_slots = n_old ? 2 * n_old : 1024;
    m->slot = calloc(m->n_slots, sizeof *m->slot);
    if (!m->slot) {
        m->slot = old;
        m->n_slots = n_old;
        return 0;
    }
    for (size_t i = 0; i < n_old; i++)
        if (old[i].key)
            *find(m, old[i].key, old[i].n_bytes, old[i].hash) = old[i];
    free(old);
    return 1;
}

enum rc map_add(struct map *m, const char *key, uint64_t value, uint64_t *old, struct err *e)
{
    if (m->n * 2 >= m->n_slots && !grow(m))
        return err_set(e, RC_FAIL, "no memory for %zu names", m->n);
    size_t n = strlen(key);
    uint64_t h = hash_bytes(key, n);
    struct map_slot *s = find(m, key, n, h);
    if (old)
        *old = s->key ? s->value : MAP_NONE;
    if (s->key)
        return RC_OK;
    const char *copy = arena_text(&m->text, key);
    if (!copy)
        return err_set(e, RC_FAIL, "no memory for %zu names", m->n);
    *s = (struct map_slot){ copy, n, h, value };
    m->n++;
    return RC_OK;
}

uint64_t map_get_n(const struct map *m, const char *key, size_t n)
{
    if (!m->n_slots)
        return MAP_NONE;
    const struct map_slot *s = find(m, key, n, hash_bytes(key, n));
    return s->key ? s->value : MAP_NONE;
}

uint64_t map_get(const struct map *m, const char *key)
{
    return map_get_n(m, key, strlen(key));
}

static int rising(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

enum rc texts_differ(const char *const *text, size_t n, bool *yes, struct err *e)
{
    *yes = true;
    for (size_t i = 0; *yes && i < n; i++) { /* labels: the answer is near */
        *yes = text[i] && (i == 0 || strcmp(text[i], text[i - 1]) != 0);
        spill_step(i);
    }
    if (!*yes)
        return RC_OK;
    uint64_t *hash = spill_alloc((n + 1) * sizeof *hash);
    for (size_t i = 0; hash && i < n; i++) {
        hash[i] = hash_bytes(text[i], strlen(text[i]));
        spill_step(i);
    }
    if (!hash || spill_sort(hash, n, sizeof *hash, rising)) {
        spill_free(hash);
        return err_set(e, RC_FAIL, "no memory for %zu texts", n);
    }
    for (size_t i = 1; *yes && i < n; i++) {
        *yes = hash[i] != hash[i - 1];
        spill_step(i);
    }
    spill_free(hash);
    return RC_OK;
}
