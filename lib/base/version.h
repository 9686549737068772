/* The version, also in README, CITATION.cff and every manifest. */
#ifndef GC_BASE_VERSION_H
#define GC_BASE_VERSION_H
#define GC_VERSION "0.1.0"
#endif
