#include "lib/report/figures.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

/* Every kind of figure; the page looks them up by name. */
static const struct figure_kind *const kinds[] = {
    &figure_map,
    &figure_qc,
    &figure_loss,
    &figure_scores,
};

/* Blue, vermillion, green, orange, sky blue, purple, the colour of the text, yellow: neighbours in
 * this order differ for the three common kinds of colour blindness. */
const char *const figure_colour[N_COLOURS] = { "#0072B2", "#D55E00", "#009E73", "#E69F00",
                                               "#56B4E9", "#CC79A7", "#000000", "#F0E442" };

long figure_colour_number(const char *colour)
{
    return strtol(colour + 1, NULL, 16);
}

void figure_key(struct figure *f, const char *const *word, const char *const *colour, size_t n,
                double top)
{
    figure_number(f, "n_keys", (double)n);
    figure_number(f, "key_top", top);
    figure_words(f, "keys", word, n);
    markup_raw(&f->script, "key_colours = \"");
    for (size_t i = 0; i < n; i++)
        markup_fmt(&f->script, "%s%s", i ? " " : "", colour[i]);
    markup_raw(&f->script, "\"\n");
}

static enum rc draw_one(struct figures *all, struct figure *f, const char *template_name,
                        const char *templates, struct err *e)
{
    struct drawn *more = realloc(all->item, (all->n + 1) * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for the figures");
    all->item = more;
    more += all->n;
    *more = (struct drawn){ .name = text_new("%s", f->name) };
    if (!more->name)
        return err_set(e, RC_FAIL, "no memory for the figures");
    all->n++;
    return figure_draw(f, templates, template_name, &more->svg, e);
}

enum rc figures_draw(struct figures *all, const struct results *r, const char *templates,
                     struct err *e)
{
    enum rc rc = RC_OK;
    *all = (struct figures){ 0 };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t n = kinds[k]->count(r);
        for (size_t i = 0; !rc && i < n; i++) {
            struct figure f;
            if (!kinds[k]->fill(r, i, &f))
                continue;
            rc = draw_one(all, &f, kinds[k]->template_name, templates, e);
            figure_release(&f);
        }
    }
    if (rc)
        figures_release(all);
    return rc;
}

enum rc figures_save(const struct figures *f, const char *out, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < f->n; i++) {
        char *path = text_new("%s/%s.svg", out, f->item[i].name);
        rc = path ? figure_save(&f->item[i].svg, path, e)
                  : err_set(e, RC_FAIL, "no memory for a path");
        free(path);
    }
    return rc;
}

void figures_release(struct figures *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->item[i].name);
        markup_release(&f->item[i].svg);
    }
    free(f->item);
    *f = (struct figures){ 0 };
}

const struct drawn *figures_find(const struct figures *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->item[i].name, name) == 0)
            return &f->item[i];
    return NULL;
}
