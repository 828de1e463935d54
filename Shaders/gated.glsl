// activation(gate) * up.

layout(set = 0, binding = GATE_BINDING) readonly buffer Gate { float gate[]; };
layout(set = 0, binding = UP_BINDING) readonly buffer Up { float up[]; };

float gated(uint row, uint column) {
    float number = gate[row * gate_stride + gate_offset + column];
    return activated(number) * up[row * up_stride + up_offset + column];
}
