// output[t][i] = input[t][order[i]]: activations in the order of a matrix's inputs (`desc_act` of GPTQ).

layout(local_size_x = GROUP) in;

layout(set = 0, binding = ORDER_BINDING) readonly buffer Order { uint order[]; };
layout(set = 0, binding = INPUT_BINDING) readonly buffer Input { float source[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint row = gl_WorkGroupID.y;
    if (column >= width) return;
    result[row * output_stride + output_offset + column] = source[row * input_stride + input_offset + order[column]];
}
