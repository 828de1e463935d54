// output[t] = input[t] * factors[position[t] / original_length].

layout(local_size_x = GROUP) in;

layout(set = 0, binding = POSITIONS_BINDING) readonly buffer Positions { uint positions[]; };
layout(set = 0, binding = FACTORS_BINDING) readonly buffer Factors { float factors[]; };
layout(set = 0, binding = INPUT_BINDING) readonly buffer Input { float source[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint row = gl_WorkGroupID.y;
    if (column >= width) return;
    result[row * output_stride + output_offset + column] =
        source[row * input_stride + input_offset + column]
        * factors[factor_offset + positions[row] / original_length];
}
