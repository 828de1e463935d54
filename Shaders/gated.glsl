// activation(gate) * up.

layout(set = 0, binding = GATE_BINDING) readonly buffer Gate { float gate[]; };
layout(set = 0, binding = UP_BINDING) readonly buffer Up { float up[]; };

float silu(float x) { return x / (1.0 + exp(-x)); }

// 0.5 x (1 + tanh(y)) = x / (1 + exp(-2y)): no difference of nearly equal numbers.
float gelu(float x) { return x / (1.0 + exp(-1.5957691216057308 * (x + 0.044715 * x * x * x))); }

float gated(uint row, uint column) {
    float number = gate[row * gate_stride + gate_offset + column];
    float activated = is_gelu != 0 ? gelu(number) : silu(number);
    return activated * up[row * up_stride + up_offset + column];
}
