// output[t] = table[min(ids[t] + id_offset, last_id)] * scale, for the rows of one part of an unquantized table.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = IDS_BINDING) readonly buffer Ids { uint ids[]; };
layout(set = 0, binding = TABLE_BINDING) readonly buffer Table { uint table[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint token = gl_WorkGroupID.y;
    if (column >= width) return;
    uint row = min(ids[token] + id_offset, last_id) - first_row;
    if (row >= part_row_count) return;
    uint word = ((row / TILE * chunk_count + column / CHUNK) * TILE + row % TILE) * 4
        + column % CHUNK * WEIGHT_BITS / 32;
    uint bits = table[word];
#if WEIGHT_BITS == 32
    float number = uintBitsToFloat(bits);
#elif WEIGHT_IS_BFLOAT
    float number = column % 2 == 0 ? low_bfloat16(bits) : high_bfloat16(bits);
#else
    vec2 pair = unpackHalf2x16(bits);
    float number = column % 2 == 0 ? pair.x : pair.y;
#endif
    result[token * output_stride + output_offset + column] = number * scale;
}
