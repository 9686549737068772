/* The maps, and the numbers of the vectors that they show. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/report/format.h"
#include "lib/report/json.h"
#include "lib/report/page.h"

/* Words for a number of map.json; the name itself where we know no better. */
static const char *map_words(const char *key)
{
    static const struct {
        const char *name, *words;
    } known[] = {
        { "n_cells", "cells" },
        { "width", "numbers of a vector" },
        { "leiden_groups", "groups found without labels (Leiden)" },
        { "n_labelled", "cells with a label" },
        { "n_labels", "different labels" },
        { "same_label", "nearest cells with the same label, share" },
        { "same_species", "nearest cells of the same species, share" },
        { "same_sample", "nearest cells of the same sample, share" },
        { "silhouette_of_labels", "silhouette of the labels (-1 to 1)" },
        { "leiden_ari", "groups and labels agree, adjusted Rand index" },
        { "leiden_nmi", "groups and labels agree, mutual information" },
        { "trustworthiness", "near dots are near cells, trustworthiness" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, key) == 0)
            return known[i].words;
    return key;
}

/* Numbers that the map's report gives: one column per map, one row per name. */
static void map_numbers(const struct page *p)
{
    const struct map_facts *m = p->r->map;
    const char *key;
    json_t *value;
    bool open = false;
    for (int i = 0; i < N_MAPS; i++)
        json_object_foreach(m[i].report, key, value)
        {
            bool again = false;
            for (int k = 0; k < i; k++)
                again = again || json_is_number(json_object_get(m[k].report, key));
            if (!json_is_number(value) || again)
                continue;
            if (!open)
                page_table(p, "Numbers of the maps", "|>this run's model|>random weights|>counts");
            open = true;
            markup_raw(p->html, "<tr><th scope=\"row\">");
            markup_text(p->html, map_words(key));
            markup_raw(p->html, "</th>");
            for (int k = 0; k < N_MAPS; k++) {
                double x = json_number_of(m[k].report, key);
                x == floor(x) && fabs(x) > 1 ? page_cell_count(p, x) : page_cell_number(p, x);
            }
            markup_raw(p->html, "</tr>\n");
        }
    if (open)
        page_table_end(p);
}

void page_maps(const struct page *p)
{
    char name[64], caption[160];
    bool any = false;
    page_section(p, "maps", "The map, and two controls");
    markup_raw(p->html, "<p>Each cell is a vector of many numbers; the map lays vectors that are "
                        "alike side by side (");
    page_term(p, "umap", "UMAP");
    markup_raw(p->html,
               "). Distances between far groups mean nothing. Groups also form with random "
               "weights, because the counts differ: what training added is the difference "
               "between the maps, not the map. Species that lie apart can be biology, or only "
               "different laboratories.</p>\n<div class=\"figures\">\n");
    for (int by_type = 0; by_type < 2; by_type++)
        for (int i = 0; i < N_MAPS; i++) {
            const struct map_facts *m = &p->r->map[i];
            snprintf(name, sizeof name, "%s-%s", m->stage, by_type ? "type" : "species");
            snprintf(caption, sizeof caption, "%s, by %s.", m->title,
                     by_type ? "cell type" : "species");
            any = page_figure(p, name, caption) || any;
        }
    markup_raw(p->html, "</div>\n");
    for (int i = 0; i < N_MAPS; i++)
        if (!p->r->map[i].present)
            page_missing(p, "No map of \"%s\": the stage %s left no map.tsv.", p->r->map[i].title,
                         p->r->map[i].stage);
    if (any)
        map_numbers(p);
    page_section_end(p);
}
