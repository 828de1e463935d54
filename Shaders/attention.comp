// Attention of some query rows of one sequence over its cached context, through the block table.
//
// The context is split into partitions at multiples of PARTITION, and a partition into tiles of TILE positions. The
// sums of a partition are folded into the row's state in order. So a workgroup that goes through all partitions
// computes the same bits as several workgroups and a reduction (`attention_reduce.comp`), and the result depends
// neither on the rest of the batch, nor on how a prompt is chunked, nor on where blocks lie.
//
// A task is two uvec4: (first query row, query rows, position of the first row, start of the block table) and (first
// partition, partitions, index of the state, whether the state is written instead of the output).
//
// With IS_STAGED, the workgroup loads a tile's keys and values into shared memory: all loads of both are in flight at
// once, and neighbouring invocations load neighbouring words. Without it, an invocation reads the cache directly,
// KEYS_AHEAD units of keys or VALUES_AHEAD of values before it uses the first, so that loads do not wait for each
// other.

layout(set = 0, binding = QUERIES_BINDING) readonly buffer Queries { float queries[]; };
layout(set = 0, binding = KEYS_BINDING) readonly buffer Keys { CACHE_WORDS keys[]; };
layout(set = 0, binding = VALUES_BINDING) readonly buffer Values { CACHE_WORDS values[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };
layout(set = 0, binding = STATES_BINDING) writeonly buffer States { float states[]; };
layout(set = 0, binding = TASKS_BINDING) readonly buffer Tasks { uvec4 tasks[]; };
layout(set = 0, binding = BLOCK_TABLES_BINDING) readonly buffer Tables { uint tables[]; };
layout(set = 0, binding = SINKS_BINDING) readonly buffer Sinks { float sinks[]; };

// Sums of values: an invocation sums one unit of the head, for ROWS_EACH of the rows.
#define ROW_SETS (GROUP / UNITS)
#define ROWS_EACH ((ROWS + ROW_SETS - 1) / ROW_SETS)

shared vec4 query[ROWS * UNITS];
// The word of the cache at which the head of each position of the tile begins.
shared uint head_offsets[TILE];

#if IS_STAGED
#define TILE_WORDS (TILE * HEAD_UNITS)
// Words of the tile that an invocation loads.
#define OWN_WORDS ((TILE_WORDS + GROUP - 1) / GROUP)
// Odd, so that neighbouring positions begin in different banks of shared memory.
#define STAGED_HEAD (HEAD_UNITS | 1)

// The tile's keys and, once all scores are computed, its values.
shared CACHE_WORDS staged[TILE * STAGED_HEAD];

#define KEY_OF(position, unit) FROM_CACHE(staged, (position) * STAGED_HEAD + FIRST_UNIT, unit)
#define VALUE_OF(position, unit) KEY_OF(position, unit)

void stage(CACHE_WORDS words[OWN_WORDS], uint lane) {
    [[unroll]] for (uint own = 0; own < OWN_WORDS; own++) {
        uint index = own * GROUP + lane;
        if (index < TILE_WORDS) staged[index / HEAD_UNITS * STAGED_HEAD + index % HEAD_UNITS] = words[own];
    }
}
#else
#define KEY_OF(position, unit) FROM_CACHE(keys, head_offsets[position] + FIRST_UNIT, unit)
#define VALUE_OF(position, unit) FROM_CACHE(values, head_offsets[position] + FIRST_UNIT, unit)
#endif

uint first_row, query_count, first_position, table, begin, end;

// The block of a position. The table has only the blocks from `begin`, the first position of the window, to `end`;
// positions outside get the nearest of them, so that the look-up stays in bounds.
uint block_of(uint position) { return tables[table + (clamp(position, begin, end - 1) >> block_shift)]; }

void load_queries(uint key_head, uint slice) {
    for (uint index = gl_LocalInvocationIndex; index < ROWS * UNITS; index += GROUP) {
        uint row = index / UNITS;
        uint unit = index % UNITS;
        uint head = slice * HEADS + row % HEADS;
        vec4 numbers = vec4(0);
        if (row / HEADS < query_count && head < group_heads) {
            uint from = (first_row + row / HEADS) * query_stride + query_offset
                + (key_head * group_heads + head) * HEAD_SIZE + unit * UNIT;
            numbers.xy = vec2(queries[from], queries[from + 1]);
#if UNIT == 4
            numbers.zw = vec2(queries[from + 2], queries[from + 3]);
#endif
        }
        query[index] = numbers;
    }
}

// Scores of `position`, which is number `tile_index` of the tile, for the rows from `score_row` on; LOWEST_SCORE where
// a row does not attend to it.
void score(uint tile_index, uint position, bool is_there, uint score_row, out float scores[SCORE_ROWS]) {
    [[unroll]] for (uint index = 0; index < SCORE_ROWS; index++) scores[index] = 0;
    if (is_there && score_row < ROWS) {
        for (uint first = 0; first < UNITS; first += KEYS_AHEAD) {
            vec4 ahead[KEYS_AHEAD];
            [[unroll]] for (uint own = 0; own < KEYS_AHEAD; own++) ahead[own] = KEY_OF(tile_index, first + own);
            [[unroll]] for (uint own = 0; own < KEYS_AHEAD; own++) {
                vec4 key = ahead[own];
                [[unroll]] for (uint index = 0; index < SCORE_ROWS; index++) {
                    vec4 numbers = query[min(score_row + index, ROWS - 1) * UNITS + first + own];
                    precise float sum = scores[index];
                    sum = fma(numbers.x, key.x, sum);
                    sum = fma(numbers.y, key.y, sum);
#if UNIT == 4
                    sum = fma(numbers.z, key.z, sum);
                    sum = fma(numbers.w, key.w, sum);
#endif
                    scores[index] = sum;
                }
            }
        }
    }
    [[unroll]] for (uint index = 0; index < SCORE_ROWS; index++) {
        uint own = first_position + (score_row + index) / HEADS;
        bool is_seen = is_there && position <= own && (window == 0 || position + window > own);
        float scaled = scores[index] * scale;
        if (cap != 0.0) scaled = soft_capped(scaled, cap);
        scores[index] = is_seen ? scaled : LOWEST_SCORE;
    }
}

void main() {
    uint lane = gl_LocalInvocationIndex;
    uint key_head = gl_WorkGroupID.x / slices;
    uint slice = gl_WorkGroupID.x % slices;
    uvec4 task = tasks[2 * (first_task + gl_WorkGroupID.y)];
    uvec4 extent = tasks[2 * (first_task + gl_WorkGroupID.y) + 1];
    first_row = task.x;
    query_count = task.y;
    first_position = task.z;
    table = task.w;
    end = first_position + query_count;
    begin = window == 0 || first_position < window ? 0 : first_position - window + 1;

    // This invocation's part of the output: one unit of some rows. `whole` is the state over all partitions so far.
    uint unit = lane % UNITS;
    uint row_set = lane / UNITS;
    bool has_rows = row_set < min(ROW_SETS, ROWS);
    float whole_largest[ROWS_EACH];
    float whole_sum[ROWS_EACH];
    vec4 whole[ROWS_EACH];
    [[unroll]] for (uint index = 0; index < ROWS_EACH; index++) {
        whole_largest[index] = LOWEST_SCORE;
        whole_sum[index] = 0;
        whole[index] = vec4(0);
        uint head = slice * HEADS + (row_set + index * ROW_SETS) % HEADS;
        if (has_sinks != 0 && head < group_heads) {
            take_sink(sinks[sink_offset + key_head * group_heads + head], whole_largest[index], whole_sum[index]);
        }
    }
    // The block table is read a tile ahead: keys can be loaded only after it.
    uint tile_index = lane % TILE;
    uint next_block = block_of(extent.x * PARTITION + tile_index);
    load_queries(key_head, slice);

    for (uint part = extent.x; part < extent.x + extent.y; part++) {
        float sums[ROWS_EACH];
        vec4 sums_of_values[ROWS_EACH];
        [[unroll]] for (uint index = 0; index < ROWS_EACH; index++) {
            sums[index] = 0;
            sums_of_values[index] = vec4(0);
        }
        // The partition before may still read `largest_of`, and all must see it reset.
        barrier();
        for (uint row = lane; row < ROWS; row += GROUP) largest_of[row] = LOWEST_SCORE;
        barrier();
        uint partition_end = min((part + 1) * PARTITION, end);
        for (uint tile = part * PARTITION; tile < partition_end; tile += TILE) {
            uint block = next_block;
            next_block = block_of(tile + TILE + tile_index);
            if (tile + TILE <= begin) continue;
            // The positions of the tile that some row attends to.
            uint from = max(tile, begin) - tile;
            uint to = min(TILE, partition_end - tile);
            if (lane < TILE && tile_index >= from && tile_index < to) {
                uint offset = (tile + tile_index) & ((1u << block_shift) - 1);
                head_offsets[tile_index] = block * block_stride + (offset * key_heads + key_head) * HEAD_UNITS;
            }
            barrier();
#if IS_STAGED
            CACHE_WORDS key_words[OWN_WORDS];
            CACHE_WORDS value_words[OWN_WORDS];
            [[unroll]] for (uint own = 0; own < OWN_WORDS; own++) {
                uint index = own * GROUP + lane;
                // Positions outside of the range are loaded from inside of it: any finite number will do, as they weigh
                // 0.
                uint word = head_offsets[clamp(index / HEAD_UNITS, from, to - 1)] + index % HEAD_UNITS;
                key_words[own] = keys[word];
                value_words[own] = values[word];
            }
            stage(key_words, lane);
            barrier();
#endif
            uint score_row = lane / TILE * SCORE_ROWS;
            float scores[SCORE_ROWS];
            score(tile_index, tile + tile_index, tile_index >= from && tile_index < to, score_row, scores);
            // Ends with a barrier, after which values may overwrite the staged keys.
            find_largest(scores, score_row, lane);
#if IS_STAGED
            stage(value_words, lane);
#endif
            [[unroll]] for (uint index = 0; index < SCORE_ROWS; index++) {
                uint row = score_row + index;
                if (row >= ROWS) continue;
                weights_of[row * TILE + tile_index] =
                    scores[index] == LOWEST_SCORE ? 0.0 : exp(scores[index] - tile_largest[row]);
            }
            // Weights and values are complete.
            barrier();
            if (has_rows) {
                [[unroll]] for (uint index = 0; index < ROWS_EACH; index++) {
                    uint row = min(row_set + index * ROW_SETS, ROWS - 1);
                    float shrink = decay(largest_of[row], tile_largest[row]);
                    sums[index] *= shrink;
                    sums_of_values[index] *= shrink;
                }
                for (uint first = from; first < to; first += VALUES_AHEAD) {
                    vec4 ahead[VALUES_AHEAD];
                    [[unroll]] for (uint own = 0; own < VALUES_AHEAD; own++) {
                        ahead[own] = VALUE_OF(min(first + own, to - 1), unit);
                    }
                    [[unroll]] for (uint own = 0; own < VALUES_AHEAD; own++) {
                        if (first + own >= to) break;
                        [[unroll]] for (uint index = 0; index < ROWS_EACH; index++) {
                            uint row = min(row_set + index * ROW_SETS, ROWS - 1);
                            float weight = weights_of[row * TILE + first + own];
                            precise float sum = sums[index] + weight;
                            precise vec4 weighted = fma(vec4(weight), ahead[own], sums_of_values[index]);
                            sums[index] = sum;
                            sums_of_values[index] = weighted;
                        }
                    }
                }
            }
            // Every invocation has read both maxima before the new one replaces the old one.
            barrier();
            for (uint row = lane; row < ROWS; row += GROUP) largest_of[row] = tile_largest[row];
            barrier();
        }
        [[unroll]] for (uint index = 0; index < ROWS_EACH; index++) {
            uint row = min(row_set + index * ROW_SETS, ROWS - 1);
            // A state of its own is left unfolded, for the reduction.
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
        if (row >= ROWS || row / HEADS >= query_count || head >= group_heads) continue;
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
            uint to = (first_row + row / HEADS) * output_stride + output_offset + whole_head * HEAD_SIZE + unit * UNIT;
            for (uint number = 0; number < UNIT; number++) {
                result[to + number] = whole[index][number] / whole_sum[index];
            }
        }
    }
}
