#include "lib/io/lzf.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

size_t lzf_unpack(const unsigned char *in, size_t n, unsigned char *out, size_t room)
{
    size_t i = 0, o = 0;
    while (i < n) {
        unsigned c = in[i++];
        if (c < 32) {
            size_t len = c + 1;
            if (len > n - i || len > room - o)
                return 0;
            memcpy(out + o, in + i, len);
            i += len;
            o += len;
            continue;
        }
        size_t len = (c >> 5) + 2;
        if (c >> 5 == 7) {
            if (i == n)
                return 0;
            len += in[i++];
        }
        if (i == n)
            return 0;
        size_t back = ((size_t)(c & 31) << 8 | in[i++]) + 1;
        if (back > o || len > room - o)
            return 0;
        for (; len; len--, o++) /* byte by byte: source and target may overlap */
            out[o] = out[o - back];
    }
    return o;
}

/* HDF5's filter call: *buf holds n packed bytes; returns the unpacked size, 0 on failure. cd[2] is
 * the unpacked size where h5py wrote it (not for texts), else the room grows until it is enough:
 * an instruction of three bytes gives at most 264. That the result is a whole chunk was checked by
 * h5_check_chunks. */
static size_t lzf_filter(unsigned flags, size_t n_cd, const unsigned cd[], size_t n, size_t *room,
                         void **buf)
{
    if (!(flags & H5Z_FLAG_REVERSE) || n == 0)
        return 0; /* we never write LZF */
    size_t want = n_cd >= 3 && cd[2] ? cd[2] : 4 * n, most = 264 * n;
    for (want = want < most ? want : most;; want = want < most / 2 ? 2 * want : most) {
        unsigned char *out = H5allocate_memory(want, 0);
        size_t got = out ? lzf_unpack(*buf, n, out, want) : 0;
        if (got) {
            H5free_memory(*buf);
            *buf = out;
            *room = want;
            return got;
        }
        H5free_memory(out);
        if (!out || want == most)
            return 0;
    }
}

void lzf_register(void)
{
    static const H5Z_class2_t lzf = { H5Z_CLASS_T_VERS, LZF_FILTER, 0, 1, "lzf", NULL, NULL,
                                      lzf_filter };
    if (H5Zfilter_avail(LZF_FILTER) <= 0)
        H5Zregister(&lzf);
    H5Eclear2(H5E_DEFAULT);
}
