/* Maps of matrices for copies of tiles. The call that makes them belongs to the driver; it is looked up, so that
 * nothing is linked with libcuda. */
#include <cuda.h>
#include <cuda_runtime.h>
#include <string.h>

#include "lib/tensor/cuda_device.h"

typedef CUresult encode_fn(CUtensorMap *, CUtensorMapDataType, cuuint32_t, void *, const cuuint64_t *,
                           const cuuint64_t *, const cuuint32_t *, const cuuint32_t *, CUtensorMapInterleave,
                           CUtensorMapSwizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill);
enum { ENCODE_SINCE = 12000, TILE_COLUMNS = 64 };

/* NULL where the driver is older than the call. */
static encode_fn *find_encode(void)
{
    void *found = NULL;
    cudaDriverEntryPointQueryResult how = cudaDriverEntryPointSymbolNotFound;
    const char *const name = "cuTensorMapEncodeTiled";
#if CUDART_VERSION >= 12050
    cudaError_t e = cudaGetDriverEntryPointByVersion(name, &found, ENCODE_SINCE, cudaEnableDefault, &how);
#else
    cudaError_t e = cudaGetDriverEntryPoint(name, &found, cudaEnableDefault, &how);
#endif
    if (e)
        cudaGetLastError();
    return e || how != cudaDriverEntryPointSuccess ? NULL : (encode_fn *)found;
}

int cuda_tile_map(struct cuda_tile_map *map, const void *x, size_t rows, size_t cols, size_t ld,
                  unsigned box_rows)
{
    static encode_fn *encode;
    const cuuint64_t size[2] = { cols, rows }, row_bytes[1] = { ld * sizeof(uint16_t) };
    const cuuint32_t box[2] = { TILE_COLUMNS, box_rows }, step[2] = { 1, 1 };
    CUtensorMap m;
    static_assert(sizeof m == sizeof *map, "a map has room");
    encode = encode ? encode : find_encode();
    if (!encode)
        return cudaErrorNotSupported;
    const CUresult e = encode(&m, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, (void *)x, size, row_bytes, box, step,
                              CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                              CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    memcpy(map, &m, sizeof m);
    return e ? (int)cudaErrorInvalidValue : 0;
}
