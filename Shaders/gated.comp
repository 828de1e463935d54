// output = gated(gate, up).

layout(local_size_x = GROUP) in;

layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint row = gl_WorkGroupID.y;
    if (column < width) result[row * output_stride + output_offset + column] = gated(row, column);
}
