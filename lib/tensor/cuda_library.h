/* What the files lib/tensor/cuda_*.cu share. Codes of the three libraries lie in ranges of their
 * own, so that one int tells which failed. */
#ifndef GC_TENSOR_CUDA_LIBRARY_H
#define GC_TENSOR_CUDA_LIBRARY_H

enum { CUDA_PRODUCT_CODES = 100000, CUDA_RANK_CODES = 200000 };

void *cuda_products_open(const char **why);
void cuda_products_close(void *products); /* NULL is allowed */
const char *cuda_product_text(int code);
const char *cuda_rank_text(int code);
int cuda_products_version(void);
int cuda_ranks_version(void);

#endif
