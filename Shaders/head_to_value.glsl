// Heads go to the rows of a value.

layout(set = 0, binding = TARGET_BINDING) writeonly buffer Target { float target[]; };

#define store_pair(token, index, first, second) \
    { uint offset = (token) * output_stride + output_offset + (index); \
      target[offset] = first; target[offset + 1] = second; }
