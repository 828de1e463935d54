// Head h of a row: first_width columns of one value, second_width columns of another one, zeros.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = FIRST_BINDING) readonly buffer First { float first[]; };
layout(set = 0, binding = SECOND_BINDING) readonly buffer Second { float second[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint row = gl_WorkGroupID.y;
    if (column >= width) return;
    uint head = column / head_size;
    uint index = column % head_size;
    float number = 0.0;
    if (index < first_width) {
        number = first[row * first_stride + first_offset + head * first_head_stride + index];
    } else if (index - first_width < second_width) {
        number = second[row * second_stride + second_offset + head * second_head_stride + index - first_width];
    }
    result[row * output_stride + output_offset + column] = number;
}
