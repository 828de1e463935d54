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

// Writes an output of a row, where there is such a row and such an output.
void write_result(uint row, uint column, float sum) {
    if (row >= row_count || column >= output_size) return;
    float offset = has_bias != 0 ? bias[bias_offset + column] : 0.0;
    result[row * output_stride + output_offset + column] = sum + offset;
}
