/* The number types of this machine, as HDF5 files store them. */
#ifndef GC_IO_H5LANE_H
#define GC_IO_H5LANE_H

#include <hdf5.h>

enum h5_lane {
    H5_LANE_NONE = -1, /* any other: big-endian, 16-bit floats, ... */
    H5_LANE_I8,
    H5_LANE_U8,
    H5_LANE_I16,
    H5_LANE_U16,
    H5_LANE_I32,
    H5_LANE_U32,
    H5_LANE_I64,
    H5_LANE_U64,
    H5_LANE_F32,
    H5_LANE_F64,
    H5_N_LANES
};

enum h5_lane h5_lane_of(hid_t type);
hid_t h5_lane_type(enum h5_lane lane);
size_t h5_lane_bytes(enum h5_lane lane);

#endif
