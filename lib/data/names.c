#include "lib/data/names.h"

#include <stdlib.h>

void names_init(struct names *s)
{
    *s = (struct names){ 0 };
    map_init(&s->map);
    arena_init(&s->text, 1 << 16);
}

void names_release(struct names *s)
{
    map_release(&s->map);
    arena_release(&s->text);
    free(s->at);
    *s = (struct names){ 0 };
}

enum rc names_add(struct names *s, const char *name, uint32_t *number, struct err *e)
{
    const uint64_t old = map_get(&s->map, name);
    if (old != MAP_NONE) {
        *number = (uint32_t)old;
        return RC_OK;
    }
    if (s->n >= UINT32_MAX - 1)
        return err_set(e, RC_INPUT, "more than %zu names", s->n);
    if (s->n == s->room) {
        const size_t room = s->room ? 2 * s->room : 1024;
        const char **more = realloc(s->at, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu names", room);
        s->at = more;
        s->room = room;
    }
    s->at[s->n] = arena_text(&s->text, name);
    if (!s->at[s->n])
        return err_set(e, RC_FAIL, "no memory for %zu names", s->n);
    enum rc rc = map_add(&s->map, name, s->n, NULL, e);
    if (!rc)
        *number = (uint32_t)s->n++;
    return rc;
}
