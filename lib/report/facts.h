/* Every number of a results folder under a name, with the place where it stands: what the text of
 * the paper may use. A name has letters only, and begins with the stage:
 *
 *   metrics.tsv   \gcAnnotateLungTestMacroFOneHvgLogistic    mean over the seeds; with Interval
 *                 behind it the 95 % interval, with Released before the metric a row of the variant
 *                 as-released
 *   report.json, baselines.json, and others beside them: \gcPretrainParameters,
 *                 \gcPretrainBaselinesIdLoss
 *   parameters    \gcPretrainParamSteps
 *   numbers.tex   of the stage report, under the names that stand there: \gcCellsKept
 *
 * A stage whose last part is a number (fig3/scores/2) is a seed of the stage above it.
 *
 * The paper is made from the stages that its own manifest has read; where there is none yet, from
 * all but itself and crate. So a stage that comes later changes no paper that is there. */
#ifndef GC_REPORT_FACTS_H
#define GC_REPORT_FACTS_H

#include "lib/io/markup.h"
#include "lib/manifest/chain.h"

struct fact {
    const char *name;   /* "gcCellsKept" */
    const char *value;  /* escaped for TeX */
    const char *source; /* FILE:PLACE SHA256, several with a blank between; PLACE: lines, or a key.
                         * A blank, a % and a colon of FILE stand as %XX (lib/base/percent.h) */
    bool twice;         /* two different numbers have this name: it cannot be used */
};

struct facts {
    const struct chain *c; /* borrowed */
    struct fact *item;     /* owned; texts in the arena */
    size_t n, room;
    struct map at;
    struct arena text;
};

/* All of the folder. RC_INPUT: a file is broken, or a value of numbers.tex has commands of TeX. On
 * failure *f is empty. */
enum rc facts_read(struct facts *f, const struct chain *c, struct err *e);
void facts_release(struct facts *f);
/* Is the stage one that the paper is made from? */
bool facts_has_stage(const struct chain *c, size_t stage);
/* One more; the parts of its name are joined, each with a capital. The value is escaped here. */
enum rc facts_add(struct facts *f, const char *const *part, size_t n, const char *value,
                  const char *source, struct err *e);
/* Text and source that stand there already as TeX. */
enum rc facts_add_tex(struct facts *f, const char *name, const char *value, const char *source,
                      struct err *e);
/* NULL when there is none. */
const struct fact *facts_find(const struct facts *f, const char *name);
/* FILE:PLACE SHA256 of a file below the root, in the arena; the sum is that of the manifest, or of
 * the bytes where no manifest has it. NULL: no memory, no such file. */
const char *facts_source(struct facts *f, const char *file, const char *place);
/* "\gcAnnotateLung..." without the backslash, in the arena. NULL: no memory. */
const char *facts_name(struct facts *f, const char *const *part, size_t n);
/* A number as the paper shows it: whole ones with commas, others with three digits. */
const char *facts_number(char *to, size_t room, double x);

/* Parts of facts_read. */
enum rc facts_scores(struct facts *f, struct err *e); /* facts_scores.c */

#endif
