// What all kernels of linear operations share: output = input · weightsᵀ + bias. Weights are one buffer of dense ones
// (`weights.glsl`) or two of packed ones (`packed.glsl`); what follows them is bound after them.

// What rows of the input are made of: numbers, or their digits (`digits.glsl`).
#ifdef DIGITS
#define SOURCE uvec4
#else
#define SOURCE vec4
#endif

#ifdef BITS
#define WEIGHT_BUFFERS 2
#else
#define WEIGHT_BUFFERS 1
#endif

layout(set = 0, binding = 0) readonly buffer Input { SOURCE source[]; };
layout(set = 0, binding = WEIGHT_BUFFERS + 1) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = WEIGHT_BUFFERS + 2) writeonly buffer Output { float result[]; };

layout(push_constant) uniform Constants {
    uint row_count;
    uint input_size;
    uint output_size;
    uint input_stride;   // In SOURCE.
    uint input_column;   // In SOURCE.
    uint output_stride;
    uint output_column;
    uint has_bias;
    uint bias_offset;
#ifdef BITS
    uint group_slices;   // Slices that share a scale, where one has no more than one.
    uint group_count;
#endif
};

// Writes an output of a row, where there is such a row and such an output.
void write_result(uint row, uint column, float sum) {
    if (row >= row_count || column >= output_size) return;
    float offset = has_bias != 0 ? bias[bias_offset + column] : 0.0;
    result[row * output_stride + output_column + column] = sum + offset;
}
