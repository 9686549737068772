/* LZF, the compression behind HDF5 filter 32000 (h5py's "lzf"). Reading only.
 *
 * A packed chunk is a run of instructions, each starting with a control byte c:
 *   c < 32     c + 1 literal bytes follow
 *   c >= 32    copy: length (c >> 5) + 2; when c >> 5 is 7, the next byte is added to the length.
 *              Then the byte b; the source starts ((c & 31) << 8 | b) + 1 bytes behind the output's
 *              end and may run into what is being written.
 * Example: 02 'a' 'b' 'c' 20 02 -> "abc", then length 3 from 3 back: "abcabc". */
#ifndef GC_IO_LZF_H
#define GC_IO_LZF_H

#include <stddef.h>

enum { LZF_FILTER = 32000 };

/* Bytes written, 0 when the input is damaged or does not fit into room. */
size_t lzf_unpack(const unsigned char *in, size_t n, unsigned char *out, size_t room);
/* Makes HDF5 know filter 32000 in this process, unless a plugin has done so already. */
void lzf_register(void);

#endif
