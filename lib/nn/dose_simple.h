/* Methods for dose responses that every network has to beat. */
#ifndef GC_NN_DOSE_SIMPLE_H
#define GC_NN_DOSE_SIMPLE_H

#include "lib/nn/dose_facts.h"

enum dose_simple {
    DOSE_NO_CHANGE,   /* the control */
    DOSE_TRAIN_MEAN,  /* the mean of all conditions with a drug */
    DOSE_DRUG_MEAN,   /* the mean of the drug's doses */
    DOSE_LINEAR,      /* control + slope x dose, least squares through the control, gene by gene */
    DOSE_INTERPOLATE, /* between the neighbouring doses: straight in ln dose, straight in dose below
                       * the least, the largest's own above it */
    DOSE_N_SIMPLE
};
extern const char *const dose_simple_name[DOSE_N_SIMPLE];

/* mean, var [G] of condition c from the conditions of its type that m has cells of (every condition
 * counts once). Without a condition of its drug there: the control's. */
void dose_simple_predict(enum dose_simple which, const struct dose_set *s,
                         const struct dose_moments *m, size_t c, double *mean, double *var);

#endif
