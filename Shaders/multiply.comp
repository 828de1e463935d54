// Multiplications and additions in independent chains: the device's highest rate of arithmetic (`SpeedProbe`).

layout(local_size_x = GROUP) in;

layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { vec4 result[]; };

void main() {
    vec4 chains[CHAINS];
    [[unroll]] for (uint chain = 0; chain < CHAINS; chain++) chains[chain] = vec4(gl_GlobalInvocationID.x + chain);
    for (uint index = 0; index < step_count; index++) {
        [[unroll]] for (uint chain = 0; chain < CHAINS; chain++) {
            chains[chain] = fma(chains[chain], vec4(factor), vec4(1));
        }
    }
    vec4 sum = vec4(0);
    [[unroll]] for (uint chain = 0; chain < CHAINS; chain++) sum += chains[chain];
    // Never true, but the compiler cannot know that, and so keeps the loop.
    if (sum.x == 0.5) result[0] = sum;
}
