// activation(gate) * up.

layout(set = 0, binding = 0) readonly buffer Gate { float gate[]; };
layout(set = 0, binding = 1) readonly buffer Up { float up[]; };

layout(push_constant) uniform Constants {
    uint row_count;
    uint width;
    uint gate_stride;
    uint gate_column;
    uint up_stride;
    uint up_column;
    uint output_stride;
    uint output_column;
    uint is_gelu;
};

float silu(float x) { return x / (1.0 + exp(-x)); }

// 0.5 x (1 + tanh(y)) = x / (1 + exp(-2y)): no difference of nearly equal numbers.
float gelu(float x) { return x / (1.0 + exp(-1.5957691216057308 * (x + 0.044715 * x * x * x))); }

float gated(uint row, uint column) {
    float number = gate[row * gate_stride + gate_column + column];
    float activated = is_gelu != 0 ? gelu(number) : silu(number);
    return activated * up[row * up_stride + up_column + column];
}
