/* How little time the memory traffic of a workload takes: the floors that the engines stand beside.
 *
 * gather_*: for each step and layer, the rows of weights of the neurons that spike are summed in vector
 * registers, and the sums are stored once. Nothing is decayed, compared or listed.
 * scatter_*: for each step and layer, a spike adds R runs of weights to a map of membranes in memory, and one
 * pass over the map compares, resets, decays and keeps a mask. Nothing is listed.
 */
#include <stdint.h>
#ifdef __AVX512BW__
#include <immintrin.h>
#endif

#define FLOATS __attribute__((vector_size(64), aligned(64)))
typedef float float16v FLOATS;
typedef int16_t short32v FLOATS;
typedef int8_t char32v __attribute__((vector_size(32), aligned(32)));

typedef struct {
    const void *weight;     /* rows of `pitch` elements, 64-byte aligned */
    int64_t pitch;          /* elements from row to row */
    int64_t first;          /* 1: the sums of this layer start at zero here */
    int64_t columns;        /* elements that are summed, padded to whole registers */
    const int64_t *offsets; /* spikes of each step, [steps + 1] */
    const int32_t *index;
    void *sums;
} gather;

/* The sums of up to 16 registers stay in registers over all spikes of a step. */
#define GATHER(NAME, ELEMENT, VECTOR, LANES, LOAD)                                                         \
    static inline __attribute__((always_inline)) void NAME##_block(const gather *g, int64_t t, int64_t at, \
                                                                   const int registers) {                  \
        VECTOR sum[16];                                                                                    \
        VECTOR *out = (VECTOR *)g->sums + at / LANES;                                                      \
        for (int r = 0; r < registers; r++) sum[r] = g->first ? (VECTOR){0} : out[r];                      \
        for (int64_t e = g->offsets[t]; e < g->offsets[t + 1]; e++) {                                      \
            const ELEMENT *row = (const ELEMENT *)g->weight + g->index[e] * g->pitch + at;                 \
            for (int r = 0; r < registers; r++) sum[r] += LOAD(row, r);                                    \
        }                                                                                                  \
        for (int r = 0; r < registers; r++) out[r] = sum[r];                                               \
    }                                                                                                      \
    void NAME(const gather *all, int64_t number, int64_t steps) {                                          \
        for (int64_t t = 0; t < steps; t++)                                                                \
            for (int64_t k = 0; k < number; k++) {                                                         \
                int64_t at = 0, left = all[k].columns / LANES;                                             \
                for (; left >= 16; left -= 16, at += 16 * LANES) NAME##_block(all + k, t, at, 16);         \
                for (; left >= 8; left -= 8, at += 8 * LANES) NAME##_block(all + k, t, at, 8);             \
                for (; left >= 2; left -= 2, at += 2 * LANES) NAME##_block(all + k, t, at, 2);             \
                for (; left >= 1; left -= 1, at += LANES) NAME##_block(all + k, t, at, 1);                 \
            }                                                                                              \
    }

#define WHOLE_FLOAT(row, r) (*(const float16v *)((row) + 16 * (r)))
#define WHOLE_SHORT(row, r) (*(const short32v *)((row) + 32 * (r)))
#ifdef __AVX512BW__
#define WIDENED(row, r) (short32v) _mm512_cvtepi8_epi16(_mm256_load_si256((const __m256i *)((row) + 32 * (r))))
#else
#define WIDENED(row, r) __builtin_convertvector(*(const char32v *)((row) + 32 * (r)), short32v)
#endif
GATHER(gather_float32, float, float16v, 16, WHOLE_FLOAT)
GATHER(gather_int16, int16_t, short32v, 32, WHOLE_SHORT)
GATHER(gather_int8, int8_t, short32v, 32, WIDENED)

typedef float loose16v __attribute__((vector_size(64), aligned(4), may_alias));
typedef int16_t loose16s __attribute__((vector_size(32), aligned(2), may_alias));

