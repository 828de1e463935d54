// What all kernels of linear operations share: output = input · weightsᵀ + bias. Weights are unquantized
// (`dense_weights.glsl`) or quantized (`quantized_weights.glsl`).

// The input's elements: four floats, or a quarter of a limb's words (`quantized_activations.glsl`).
#ifdef LIMBS
#define SOURCE uvec4
#else
#define SOURCE vec4
#endif

layout(set = 0, binding = INPUT_BINDING) readonly buffer Input { SOURCE source[]; };
layout(set = 0, binding = BIAS_BINDING) readonly buffer Bias { float bias[]; };
#ifdef ADDED
layout(set = 0, binding = OUTPUT_BINDING) buffer Output { float result[]; };
#else
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };
#endif

// Kernels with a set of matrices (`SelectedLinearKernel`) multiply a row with the matrices that its route names; a pair is
// a row and one of its choices. The matrices of a set lie one after another, `matrix_tiles` tiles each. Of all tiles,
// `tile_count` ones from `first_tile` on are in this buffer. With SELECTED, a workgroup computes a tile of outputs for one
// pair. With GROUPED, it does so for a tile of pairs with one matrix, from a list (`group_rows.comp`).
//
// FIRST_ROW(count) is the first of the `count` rows of a workgroup, among ROW_COUNT ones.
#ifdef SELECTED
layout(set = 0, binding = SELECTION_BINDING) readonly buffer Selection { float routes[]; };

uint matrix;

#define CHOICE (gl_WorkGroupID.x / matrix_tiles)
#define OUTPUT_TILE (gl_WorkGroupID.x % matrix_tiles)
#define FIRST_ROW(count) gl_WorkGroupID.y
#define ROW_COUNT row_count
#define HAS_ROW(row) true
#define BEGIN(condition) \
    matrix = uint(routes[gl_WorkGroupID.y * routes_stride + routes_offset + CHOICE]); \
    if (!(condition)) return;

uint input_start(uint row) { return row * input_stride + input_offset + CHOICE * choice_stride; }
uint output_start(uint row) { return row * output_stride + output_offset + CHOICE * output_size; }
#elif defined(GROUPED)
// The number of tiles of pairs, and from word 4 on of each its matrix, its first pair and how many there are. From
// `pairs_start` on the pairs, as the number of the row times `choice_count` plus that of the choice.
layout(set = 0, binding = SELECTION_BINDING) readonly buffer Selection { uint selection[]; };

uint matrix, first_pair, pair_count;

#define OUTPUT_TILE gl_WorkGroupID.x
#define FIRST_ROW(count) 0
#define ROW_COUNT pair_count
// The same for all of the workgroup, so a row that is not there costs no time.
#define HAS_ROW(row) ((row) < pair_count)
// With ADAPTERS, a matrix may be missing (`AdapterTiles`).
#ifdef ADAPTERS
#define IS_MISSING(matrix) (selection[presence_start + (matrix)] == 0)
#else
#define IS_MISSING(matrix) false
#endif
#define BEGIN(condition) \
    if (gl_WorkGroupID.y >= selection[0]) return; \
    matrix = selection[4 * gl_WorkGroupID.y + 4]; \
    first_pair = pairs_start + selection[4 * gl_WorkGroupID.y + 5]; \
    pair_count = selection[4 * gl_WorkGroupID.y + 6]; \
    if (IS_MISSING(matrix) || !(condition)) return;

uint input_start(uint row) {
    uint pair = selection[first_pair + row];
    return pair / choice_count * input_stride + input_offset + pair % choice_count * choice_stride;
}
uint output_start(uint row) {
    uint pair = selection[first_pair + row];
    return pair / choice_count * output_stride + output_offset + pair % choice_count * output_size;
}
#else
#define OUTPUT_TILE gl_WorkGroupID.x
#define FIRST_ROW(count) (gl_WorkGroupID.y * (count))
#define ROW_COUNT row_count
#define HAS_ROW(row) true
#define BEGIN(condition)

uint input_start(uint row) { return row * input_stride + input_offset; }
uint output_start(uint row) { return row * output_stride + output_offset; }
#endif

// Whether tile `tile` of the outputs has weights in this buffer, and which tile of the weights it is.
#if defined(SELECTED) || defined(GROUPED)
bool has_weights(uint tile) {
    return tile < matrix_tiles && matrix * matrix_tiles + tile - first_tile < tile_count;
}
#define WEIGHT_TILE(tile) (matrix * matrix_tiles + (tile) - first_tile)
#define BIAS_START (bias_offset + matrix * output_size)
#else
bool has_weights(uint tile) { return tile * TILE < output_size; }
#define WEIGHT_TILE(tile) (tile)
#define BIAS_START bias_offset
#endif

// Writes an output of a row, where there is such a row and such an output. With ADDED, it adds to what is there.
void write_result(uint row, uint column, float sum) {
    if (row >= ROW_COUNT || column >= output_size || !has_weights(column / TILE)) return;
#ifdef ADDED
    result[output_start(row) + column] += sum;
#else
    float offset = has_bias != 0 ? bias[BIAS_START + column] : 0.0;
    result[output_start(row) + column] = sum + offset;
#endif
}
