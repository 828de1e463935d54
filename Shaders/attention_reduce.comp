// Folds the partitions of one row's contexts, in order, as a workgroup that has them all would.

layout(local_size_x = GROUP) in;

#define STATE_SIZE (HEAD_SIZE + 2)

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
        for (uint part = reduction.y; part < reduction.y + reduction.z; part++) {
            uint from = (part * head_count + head) * STATE_SIZE;
            vec4 next = vec4(0);
            for (uint number = 0; number < UNIT; number++) next[number] = states[from + 2 + unit * UNIT + number];
            fold(states[from], states[from + 1], next, largest, sum, values);
        }
        uint to = reduction.x * output_stride + output_column + head * HEAD_SIZE + unit * UNIT;
        for (uint number = 0; number < UNIT; number++) result[to + number] = values[number] / sum;
    }
}
