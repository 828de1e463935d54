// Attention of some query rows of one sequence over its cached context, through the block table.
//
// The context is cut into partitions at multiples of PARTITION, and these into tiles of GROUP positions; the sums of a
// partition are folded in order. Nothing depends on the rest of the batch, on how a prompt is cut or on where blocks
// lie: a workgroup that goes through all partitions itself computes the same bits as several and a reduction.
//
// An invocation loads KEYS_AHEAD units of keys or VALUES_AHEAD of values before it uses the first, so that loads do not
// wait for each other.

layout(set = 0, binding = 0) readonly buffer Queries { float queries[]; };
layout(set = 0, binding = 1) readonly buffer Keys { CACHE_WORDS keys[]; };
layout(set = 0, binding = 2) readonly buffer Values { CACHE_WORDS values[]; };
layout(set = 0, binding = 3) writeonly buffer Output { float result[]; };
layout(set = 0, binding = 4) writeonly buffer States { float states[]; };
layout(set = 0, binding = 5) readonly buffer Tasks { uvec4 tasks[]; };
layout(set = 0, binding = 6) readonly buffer Tables { uint tables[]; };

layout(push_constant) uniform Constants {
    uint task_count;
    uint query_stride;
    uint query_column;
    uint output_stride;
    uint output_column;
    uint key_heads;
    uint group_heads;    // Query heads to a key/value head.
    uint slices;         // Workgroups that share a key/value head.
    float scale;
    uint window;         // Zero: none.
    float cap;           // Zero: none.
    uint block_shift;
    uint first_task;
};

#define ROW_SETS (GROUP / UNITS)
#define ROWS_EACH ((ROWS + ROW_SETS - 1) / ROW_SETS)

shared vec4 query[ROWS * UNITS];
shared uint slot_of[GROUP];

uint first_row, row_count, first_position, table;

void load_queries(uint key_head, uint slice) {
    for (uint index = gl_LocalInvocationIndex; index < ROWS * UNITS; index += GROUP) {
        uint row = index / UNITS;
        uint unit = index % UNITS;
        uint head = slice * HEADS + row % HEADS;
        vec4 numbers = vec4(0);
        if (row / HEADS < row_count && head < group_heads) {
            uint from = (first_row + row / HEADS) * query_stride + query_column
                + (key_head * group_heads + head) * HEAD_SIZE + unit * UNIT;
            numbers.xy = vec2(queries[from], queries[from + 1]);
#if UNIT == 4
            numbers.zw = vec2(queries[from + 2], queries[from + 3]);
#endif
        }
        query[index] = numbers;
    }
}

// Scores of this invocation's position in the tile for every row; NOTHING where a row does not see it.
void score(uint position, uint end, uint unit_base, out float scores[ROWS]) {
    [[unroll]] for (uint row = 0; row < ROWS; row++) scores[row] = 0;
    if (position < end) {
        for (uint first = 0; first < UNITS; first += KEYS_AHEAD) {
            vec4 ahead[KEYS_AHEAD];
            [[unroll]] for (uint own = 0; own < KEYS_AHEAD; own++) {
                ahead[own] = FROM_CACHE(keys, unit_base, first + own);
            }
            [[unroll]] for (uint own = 0; own < KEYS_AHEAD; own++) {
                vec4 key = ahead[own];
                [[unroll]] for (uint row = 0; row < ROWS; row++) {
                    vec4 numbers = query[row * UNITS + first + own];
                    precise float sum = scores[row];
                    sum = fma(numbers.x, key.x, sum);
                    sum = fma(numbers.y, key.y, sum);
#if UNIT == 4
                    sum = fma(numbers.z, key.z, sum);
                    sum = fma(numbers.w, key.w, sum);
#endif
                    scores[row] = sum;
                }
            }
        }
    }
    [[unroll]] for (uint row = 0; row < ROWS; row++) {
        uint own = first_position + row / HEADS;
        bool is_seen = position < end && position <= own && (window == 0 || position + window > own);
        float scaled = scores[row] * scale;
        if (cap != 0.0) scaled = soft_capped(scaled, cap);
        scores[row] = is_seen ? scaled : NOTHING;
    }
}

