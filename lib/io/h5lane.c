#include "lib/io/h5lane.h"

hid_t h5_lane_type(enum h5_lane lane)
{
    /* No constants: HDF5 makes them when it starts. */
    const hid_t type[H5_N_LANES] = { H5T_NATIVE_INT8,   H5T_NATIVE_UINT8,  H5T_NATIVE_INT16,
                                     H5T_NATIVE_UINT16, H5T_NATIVE_INT32,  H5T_NATIVE_UINT32,
                                     H5T_NATIVE_INT64,  H5T_NATIVE_UINT64, H5T_NATIVE_FLOAT,
                                     H5T_NATIVE_DOUBLE };
    return type[lane];
}

size_t h5_lane_bytes(enum h5_lane lane)
{
    static const size_t bytes[H5_N_LANES] = { 1, 1, 2, 2, 4, 4, 8, 8, 4, 8 };
    return bytes[lane];
}

enum h5_lane h5_lane_of(hid_t type)
{
    for (int i = 0; i < H5_N_LANES; i++)
        if (H5Tequal(type, h5_lane_type((enum h5_lane)i)) > 0)
            return (enum h5_lane)i;
    return H5_LANE_NONE;
}
