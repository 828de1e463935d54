// Sums over a workgroup of GROUP invocations, a power of two, through shared memory.

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
