// Sums and maxima over a workgroup of GROUP invocations, a power of two, through shared memory.

shared float partial_sums[GROUP];

float group_sum(float value) {
    uint lane = gl_LocalInvocationIndex;
    partial_sums[lane] = value;
    barrier();
    for (uint half_count = GROUP / 2; half_count > 0; half_count /= 2) {
        if (lane < half_count) partial_sums[lane] += partial_sums[lane + half_count];
        barrier();
    }
    return partial_sums[0];
}

float group_max(float value) {
    uint lane = gl_LocalInvocationIndex;
    // Invocations may still read the sum of a call before.
    barrier();
    partial_sums[lane] = value;
    barrier();
    for (uint half_count = GROUP / 2; half_count > 0; half_count /= 2) {
        if (lane < half_count) partial_sums[lane] = max(partial_sums[lane], partial_sums[lane + half_count]);
        barrier();
    }
    return partial_sums[0];
}
