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
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

#ifdef SELECTED
// A row is multiplied with the matrices that its route names (`SelectedLinearKernel`). A workgroup computes a tile of one
// of these products. The matrices of a set lie one after another, `matrix_tiles` tiles each.
layout(set = 0, binding = ROUTES_BINDING) readonly buffer Routes { float routes[]; };

#define CHOICE (gl_WorkGroupID.x / matrix_tiles)
#define MATRIX uint(routes[gl_WorkGroupID.y * routes_stride + routes_offset + CHOICE])
#define OUTPUT_TILE (gl_WorkGroupID.x % matrix_tiles)
// The tile of the weights, among the `tile_count` ones of this buffer.
#define WEIGHT_TILE (MATRIX * matrix_tiles + OUTPUT_TILE - first_tile)
#define INPUT_START (CHOICE * choice_stride)
// Ends workgroups whose matrix is in another buffer.
#define END_WITHOUT_WEIGHTS if (WEIGHT_TILE >= tile_count) return;
#else
#define OUTPUT_TILE gl_WorkGroupID.x
#define WEIGHT_TILE gl_WorkGroupID.x
#define INPUT_START 0
#define END_WITHOUT_WEIGHTS
#endif

// Writes an output of a row, where there is such a row and such an output.
void write_result(uint row, uint column, float sum) {
    if (row >= row_count || column >= output_size) return;
#ifdef SELECTED
    float offset = has_bias != 0 ? bias[bias_offset + MATRIX * output_size + column] : 0.0;
    result[row * output_stride + output_offset + CHOICE * output_size + column] = sum + offset;
#else
    float offset = has_bias != 0 ? bias[bias_offset + column] : 0.0;
    result[row * output_stride + output_offset + column] = sum + offset;
#endif
}
