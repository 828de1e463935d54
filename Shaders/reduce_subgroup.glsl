// Sums and maxima over a workgroup: with subgroup arithmetic, then over the subgroups in order.

shared float partial_sums[GROUP];

float group_sum(float value) {
    float sum = subgroupAdd(value);
    if (subgroupElect()) partial_sums[gl_SubgroupID] = sum;
    barrier();
    float total = 0;
    for (uint index = 0; index < gl_NumSubgroups; index++) total += partial_sums[index];
    return total;
}

float group_max(float value) {
    float largest = subgroupMax(value);
    // Invocations may still read the sum of a call before.
    barrier();
    if (subgroupElect()) partial_sums[gl_SubgroupID] = largest;
    barrier();
    for (uint index = 0; index < gl_NumSubgroups; index++) largest = max(largest, partial_sums[index]);
    return largest;
}