void main() {
    uint lane = gl_LocalInvocationIndex;
    uint key_head = gl_WorkGroupID.x / slices;
    uint slice = gl_WorkGroupID.x % slices;
    uvec4 task = tasks[2 * (first_task + gl_WorkGroupID.y)];
    uvec4 extent = tasks[2 * (first_task + gl_WorkGroupID.y) + 1];
    first_row = task.x;
    row_count = task.y;
    first_position = task.z;
    table = task.w;
    uint end = first_position + row_count;
    uint begin = window == 0 || first_position < window ? 0 : first_position - window + 1;

    // This invocation's part of the output: one unit of some rows.
    uint unit = lane % UNITS;
    uint row_set = lane / UNITS;
    bool has_rows = row_set < ROW_SETS;
    float whole_largest[ROWS_EACH];
    float whole_sum[ROWS_EACH];
    vec4 whole[ROWS_EACH];
    [[unroll]] for (uint index = 0; index < ROWS_EACH; index++) {
        whole_largest[index] = NOTHING;
        whole_sum[index] = 0;
        whole[index] = vec4(0);
    }
    load_queries(key_head, slice);

    for (uint part = extent.x; part < extent.x + extent.y; part++) {
        float sums[ROWS_EACH];
        vec4 sums_of_values[ROWS_EACH];
        [[unroll]] for (uint index = 0; index < ROWS_EACH; index++) {
            sums[index] = 0;
            sums_of_values[index] = vec4(0);
        }
        barrier();
        for (uint row = lane; row < ROWS; row += GROUP) largest_of[row] = NOTHING;
        barrier();
        uint partition_end = min((part + 1) * PARTITION, end);
        for (uint tile = part * PARTITION; tile < partition_end; tile += GROUP) {
            if (tile + GROUP <= begin) continue;
            uint position = tile + lane;
            uint base = 0;
            if (position >= begin && position < partition_end) {
                uint block = tables[table + (position >> block_shift)];
                uint slot = (block << block_shift) + (position & ((1u << block_shift) - 1));
                base = (slot * key_heads + key_head) * HEAD_UNITS + FIRST_UNIT;
                slot_of[lane] = base;
            }
            float scores[ROWS];
            score(position, position < begin ? 0 : partition_end, base, scores);
            find_largest(scores, lane);
            [[unroll]] for (uint row = 0; row < ROWS; row++) {
                weights_of[row * GROUP + lane] =
                    scores[row] == NOTHING ? 0.0 : exp(scores[row] - tile_largest[row]);
            }
            barrier();
            if (has_rows) {
                [[unroll]] for (uint index = 0; index < ROWS_EACH; index++) {
                    uint row = min(row_set + index * ROW_SETS, ROWS - 1);
                    float shrink = decay(largest_of[row], tile_largest[row]);
                    sums[index] *= shrink;
                    sums_of_values[index] *= shrink;
                }
                uint from = max(tile, begin) - tile;
                uint to = min(GROUP, partition_end - tile);
                for (uint first = from; first < to; first += VALUES_AHEAD) {
                    vec4 ahead[VALUES_AHEAD];
                    [[unroll]] for (uint own = 0; own < VALUES_AHEAD; own++) {
                        ahead[own] = FROM_CACHE(values, slot_of[min(first + own, to - 1)], unit);
                    }
                    [[unroll]] for (uint own = 0; own < VALUES_AHEAD; own++) {
                        if (first + own >= to) break;
                        [[unroll]] for (uint index = 0; index < ROWS_EACH; index++) {
                            uint row = min(row_set + index * ROW_SETS, ROWS - 1);
                            float weight = weights_of[row * GROUP + first + own];
                            precise float sum = sums[index] + weight;
                            precise vec4 weighted = fma(vec4(weight), ahead[own], sums_of_values[index]);
                            sums[index] = sum;
                            sums_of_values[index] = weighted;
                        }
                    }
                }
            }
            barrier();
            for (uint row = lane; row < ROWS; row += GROUP) largest_of[row] = tile_largest[row];
            barrier();
        }
        [[unroll]] for (uint index = 0; index < ROWS_EACH; index++) {
            uint row = min(row_set + index * ROW_SETS, ROWS - 1);
            if (extent.w != 0) {
                whole_largest[index] = largest_of[row];
                whole_sum[index] = sums[index];
                whole[index] = sums_of_values[index];
            } else {
                fold(
                    largest_of[row], sums[index], sums_of_values[index], whole_largest[index], whole_sum[index],
                    whole[index]);
            }
        }
    }

    if (!has_rows) return;
    [[unroll]] for (uint index = 0; index < ROWS_EACH; index++) {
        uint row = row_set + index * ROW_SETS;
        uint head = slice * HEADS + row % HEADS;
        if (row >= ROWS || row / HEADS >= row_count || head >= group_heads) continue;
        uint whole_head = key_head * group_heads + head;
        if (extent.w != 0) {
            uint to = (extent.z * key_heads * group_heads + whole_head) * STATE_SIZE;
            if (unit == 0) {
                states[to] = whole_largest[index];
                states[to + 1] = whole_sum[index];
            }
            for (uint number = 0; number < UNIT; number++) {
                states[to + 2 + unit * UNIT + number] = whole[index][number];
            }
        } else {
            uint to = (first_row + row / HEADS) * output_stride + output_column + whole_head * HEAD_SIZE + unit * UNIT;
            for (uint number = 0; number < UNIT; number++) {
                result[to + number] = whole[index][number] / whole_sum[index];
            }
        }
    }
}
