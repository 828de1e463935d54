// The best of a segment of a row of logits, and the sums of the segment's weights: one record for each segment.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = LOGITS_BINDING) readonly buffer Logits { uint logits[]; };

void main() {
    uint lane = gl_LocalInvocationIndex;
    uvec2 row = rows[gl_WorkGroupID.y];
    uint first = gl_WorkGroupID.x * segment_size;
    uint last = min(first + segment_size, width);
    for (uint item = 0; item < ITEMS; item++) {
        uint index = first + item * GROUP + lane;
        ids[item] = index < last ? index : NO_ID;
        keys[item] = index < last ? key_of(logits[row.x * width + index]) : 0;
    }
    find_best(lane);

    float largest = number_of(best_keys[0]);
    float scale = uintBitsToFloat(row.y);
    float sum = 0;
    float tempered_sum = 0;
    for (uint item = 0; item < ITEMS; item++) {
        // A NaN weighs nothing.
        if (ids[item] == NO_ID || keys[item] == 0) continue;
        sum += weight_of(number_of(keys[item]), largest, 1);
        tempered_sum += weight_of(number_of(keys[item]), largest, scale);
    }
    write_record(gl_WorkGroupID.y * segment_count + gl_WorkGroupID.x, lane, sum, tempered_sum);
}
