// The state of a softmax in progress (Milakov and Gimelshein, arXiv 1805.02867): the largest score, the sum of
// exponentials relative to it, and the sum of values weighted by them.

// The largest score of a row that has attended to nothing: the lowest finite number, not -inf, because some shader
// compilers assume that no value is infinite.
#define LOWEST_SCORE uintBitsToFloat(0xFF7FFFFFu)

// The factor for sums relative to `old_largest` when the largest score becomes `new_largest`; exactly 1 where it stays,
// so that positions which a row does not attend to change nothing.
float decay(float old_largest, float new_largest) {
    if (old_largest == new_largest) return 1.0;
    return old_largest == LOWEST_SCORE ? 0.0 : exp(old_largest - new_largest);
}

// Takes the state of the next partition of the context into `largest`, `sum` and `values`.
void fold(
    float next_largest, float next_sum, vec4 next_values, inout float largest, inout float sum, inout vec4 values
) {
    float both = max(largest, next_largest);
    float own = decay(largest, both);
    float other = next_largest == LOWEST_SCORE ? 0.0 : decay(next_largest, both);
    precise float folded_sum = fma(sum, own, next_sum * other);
    precise vec4 folded_values = fma(values, vec4(own), next_values * other);
    largest = both;
    sum = folded_sum;
    values = folded_values;
}

// Begins a state that has attended to nothing with a sink: a score without a value.
void take_sink(float sink, out float largest, out float sum) {
    largest = sink;
    sum = 1;
}
