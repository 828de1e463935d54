// output = gated(gate, up), as quantized activations.

layout(local_size_x = GROUP) in;

void main() {
    uint row = gl_WorkGroupID.y;
    uint column = gl_GlobalInvocationID.x * 4;
    vec4 own = vec4(0);
    for (uint index = 0; index < 4; index++) {
        if (column + index < width) own[index] = gated(row, column + index);
    }
    uint slice = column / SLICE;
    write_record(own, row * output_stride + output_offset + slice * RECORD * 4, slice * SLICE < width);
}
