// output[t] = table[min(ids[t] + id_offset, last_id)] * scale, for the rows of one part of a quantized table.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = IDS_BINDING) readonly buffer Ids { uint ids[]; };
layout(set = 0, binding = CODES_BINDING) readonly buffer Codes { uint codes[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint token = gl_WorkGroupID.y;
    if (column >= width) return;
    uint row = min(ids[token] + id_offset, last_id) - first_row;
    if (row >= part_row_count) return;
    uint tile = row / TILE;
    uint lane = row % TILE;
    uint slice = column / SLICE;
    uint slice_count = (width + SLICE - 1) / SLICE;
    uint start = (tile * slice_count + slice) * BITS * TILE + lane * UNIT;
    uint group = SCALES == 2 ? column / 16 : slice / group_slices;
    uint scales_start = scales_of_tile(tile, group_count);
    vec2 scaling = scaling_of(scales_start, group, group_count, lane);
#ifdef GRID
    uint piece = column % SLICE / 4;
    uint values = grid_values(
        CODES_WORD(start, INDEX_WORD(piece)), CODES_WORD(start, SIGN_WORD), extra_of(scales_start, slice, lane), piece);
    precise float number = float(bitfieldExtract(int(values), int(column % 4 * 8), 8)) * scaling.x;
#else
    uint bit = column % SLICE * BITS;
    uint word = bit / 32;
    uint bits = CODES_WORD(start, word) >> (bit % 32);
    if (bit % 32 + BITS > 32) {
        word += 1;
        bits |= CODES_WORD(start, word) << (32 - bit % 32);
    }
    precise float number = fma(code_value(bits & MASK), scaling.x, scaling.y);
#endif
    result[token * output_stride + output_offset + column] = number * scale;
}
