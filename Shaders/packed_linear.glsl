// What the kernels of packed linear operations share: output = input · weightsᵀ + bias.

// What rows of the input are made of: numbers, or their digits (`digits.glsl`).
#ifdef DIGITS
#define SOURCE uvec4
#else
#define SOURCE vec4
#endif

layout(set = 0, binding = 0) readonly buffer Input { SOURCE source[]; };
layout(set = 0, binding = 3) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 4) writeonly buffer Output { float result[]; };

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
    uint group_slices;   // Slices that share a scale, where one has no more than one.
    uint group_count;
};
