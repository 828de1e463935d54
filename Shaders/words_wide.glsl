// Sixteen bytes of weights as two words of 64 bits: half as many loads where each is one of a scalar.

#define WEIGHT_WORDS u64vec2
#define WORDS_OF(words) uvec4(unpack32(words.x), unpack32(words.y))
