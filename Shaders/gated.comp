// output = activation(gate) * up.

layout(local_size_x = 64) in;

layout(set = 0, binding = 2) writeonly buffer Output { float result[]; };

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint row = gl_WorkGroupID.y;
    if (column < width) result[row * output_stride + output_column + column] = gated(row, column);
}
