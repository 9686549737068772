/* What this machine's matrix products reach, as the yardstick of a training run: f32, through the
 * products that the model uses, all threads at once, on tiles that stay in the caches. */
#ifndef GC_APP_SGEMM_RATE_H
#define GC_APP_SGEMM_RATE_H

/* FLOP/s, the best of about a tenth of a second; 0 where the processor runs no fast products. */
double sgemm_rate(void);

#endif
