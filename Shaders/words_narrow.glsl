// Sixteen bytes of weights as four words.

#define WEIGHT_WORDS uvec4
#define WORDS_OF(words) words
