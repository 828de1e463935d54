// Folds the states of one row's partitions, in order, as a workgroup that computes all of them does. The output is
// floats or, with LIMBS, quantized activations.
//
// A reduction is (row of the output, first state, states, unused).

layout(local_size_x = GROUP) in;

#define STATE_SIZE (HEAD_SIZE + 2)
// States that are loaded before the first is folded, so that loads do not wait for each other.
#define AHEAD 4

layout(set = 0, binding = STATES_BINDING) readonly buffer States { float states[]; };
layout(set = 0, binding = REDUCTIONS_BINDING) readonly buffer Reductions { uvec4 reductions[]; };
layout(set = 0, binding = SINKS_BINDING) readonly buffer Sinks { float sinks[]; };
#ifndef LIMBS
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };
#endif

void main() {
    uint head = gl_WorkGroupID.x;
    uvec4 reduction = reductions[gl_WorkGroupID.y];
    for (uint first_unit = 0; first_unit < HEAD_SIZE / UNIT; first_unit += GROUP) {
        bool is_there = first_unit + gl_LocalInvocationIndex < HEAD_SIZE / UNIT;
        uint unit = min(first_unit + gl_LocalInvocationIndex, HEAD_SIZE / UNIT - 1);
        float largest = LOWEST_SCORE;
        float sum = 0;
        vec4 values = vec4(0);
        if (has_sinks != 0) take_sink(sinks[sink_offset + head], largest, sum);
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
        vec4 numbers = values / sum;
        uint to = reduction.x * output_stride + output_offset;
#ifdef LIMBS
        uint slice = (head * HEAD_SIZE + unit * UNIT) / SLICE;
        write_record(numbers, to + slice * RECORD * 4, is_there);
#else
        if (!is_there) continue;
        for (uint number = 0; number < UNIT; number++) {
            result[to + head * HEAD_SIZE + unit * UNIT + number] = numbers[number];
        }
#endif
    }
}
