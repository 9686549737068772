/* What the ways of training share: sgns.c (one order of steps) and sgns_hogwild.c. */
#ifndef GC_CELL_SGNS_TRAINING_H
#define GC_CELL_SGNS_TRAINING_H

#include "lib/cell/sgns.h"

enum { SGNS_ALIGN = 64, SGNS_LANES = 32 }; /* bytes of a row's start, floats of its padding */

struct sgns_training {
    struct sgns *s;
    const struct pairs *pairs;
    const struct sgns_options *o;
    uint32_t *cum, *keep, *order;
    uint32_t *hint; /* [N_HINTS]: first row with cum >= h << HINT_SHIFT, where a search starts */
    uint32_t pass;
    size_t first, n;        /* the window: lines order[first..first + n) */
    struct sgns_step *step; /* [2 * WINDOW] */
    unsigned char *stays;   /* [WINDOW] */
    size_t n_steps;
    uint32_t *level, *sorted, *start; /* [2 * WINDOW], the same, [2 * WINDOW + 1] */
    uint32_t *last_in, *last_out;     /* [n]: 1 + level of the last step on that row, 0: none */
    size_t level_first, level_n;      /* the level that runs, in sorted */
    float *work;                      /* [threads, stride] */
};

/* The fate and the two steps of line `line` of the pass; false: lost to sub-sampling. */
bool sgns_draw_line(const struct sgns_training *t, size_t line, struct sgns_step step[2]);
/* label - sigma(f) by the table, 0 beyond the limit. */
float sgns_pull(float f, float label);
/* All lines of a pass, the threads racing for rows. */
void sgns_hogwild_pass(struct sgns_training *t, struct sgns_counts *c);

#endif
