/* How far two partitions of the same items agree. */
#ifndef GC_NN_METRICS_CLUSTER_H
#define GC_NN_METRICS_CLUSTER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct partition_metrics {
    double ari; /* adjusted Rand */
    double rand, fowlkes_mallows;
    double mutual_info; /* nats */
    double entropy_a, entropy_b;
    double nmi_arithmetic, nmi_geometric, nmi_min, nmi_max;
    double ami_arithmetic;                       /* adjusted for chance, arithmetic mean */
    double homogeneity, completeness, v_measure; /* a is the truth */
};

/* a[i] < n_a, b[i] < n_b; unused numbers are allowed. */
enum rc partition_metrics_get(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b,
                              size_t n, struct partition_metrics *m, struct err *e);

#endif