typedef struct {
    const void *kernel;     /* blocks of `runs` runs of `length` elements */
    int64_t runs;
    int64_t length;         /* a multiple of 16 */
    int64_t pitch;          /* elements from line to line of the map */
    const int64_t *offsets; /* spikes of each step, [steps + 1] */
    const int32_t *place;   /* element of the map at which a spike's first run starts */
    const int32_t *block;   /* element of the kernel at which its block starts */
    void *map;
    int64_t cells;          /* elements of the map, a multiple of 32 */
    uint32_t *mask;
} scatter;

/* Threshold, reset, decay; the mask of 16 float32 or 32 int16 that spike. */
static inline uint32_t pass_float32(float *map) {
#ifdef __AVX512BW__
    __m512 v = _mm512_loadu_ps(map);
    __mmask16 fired = _mm512_cmp_ps_mask(v, _mm512_set1_ps(1.0f), _CMP_GE_OQ);
    _mm512_storeu_ps(map, _mm512_maskz_mul_ps(~fired, v, _mm512_set1_ps(0.9375f)));
    return fired;
#else
    uint32_t fired = 0;
    for (int k = 0; k < 16; k++) {
        fired |= (uint32_t)(map[k] >= 1.0f) << k;
        map[k] = map[k] >= 1.0f ? 0.0f : map[k] * 0.9375f;
    }
    return fired;
#endif
}

static inline uint32_t pass_int16(int16_t *map) {
#ifdef __AVX512BW__
    __m512i v = _mm512_loadu_si512(map);
    __mmask32 fired = _mm512_cmpge_epi16_mask(v, _mm512_set1_epi16(512));
    _mm512_storeu_si512(map, _mm512_maskz_mulhrs_epi16(~fired, v, _mm512_set1_epi16(30720)));
    return fired;
#else
    uint32_t fired = 0;
    for (int k = 0; k < 32; k++) {
        fired |= (uint32_t)(map[k] >= 512) << k;
        map[k] = map[k] >= 512 ? 0 : map[k] - (map[k] >> 4);
    }
    return fired;
#endif
}

#define SCATTER(NAME, ELEMENT, VECTOR, PASS, PASSED)                                                       \
    static inline __attribute__((always_inline)) void NAME##_spikes(const scatter *s, int64_t t,           \
                                                                    const int vectors) {                   \
        for (int64_t e = s->offsets[t]; e < s->offsets[t + 1]; e++) {                                      \
            ELEMENT *map = (ELEMENT *)s->map + s->place[e];                                                \
            const ELEMENT *kernel = (const ELEMENT *)s->kernel + s->block[e];                              \
            for (int64_t r = 0; r < s->runs; r++)                                                          \
                for (int v = 0; v < vectors; v++)                                                          \
                    ((VECTOR *)(map + r * s->pitch))[v] += ((const VECTOR *)(kernel + r * s->length))[v];  \
        }                                                                                                  \
    }                                                                                                      \
    void NAME(const scatter *all, int64_t number, int64_t steps) {                                         \
        for (int64_t t = 0; t < steps; t++)                                                                \
            for (int64_t k = 0; k < number; k++) {                                                         \
                const scatter *s = all + k;                                                                \
                switch (s->length / 16) {                                                                  \
                case 1: NAME##_spikes(s, t, 1); break;                                                     \
                case 2: NAME##_spikes(s, t, 2); break;                                                     \
                case 3: NAME##_spikes(s, t, 3); break;                                                     \
                case 4: NAME##_spikes(s, t, 4); break;                                                     \
                case 6: NAME##_spikes(s, t, 6); break;                                                     \
                default: __builtin_trap();                                                                 \
                }                                                                                          \
                ELEMENT *map = (ELEMENT *)s->map;                                                          \
                for (int64_t c = 0; c < s->cells / PASSED; c++) s->mask[c] = PASS(map + PASSED * c);       \
            }                                                                                              \
    }

SCATTER(scatter_float32, float, loose16v, pass_float32, 16)
SCATTER(scatter_int16, int16_t, loose16s, pass_int16, 32)
