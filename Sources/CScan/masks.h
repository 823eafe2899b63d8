// Where bytes of a kind stand in 64 bytes, as a bit each: what Swift's SIMD types cannot say in one instruction.
#pragma once
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Bit n is for byte n of the block. Brackets and braces are not told apart.
typedef struct {
  uint64_t quotes, backslashes, opens, closes;
} kb_masks;

#if defined(__SSE2__)
static inline uint64_t kb_bits(__m128i hits, int shift) { return (uint64_t)(uint32_t)_mm_movemask_epi8(hits) << shift; }

/// Whether any of 64 bytes is a quote or a backslash.
static inline int kb_has_quote_or_backslash(const void *block) {
  const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
  __m128i hits = _mm_setzero_si128();
  for (int part = 0; part < 4; part++) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)block + part);
    hits = _mm_or_si128(hits, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
  }
  return _mm_movemask_epi8(hits) != 0;
}

static inline kb_masks kb_masks_of(const void *block) {
  const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
  const __m128i open = _mm_set1_epi8('{'), close = _mm_set1_epi8('}'), fold = _mm_set1_epi8(0x20);
  kb_masks masks = {0, 0, 0, 0};
  for (int part = 0; part < 4; part++) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)block + part);
    __m128i folded = _mm_or_si128(bytes, fold);  // 0x20 apart: [ and {, ] and }
    masks.quotes |= kb_bits(_mm_cmpeq_epi8(bytes, quote), part * 16);
    masks.backslashes |= kb_bits(_mm_cmpeq_epi8(bytes, backslash), part * 16);
    masks.opens |= kb_bits(_mm_cmpeq_epi8(folded, open), part * 16);
    masks.closes |= kb_bits(_mm_cmpeq_epi8(folded, close), part * 16);
  }
  return masks;
}
#else
static inline uint64_t kb_hits(uint64_t word, uint8_t byte) {
  const uint64_t low = 0x7f7f7f7f7f7f7f7full;
  uint64_t difference = word ^ (0x0101010101010101ull * byte);
  // Exact in every byte: no borrow runs from one into the next.
  return ~(((difference & low) + low) | difference | low);
}

/// The top bits of eight bytes, side by side.
static inline uint64_t kb_bits(uint64_t hits, int shift) { return ((hits >> 7) * 0x0102040810204080ull >> 56) << shift; }

static inline uint64_t kb_word(const void *block, int part) {
  uint64_t word;
  memcpy(&word, (const char *)block + part * 8, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/// Whether any of 64 bytes is a quote or a backslash.
static inline int kb_has_quote_or_backslash(const void *block) {
  uint64_t hits = 0;
  for (int part = 0; part < 8; part++) hits |= kb_hits(kb_word(block, part), '"') | kb_hits(kb_word(block, part), '\\');
  return hits != 0;
}

static inline kb_masks kb_masks_of(const void *block) {
  kb_masks masks = {0, 0, 0, 0};
  for (int part = 0; part < 8; part++) {
    uint64_t word = kb_word(block, part), folded = word | 0x2020202020202020ull;
    masks.quotes |= kb_bits(kb_hits(word, '"'), part * 8);
    masks.backslashes |= kb_bits(kb_hits(word, '\\'), part * 8);
    masks.opens |= kb_bits(kb_hits(folded, '{'), part * 8);
    masks.closes |= kb_bits(kb_hits(folded, '}'), part * 8);
  }
  return masks;
}
#endif
