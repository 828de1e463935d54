// The state of a softmax in progress (Milakov and Gimelshein, arXiv 1805.02867): the largest score, the sum of
// exponentials relative to it, and the sum of values weighted by them.

// Of a row that has seen nothing: the lowest finite number, as compilers in a hurry take infinities for impossible.
#define NOTHING uintBitsToFloat(0xFF7FFFFFu)

// By what sums relative to `old` shrink when the largest score becomes `new`; exactly 1 where it stays, so that
// positions which a row does not see change nothing.
float decay(float old_largest, float new_largest) {
    if (old_largest == new_largest) return 1.0;
    return old_largest == NOTHING ? 0.0 : exp(old_largest - new_largest);
}

// Takes the state of the next partition of the context into `largest`, `sum` and `values`.
void fold(
    float next_largest, float next_sum, vec4 next_values, inout float largest, inout float sum, inout vec4 values
) {
    float both = max(largest, next_largest);
    float own = decay(largest, both);
    float other = next_largest == NOTHING ? 0.0 : decay(next_largest, both);
    precise float folded_sum = fma(sum, own, next_sum * other);
    precise vec4 folded_values = fma(values, vec4(own), next_values * other);
    largest = both;
    sum = folded_sum;
    values = folded_values;
}
