// Folds the partitions of one row's contexts, in order, as a workgroup that has them all would.

layout(local_size_x = GROUP) in;

#define STATE_SIZE (HEAD_SIZE + 2)
// Partitions whose sums are loaded before the first is folded, so that loads do not wait for each other.
#define AHEAD 4

layout(set = 0, binding = 0) readonly buffer States { float states[]; };
layout(set = 0, binding = 1) readonly buffer Reductions { uvec4 reductions[]; };
layout(set = 0, binding = 2) writeonly buffer Output { float result[]; };

layout(push_constant) uniform Constants {
    uint reduction_count;
    uint output_stride;
    uint output_column;
    uint head_count;
};

void main() {
    uint head = gl_WorkGroupID.x;
    uvec4 reduction = reductions[gl_WorkGroupID.y];
    for (uint unit = gl_LocalInvocationIndex; unit < HEAD_SIZE / UNIT; unit += GROUP) {
        float largest = NOTHING;
        float sum = 0;
        vec4 values = vec4(0);
        uint end = reduction.y + reduction.z;
        for (uint first = reduction.y; first < end; first += AHEAD) {
            vec2 states_ahead[AHEAD];
            vec4 values_ahead[AHEAD];
            [[unroll]] for (uint own = 0; own < AHEAD; own++) {
                uint from = (min(first + own, end - 1) * head_count + head) * STATE_SIZE;
                states_ahead[own] = vec2(states[from], states[from + 1]);
                values_ahead[own] = vec4(0);
                [[unroll]] for (uint number = 0; number < UNIT; number++) {
                    values_ahead[own][number] = states[from + 2 + unit * UNIT + number];
                }
            }
            [[unroll]] for (uint own = 0; own < AHEAD; own++) {
                if (first + own >= end) break;
                fold(states_ahead[own].x, states_ahead[own].y, values_ahead[own], largest, sum, values);
            }
        }
        uint to = reduction.x * output_stride + output_column + head * HEAD_SIZE + unit * UNIT;
        for (uint number = 0; number < UNIT; number++) result[to + number] = values[number] / sum;
    }
}
