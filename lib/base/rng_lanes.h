/* Philox blocks of many positions at once, written once for every width of vector: rng_row.c
 * defines LANES (64-bit lanes of a vector), V (its type), OP(name) (the intrinsic), BITS(name) (the
 * one for bits), ROW (name of the function) and TARGET (what the processor must have), and includes
 * this.
 *
 * The ten rounds of one block wait for each other; those of different positions do not, so four
 * vectors go through together. Of a 64-bit lane the low half counts: multiplication reads nothing
 * else, and what the others hold is cut off at the end. */
__attribute__((target(TARGET))) static void ROW(uint64_t seed, enum rng_purpose purpose,
                                                uint64_t id, const uint64_t *pos, uint64_t *out)
{
    const V m0 = SPLAT(0xD2511F53), m1 = SPLAT(0xCD9E8D57), low = SPLAT(0xffffffff);
    V c0[VECTORS], c1[VECTORS], c2[VECTORS], c3[VECTORS];
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int v = 0; v < VECTORS; v++) {
        c0[v] = SPLAT((int64_t)(id & 0xffffffff));
        c1[v] = SPLAT((int64_t)(id >> 32));
        c2[v] = BITS(loadu)((const V *)(const void *)(pos + LANES * v));
        c3[v] = BITS(or)(OP(slli_epi64)(OP(srli_epi64)(c2[v], 32), 16), SPLAT(purpose));
    }
    for (int r = 0; r < 10; r++) {
        const V key0 = SPLAT(k0), key1 = SPLAT(k1);
        for (int v = 0; v < VECTORS; v++) {
            const V p0 = OP(mul_epu32)(c0[v], m0), p1 = OP(mul_epu32)(c2[v], m1);
            c0[v] = BITS(xor)(BITS(xor)(OP(srli_epi64)(p1, 32), c1[v]), key0);
            c2[v] = BITS(xor)(BITS(xor)(OP(srli_epi64)(p0, 32), c3[v]), key1);
            c1[v] = p1;
            c3[v] = p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int v = 0; v < VECTORS; v++)
        BITS(storeu)
        ((V *)(void *)(out + LANES * v),
         BITS(or)(OP(slli_epi64)(c1[v], 32), BITS(and)(c0[v], low)));
}
#undef LANES
#undef V
#undef SPLAT
#undef OP
#undef BITS
#undef ROW
#undef TARGET
