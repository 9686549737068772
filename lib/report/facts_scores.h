/* The scores of a stage, or of all seeds of one, with their names as facts. */
#ifndef GC_REPORT_FACTS_SCORES_H
#define GC_REPORT_FACTS_SCORES_H

#include "lib/report/facts.h"
#include "lib/report/results.h"

struct stage_scores {
    struct results r;  /* scores and zero_shot of it alone */
    const char **file; /* owned list: "fig3/scores/1/metrics.tsv" and so on; texts in r's arena */
    size_t n_files;
};

/* group: "annotate", or "fig3/scores" for all seeds below. On failure *s is empty. */
enum rc stage_scores_read(struct stage_scores *s, const struct chain *c, const char *group,
                          struct err *e);
void stage_scores_release(struct stage_scores *s);
size_t stage_scores_count(const struct stage_scores *s);
const struct score *stage_score(const struct stage_scores *s, size_t i);
/* NULL: no memory. */
const char *score_fact_name(struct facts *f, const char *stage, const struct score *s);

#endif
