// The best of a row from the best of its segments, and the sums of the row's weights from theirs.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = SEGMENTS_BINDING) readonly buffer Segments { uint segments[]; };

void main() {
    uint lane = gl_LocalInvocationIndex;
    uint first = gl_WorkGroupID.y * segment_count;
    for (uint item = 0; item < ITEMS; item++) {
        uint index = item * GROUP + lane;
        uint segment = index / COUNT;
        uint rank = index % COUNT;
        uint record = (first + segment) * RECORD;
        bool is_there = segment < segment_count && rank < segments[record + 2];
        ids[item] = is_there ? segments[record + 4 + rank] : NO_ID;
        keys[item] = is_there ? key_of(segments[record + 4 + COUNT + rank]) : 0;
    }
    find_best(lane);

    float largest = number_of(best_keys[0]);
    float scale = uintBitsToFloat(rows[gl_WorkGroupID.y].y);
    float sum = 0;
    float tempered_sum = 0;
    for (uint segment = lane; segment < segment_count; segment += GROUP) {
        uint record = (first + segment) * RECORD;
        uint key = key_of(segments[record + 4 + COUNT]);
        // A segment of nothing but NaN.
        if (key == 0) continue;
        sum = fma(uintBitsToFloat(segments[record]), weight_of(number_of(key), largest, 1), sum);
        tempered_sum =
            fma(uintBitsToFloat(segments[record + 1]), weight_of(number_of(key), largest, scale), tempered_sum);
    }
    write_record(gl_WorkGroupID.y, lane, sum, tempered_sum);
}
